"""Records of application/x-recordio-protobuf: SageMaker's own message for its algorithms."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.decoders.decoder import RecordTensors, merged
from sagemaker_tensorflow.transform.decoders.tensors import cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sagemaker_tensorflow.transform.records import Decoded, Payload
    from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec

# How SageMaker's algorithms and SDK call the features when there is nothing to tell apart.
ONLY_FEATURE = "values"
# Values of a sparse tensor whose size only the record tells: 1 GiB of float32.
_MOST_SPARSE = 1 << 28


class RecordProtobufDecoder:
    """Decodes ``application/x-recordio-protobuf``: a record is one instance.

    Every input takes the feature of its name. The one input of a model also takes the feature
    ``values``, or whatever single feature there is. Tensors are dense, or sparse with the keys of
    their values in C order; a sparse one needs a shape of its own, or an input whose sizes are
    fixed. The shape that a dense tensor tells is used where its input leaves sizes open. Labels
    are ignored.
    """

    def __init__(self, signature: Signature) -> None:
        self._specs = signature.inputs
        self._message = record_message()

    def decode(self, payload: Payload) -> Decoded:
        """See `Decoder`."""
        return merged(payload, self._specs, [self._decoded(record) for record in payload.records])

    def _decoded(self, record: bytes) -> RecordTensors | BadRecordError:
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

        try:
            features = self._message.FromString(record).features
        except DecodeError:
            return BadRecordError(f"no Record message: its {len(record)} bytes cannot be parsed")
        try:
            tensors = [_tensor(self._feature(features, spec), spec) for spec in self._specs]
        except BadRecordError as error:
            return error
        return RecordTensors(tensors, 1)

    def _feature(self, features: Mapping[str, Any], spec: TensorSpec) -> Any:
        if spec.name in features:
            return features[spec.name]
        if len(self._specs) == 1:
            if ONLY_FEATURE in features:
                return features[ONLY_FEATURE]
            if len(features) == 1:
                return next(iter(features.values()))
        has = ", ".join(map(repr, sorted(features)[:5])) or "none"
        raise BadRecordError(f"no feature for input {spec.name!r}; the record has {has}")


def _tensor(value: Any, spec: TensorSpec) -> NDArray[Any]:
    """One instance, of shape ``[1, ...]``."""
    kind = value.WhichOneof("value")
    if kind is None:
        raise BadRecordError(f"the feature for input {spec.name!r} is empty")
    content = getattr(value, kind)
    if kind == "bytes":
        array = np.array(list(content.value) or [b""], dtype=object)
        return cast(_shaped(array, (), spec)[np.newaxis], spec)
    dtype = {"float32_tensor": np.float32, "float64_tensor": np.float64}.get(kind, np.int32)
    values: NDArray[Any] = np.array(content.values, dtype=dtype)
    shape = tuple(content.shape)
    # A sparse tensor of zeros has neither keys nor values.
    if len(content.keys) or (shape and not len(values)):
        values = _dense(values, np.array(content.keys, dtype=np.uint64), shape, spec)
    return cast(_shaped(values, shape, spec)[np.newaxis], spec)


def _dense(
    values: NDArray[Any], keys: NDArray[np.uint64], shape: tuple[int, ...], spec: TensorSpec
) -> NDArray[Any]:
    """The values of a sparse tensor in a row, with zeros between them."""
    sizes = spec.instance_shape
    known = None if sizes is None or None in sizes else math.prod(size or 0 for size in sizes)
    size = math.prod(shape) if shape else known
    if size is None:
        raise BadRecordError(f"a sparse tensor without a shape cannot fill input {spec}")
    if size != known and (known is not None or size > _MOST_SPARSE):
        raise BadRecordError(f"a sparse tensor of shape {list(shape)} cannot fill input {spec}")
    if len(keys) != len(values):
        raise BadRecordError(f"a sparse tensor has {len(keys)} keys and {len(values)} values")
    if len(keys) and keys.max() >= size:
        raise BadRecordError(f"a sparse tensor has a key {keys.max()}, and {size} values")
    dense = np.zeros(size, dtype=values.dtype)
    dense[keys.astype(np.int64)] = values
    return dense


def _shaped(array: NDArray[Any], shape: tuple[int, ...], spec: TensorSpec) -> NDArray[Any]:
    """Values in the input's sizes, in the message's where those are open, or else in a row."""
    sizes = spec.instance_shape
    if sizes is not None and None not in sizes:
        wanted = tuple(size or 0 for size in sizes)
    else:
        wanted = shape or (array.size,)
    if math.prod(wanted) != array.size:
        raise BadRecordError(
            f"the feature for input {spec.name!r} has {array.size} values; {list(wanted)} takes"
            f" {math.prod(wanted)}"
        )
    return array.reshape(wanted)


@functools.cache
def record_message() -> Any:
    """The class of ``aialgs.data.Record``, built from its schema.

    The schema is printed in
    https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html, and compiled into
    ``sagemaker.amazon.record_pb2`` of SageMaker's Python SDK. It is in a pool of its own, as a
    second file of that name in the default pool would clash with the SDK's.
    """
    from google.protobuf import (  # type: ignore[import-untyped]
        descriptor_pb2,
        descriptor_pool,
        message_factory,
    )

    file = descriptor_pb2.FileDescriptorProto(
        name="record.proto", package="aialgs.data", syntax="proto2"
    )
    kinds = descriptor_pb2.FieldDescriptorProto
    for name, kind in (
        ("Float32Tensor", kinds.TYPE_FLOAT),
        ("Float64Tensor", kinds.TYPE_DOUBLE),
        ("Int32Tensor", kinds.TYPE_INT32),
    ):
        message = file.message_type.add(name=name)
        _add_field(message, "values", 1, kind, repeated=True)
        _add_field(message, "keys", 2, kinds.TYPE_UINT64, repeated=True)
        _add_field(message, "shape", 3, kinds.TYPE_UINT64, repeated=True)
    message = file.message_type.add(name="Bytes")
    _add_field(message, "value", 1, kinds.TYPE_BYTES, repeated=True)
    _add_field(message, "content_type", 2, kinds.TYPE_STRING)
    _add_value(file)
    _add_record(file)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("aialgs.data.Record"))


def _add_value(file: Any) -> None:
    message = file.message_type.add(name="Value")
    message.oneof_decl.add(name="value")
    for name, number, kind in (
        ("float32_tensor", 2, "Float32Tensor"),
        ("float64_tensor", 3, "Float64Tensor"),
        ("int32_tensor", 7, "Int32Tensor"),
        ("bytes", 9, "Bytes"),
    ):
        _add_field(message, name, number, kind).oneof_index = 0


def _add_record(file: Any) -> None:
    from google.protobuf import descriptor_pb2

    text = descriptor_pb2.FieldDescriptorProto.TYPE_STRING
    message = file.message_type.add(name="Record")
    for number, name in enumerate(("features", "label"), start=1):
        # What protoc makes of map<string, Value>.
        entry = message.nested_type.add(name=f"{name.capitalize()}Entry")
        entry.options.map_entry = True
        _add_field(entry, "key", 1, text)
        _add_field(entry, "value", 2, "Value")
        _add_field(message, name, number, f"Record.{entry.name}", repeated=True)
    for number, name in enumerate(("uid", "metadata", "configuration"), start=3):
        _add_field(message, name, number, text)


def _add_field(
    message: Any, name: str, number: int, kind: int | str, *, repeated: bool = False
) -> Any:
    """Adds a field of a scalar type, or of the message type that `kind` names."""
    from google.protobuf import descriptor_pb2

    types = descriptor_pb2.FieldDescriptorProto
    field = message.field.add(name=name, number=number)
    field.label = types.LABEL_REPEATED if repeated else types.LABEL_OPTIONAL
    if isinstance(kind, str):
        field.type, field.type_name = types.TYPE_MESSAGE, f".aialgs.data.{kind}"
    else:
        field.type = kind
        field.options.packed = repeated and kind not in (types.TYPE_BYTES, types.TYPE_STRING)
    return field
