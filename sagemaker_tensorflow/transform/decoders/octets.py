"""Records that are nothing but bytes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.decoders.decoder import RecordTensors, merged
from sagemaker_tensorflow.transform.packed_strings import PackedStrings
from sagemaker_tensorflow.transform.records import Decoded, Payload
from sagemaker_tensorflow.transform.signatures import shape_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sagemaker_tensorflow.transform.signatures import TensorSpec


class BytesDecoder:
    """Gives each record, as it is, to an input that takes one byte string per instance.

    Args:
        spec: The input.
        content_type: For the error.

    Raises:
        InvalidArgumentError: The input takes something else.
    """

    def __init__(self, spec: TensorSpec, content_type: str) -> None:
        if not takes_bytes(spec):
            raise InvalidArgumentError(
                f"{content_type} gives one byte string per record; input {spec} takes another shape"
            )
        self._name = spec.name
        self._sizes = (1,) * len(spec.instance_shape or ())

    @property
    def takes_packed(self) -> bool:
        """The records of payloads may be `PackedStrings`, and the input is then."""
        return not self._sizes

    def decode(self, payload: Payload) -> Decoded:
        """See `Decoder`. No record is bad."""
        if isinstance(payload.records, PackedStrings):
            packed: Any = payload.records
            return Decoded(inputs={self._name: packed}, counts=[1] * len(packed))
        array = np.empty(len(payload.records), dtype=object)
        array[:] = payload.records
        shaped = array.reshape(len(array), *self._sizes)
        return Decoded(inputs={self._name: shaped}, counts=[1] * len(array))


def takes_bytes(spec: TensorSpec) -> bool:
    """One instance of the input is one byte string."""
    return spec.is_string and all(size in (1, None) for size in spec.instance_shape or ())


class RawDecoder:
    """Decodes ``application/octet-stream`` to numbers: the input's dtype, little-endian, C order.

    A record holds one instance or more, one behind the other. Where one size of an instance is
    open, the record is one instance and tells that size.

    Args:
        spec: The input, of numbers.

    Raises:
        InvalidArgumentError: More than one size is open.
    """

    def __init__(self, spec: TensorSpec) -> None:
        sizes = spec.instance_shape
        if sizes is None or sizes.count(None) > 1:
            raise InvalidArgumentError(
                f"application/octet-stream cannot fill input {spec}: at most one size of an"
                " instance may be open; use application/x-npy, which tells its shape"
            )
        self._spec = spec
        self._dtype = spec.array_dtype.newbyteorder("<")
        self._shape = (1, *sizes) if None in sizes else (None, *sizes)
        known = math.prod(size for size in sizes if size is not None)
        self._unit = known * self._dtype.itemsize

    def decode(self, payload: Payload) -> Decoded:
        """See `Decoder`."""
        return merged(payload, [self._spec], [self._decoded(record) for record in payload.records])

    def _decoded(self, record: bytes) -> RecordTensors | BadRecordError:
        if not record or not self._unit or len(record) % self._unit:
            return BadRecordError(
                f"the record has {len(record)} bytes; input {self._spec.name!r} takes a multiple of"
                f" {self._unit}: {self._spec.dtype} {shape_text(self._spec.instance_shape or ())}"
            )
        shape = [-1 if size is None else size for size in self._shape]
        tensor: NDArray[Any] = np.frombuffer(record, dtype=self._dtype).reshape(shape)
        return RecordTensors([tensor.astype(self._spec.array_dtype, copy=False)], len(tensor))
