"""Serialized ``tf.train.Example`` messages of a batch of tensors, without TensorFlow.

An Example maps names to features, each a list of floats, of int64 or of byte strings:
https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/example/feature.proto. In
protobuf's wire format, https://protobuf.dev/programming-guides/encoding/, every message and every
packed list is a tag, a length and its bytes. Of a batch of dense tensors the parts of fixed size
have the same tags and lengths for every instance, so they are made once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# Tags of fields of length-delimited type: their number times 8, plus 2.
_FIELD_1 = b"\x0a"  # Example.features, Features.feature, an entry's key, the values of all lists
_ENTRY_VALUE = b"\x12"
_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = b"\x0a", b"\x12", b"\x1a"

_LONGEST_VARINT = 10


def encode_examples(features: Mapping[str, NDArray[Any]], instances: int) -> list[bytes]:
    """Serializes an Example for each instance.

    Args:
        features: An array for each feature, with an entry for each instance, which is flattened.
            Floating-point values become float32, the only such type of an Example; booleans and
            integers int64; arrays of objects have to hold ``bytes``.
        instances: How many there are.
    """
    columns = [_entries(name, values, instances) for name, values in features.items()]
    if len(columns) == 1:
        return [_sized(_FIELD_1, entry) for entry in columns[0]]
    return [_sized(_FIELD_1, b"".join(row)) for row in zip(*columns, strict=True)]


def _entries(name: str, values: NDArray[Any], instances: int) -> list[bytes]:
    """The entry of one feature in the map, for each instance."""
    key = _sized(_FIELD_1, name.encode())
    rows = values.reshape(instances, values[:1].size)
    if rows.dtype.kind in "biu":
        return [_entry(key, _INT64_LIST, _packed(row)) for row in _varints(rows)]
    if rows.dtype.kind == "O":
        return [
            _entry(key, _BYTES_LIST, b"".join(_sized(_FIELD_1, value) for value in row))
            for row in rows.tolist()
        ]
    data = rows.astype("<f4").tobytes()
    size = rows.shape[1] * 4
    if not size:
        return [_entry(key, _FLOAT_LIST, b"")] * instances
    head = _entry(key, _FLOAT_LIST, _packed(data[:size]))[:-size]
    return [head + data[begin : begin + size] for begin in range(0, len(data), size)]


def _entry(key: bytes, kind: bytes, values: bytes) -> bytes:
    return _sized(_FIELD_1, key + _sized(_ENTRY_VALUE, _sized(kind, values)))


def _packed(values: bytes) -> bytes:
    return _sized(_FIELD_1, values) if values else b""


def _sized(tag: bytes, body: bytes) -> bytes:
    return tag + _varint(len(body)) + body


def _varint(number: int) -> bytes:
    if number < 128:
        return bytes((number,))
    digits = bytearray()
    while number > 127:
        digits.append(number & 127 | 128)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def _varints(rows: NDArray[Any]) -> list[bytes]:
    """Each row's integers as varints: groups of 7 bits, lowest first, bit 7 where more follow.

    Negative numbers are taken as their 64-bit two's complement, which makes ten groups.
    """
    numbers = rows.astype(np.int64).view(np.uint64).reshape(-1, 1)
    shifts = np.arange(0, 7 * _LONGEST_VARINT, 7, dtype=np.uint64)
    remaining = numbers >> shifts
    lengths = np.maximum(1, np.count_nonzero(remaining, axis=1))
    groups = (remaining & np.uint64(127)).astype(np.uint8)
    places = np.arange(_LONGEST_VARINT)
    groups[places < lengths[:, None] - 1] |= np.uint8(128)
    data = groups[places < lengths[:, None]].tobytes()
    ends = np.cumsum(lengths.reshape(rows.shape).sum(axis=1)).tolist()
    return [data[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
