"""Records put together byte by byte, also in ways that no known writer chooses.

Independent of libprotobuf and of the parser under test. Each function gives the bytes of a message.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence

FIELDS = {"float32": 2, "float64": 3, "int32": 7, "bytes": 9}  # of a Value's oneof
PACKED = {"float32": "<f", "float64": "<d"}


def varint(number: int) -> bytes:
    """A number of up to 64 bits; negative ones have all 64."""
    number &= (1 << 64) - 1
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def field(number: int, content: bytes) -> bytes:
    """A field that has a length."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def numbers(number: int, kind: str, values: Iterable[float], packed: bool = True) -> bytes:
    """A repeated field, in one piece or with a tag before each number."""
    if kind in PACKED:
        wire_type, encoded = (
            5 if kind == "float32" else 1,
            [struct.pack(PACKED[kind], value) for value in values],
        )
    else:
        wire_type, encoded = 0, [varint(int(value)) for value in values]
    if packed:
        return field(number, b"".join(encoded))
    return b"".join(varint(number << 3 | wire_type) + one for one in encoded)


def tensor(
    kind: str,
    values: Sequence[float] = (),
    keys: Sequence[int] = (),
    shape: Sequence[int] = (),
    packed: bool = True,
) -> bytes:
    """A Float32Tensor, Float64Tensor or Int32Tensor."""
    parts = ((1, kind, values), (2, "keys", keys), (3, "shape", shape))
    return b"".join(numbers(*part, packed) for part in parts if len(part[2]))


def value(kind: str, values: Sequence[float] = (), **others: Sequence[int]) -> bytes:
    """A Value that holds a tensor."""
    return field(FIELDS[kind], tensor(kind, values, **others))


def entry(record_map: int, name: str, content: bytes) -> bytes:
    """An entry of a Record's map: 1 features, 2 label."""
    return field(record_map, field(1, name.encode()) + field(2, content))


def record(features: Mapping[str, bytes], labels: Mapping[str, bytes] | None = None) -> bytes:
    """A Record with these Values."""
    return b"".join(
        [entry(1, name, content) for name, content in features.items()]
        + [entry(2, name, content) for name, content in (labels or {}).items()]
    )
