"""Records that are serialized tf.Examples, parsed to named tensors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.decoders.decoder import RecordTensors, merged
from sagemaker_tensorflow.transform.decoders.tensors import cast
from sagemaker_tensorflow.transform.records import Decoded
from sagemaker_tensorflow.transform.signatures import shape_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from sagemaker_tensorflow.transform.records import Payload
    from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec

# The three kinds of features, and which dtypes are cast from them.
# https://github.com/tensorflow/tensorflow/blob/v2.21.0/tensorflow/core/example/feature.proto
_LISTS = {"O": "bytes_list", "b": "int64_list", "i": "int64_list", "u": "int64_list"}


class ExampleDecoder:
    """Decodes ``application/x-tfexample`` for inputs that are not one string.

    Every input takes the feature of its name, which must have as many values as an instance of the
    input: bytes for strings, int64 for integers and booleans, float for all else. Values that do
    not fit the input's dtype are errors. Features that are no inputs are ignored.

    Args:
        signature: Of the model.

    Raises:
        InvalidArgumentError: An input has a size that is not fixed, which Examples do not tell.
    """

    def __init__(self, signature: Signature) -> None:
        self._specs = signature.inputs
        for spec in self._specs:
            _check_fixed(spec)
        self._parse = _parser(self._specs)

    def decode(self, payload: Payload) -> Decoded:
        """See `Decoder`. All Examples at once, unless one is bad."""
        tensors = self._tensors(payload.records)
        if isinstance(tensors, BadRecordError):
            return merged(payload, self._specs, [self._one(record) for record in payload.records])
        inputs = {spec.name: tensor for spec, tensor in zip(self._specs, tensors, strict=True)}
        return Decoded(inputs=inputs, counts=[1] * len(payload.records))

    def _one(self, record: bytes) -> RecordTensors | BadRecordError:
        tensors = self._tensors([record])
        if isinstance(tensors, BadRecordError):
            return BadRecordError(_problem(record, self._specs) or str(tensors))
        return RecordTensors(tensors, 1)

    def _tensors(self, records: Sequence[bytes]) -> list[NDArray[Any]] | BadRecordError:
        import tensorflow as tf

        try:
            parsed = self._parse(tf.constant(records, dtype=tf.string, shape=[len(records)]))
            return [cast(parsed[spec.name].numpy(), spec) for spec in self._specs]
        except tf.errors.OpError as error:
            return BadRecordError(error.message)
        except BadRecordError as error:
            return error


def _check_fixed(spec: TensorSpec) -> None:
    sizes = spec.instance_shape
    if sizes is None or None in sizes:
        raise InvalidArgumentError(
            f"application/x-tfexample cannot fill input {spec}: an Example does not tell the sizes"
            " of an array, so all sizes of an instance must be fixed; use application/jsonlines or"
            " an inference.py, or export the model with a signature that takes Examples itself"
        )


def _parser(specs: Sequence[TensorSpec]) -> Callable[[Any], Any]:
    import tensorflow as tf

    dtypes = {"bytes_list": tf.string, "int64_list": tf.int64, "float_list": tf.float32}
    features = {
        spec.name: tf.io.FixedLenFeature(spec.instance_shape, dtypes[_list_of(spec)])
        for spec in specs
    }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])  # type: ignore[untyped-decorator]
    def parse(serialized: Any) -> Any:
        with tf.device("CPU:0"):
            return tf.io.parse_example(serialized, features)

    return parse  # type: ignore[no-any-return]


def _list_of(spec: TensorSpec) -> str:
    return _LISTS.get(spec.array_dtype.kind, "float_list")


def _problem(record: bytes, specs: Sequence[TensorSpec]) -> str | None:
    """What is wrong with an Example, in fewer words than TensorFlow's; None if nothing is found."""
    import tensorflow as tf
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        features = tf.train.Example.FromString(record).features.feature
    except DecodeError:
        return f"no tf.Example: its {len(record)} bytes cannot be parsed"
    for spec in specs:
        if spec.name not in features:
            has = ", ".join(map(repr, sorted(features)[:5])) or "none"
            return f"no feature {spec.name!r}; the Example has {has}"
        kind, wanted = features[spec.name].WhichOneof("kind"), _list_of(spec)
        if kind != wanted:
            return f"feature {spec.name!r} is {kind or 'empty'}; the input takes {wanted}"
        sizes = spec.instance_shape or ()
        needed, count = (
            math.prod(size or 0 for size in sizes),
            len(getattr(features[spec.name], kind).value),
        )
        if count != needed:
            return f"feature {spec.name!r} has {count} values; {shape_text(sizes)} takes {needed}"
    return None
