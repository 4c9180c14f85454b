"""``application/x-tfrecord``: a ``tf.train.Example`` for each instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_tensorflow._core import encode_record
from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.encoders.encoder import Response, StatelessEncoder
from sagemaker_tensorflow.transform.encoders.examples import encode_examples
from sagemaker_tensorflow.transform.encoders.ragged import dense_parts, is_ragged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sagemaker_tensorflow.transform.records import Decoded, Outputs, Payload
    from sagemaker_tensorflow.transform.signatures import Signature

_SHAPE_SUFFIX = "/shape"


class TFRecordEncoder(StatelessEncoder):
    """TFRecords of serialized Examples, one for each instance, in the order of the records.

    An Example has a feature for each output, called the same: ``float_list`` for floating-point
    values (float64 is rounded to float32), ``int64_list`` for integers and booleans, ``bytes_list``
    for strings. An output of rank 2 or more, without the batch, is flattened, and ``<name>/shape``
    is an ``int64_list`` of its sizes.

    Raises:
        InvalidArgumentError: An output is of a type that an Example cannot hold, or has the name of
            another one's shape.
    """

    def __init__(self, signature: Signature) -> None:
        self._specs = signature.outputs
        names = {spec.name for spec in self._specs}
        for spec in self._specs:
            if spec.array_dtype == np.uint64 or spec.array_dtype.kind == "c":
                raise InvalidArgumentError(
                    f"output {spec} of signature {signature.name} does not fit in a "
                    "tf.train.Example, which has float32, int64 and bytes; use "
                    "accept=application/x-npy or application/x-parquet"
                )
            if spec.name + _SHAPE_SUFFIX in names:
                raise InvalidArgumentError(
                    f"output {spec.name}{_SHAPE_SUFFIX} of signature {signature.name} is called as "
                    f"the shape of {spec.name} is in a tf.train.Example; use another accept"
                )

    def encode(self, payload: Payload, decoded: Decoded, outputs: Outputs) -> Response:
        """Encodes the results of a payload."""
        if any(is_ragged(values) for values in outputs.values()):
            examples = [self._examples(one, 1)[0] for one in _singles(outputs, decoded.instances)]
        else:
            examples = self._examples(outputs, decoded.instances)
        return Response(b"".join(encode_record("TFRecord", example) for example in examples))

    def _examples(self, outputs: Outputs, instances: int) -> list[bytes]:
        features: dict[str, NDArray[Any]] = {}
        for spec in self._specs:
            values = features[spec.name] = outputs[spec.name]
            if values.ndim > 2:
                sizes = np.array(values.shape[1:], np.int64)
                features[spec.name + _SHAPE_SUFFIX] = np.broadcast_to(
                    sizes, (instances, len(sizes))
                )
        return encode_examples(features, instances)


def _singles(outputs: Outputs, instances: int) -> Iterator[Outputs]:
    """The outputs of each instance alone, which are dense."""
    for number in range(instances):
        yield {
            name: dense_parts(values[number : number + 1])[0] for name, values in outputs.items()
        }
