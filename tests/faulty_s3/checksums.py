"""The checksums that S3 sends in x-amz-checksum-* headers, of whole objects.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
CRC-32 is zlib's; the others go byte by byte through a table, a few MB a second, and are for small
objects. They share no code with the project, which is what makes them a test of it.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable

# Reflected polynomials: Castagnoli (RFC 3720), and NVM Express's of 64 bits.
_POLYNOMIALS = {"crc32c": 0x82F63B78, "crc64nvme": 0x9A6C9329AC4BC9B5}
_BYTES = {"crc32": 4, "crc32c": 4, "crc64nvme": 8}

ALGORITHMS = tuple(_BYTES)


def _table(polynomial: int) -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (polynomial if value & 1 else 0)
        table.append(value)
    return table


_TABLES = {name: _table(polynomial) for name, polynomial in _POLYNOMIALS.items()}


def _extend(table: list[int], crc: int, data: memoryview) -> int:
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc


def checksum(algorithm: str, pieces: Iterable[memoryview]) -> int:
    """The checksum of the pieces one after the other."""
    if algorithm == "crc32":
        crc = 0
        for piece in pieces:
            crc = zlib.crc32(piece, crc)
        return crc
    ones = (1 << 8 * _BYTES[algorithm]) - 1
    crc = ones
    for piece in pieces:
        crc = _extend(_TABLES[algorithm], crc, piece)
    return crc ^ ones


def header(algorithm: str, value: int) -> tuple[str, str]:
    """Name and value of S3's header: the big-endian bytes in base64."""
    text = base64.b64encode(value.to_bytes(_BYTES[algorithm], "big")).decode()
    return f"x-amz-checksum-{algorithm}", text
