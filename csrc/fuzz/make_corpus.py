"""Writes the seed corpora of the fuzz targets: ``python csrc/fuzz/make_corpus.py``.

A seed of a record reader is four bytes of settings (fuzz_readers.h describes them) and a stream;
one of the parser of RecordIO-protobuf is a record. They are written out here byte by byte,
independently of the code under test.
"""

from __future__ import annotations

import struct
from pathlib import Path

MAGIC = struct.pack("<I", 0xCED7230A)


def settings(flags: int, chunks: int, max_record: int = 0, skip: int = 0) -> bytes:
    """The four bytes before a stream."""
    return bytes([flags, chunks, max_record, skip])


def masked_crc32c(data: bytes) -> bytes:
    """A TFRecord's CRC, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def tfrecord(payload: bytes) -> bytes:
    """One framed record."""
    length = struct.pack("<Q", len(payload))
    return length + masked_crc32c(length) + payload + masked_crc32c(payload)


def part(flag: int, payload: bytes) -> bytes:
    """One part of a RecordIO record."""
    header = MAGIC + struct.pack("<I", flag << 29 | len(payload))
    return header + payload + bytes(-len(payload) % 4)


def tfrecord_seeds() -> dict[str, bytes]:
    """Whole, damaged and cut streams, and lengths for the mode that rights the CRCs."""
    three = tfrecord(b"one") + tfrecord(b"") + tfrecord(b"x" * 300)
    damaged = bytearray(three)
    damaged[12] ^= 1
    uncounted = b"".join(struct.pack("<QI", size, 1) + bytes(size + 4) for size in (5, 0, 33, 200))
    return {
        "empty": settings(0, 0),
        "three": settings(0, 3) + three,
        "three_large_buffer": settings(7, 15) + three,
        "three_scattered": settings(8, 6) + three,
        "damaged_payload": settings(2, 2) + bytes(damaged),
        "damaged_payload_left_out": settings(2, 2, 0, 1) + bytes(damaged),
        "cut_in_header": settings(1, 1) + three[:25],
        "cut_in_payload": settings(1, 1) + three[:-9],
        "too_long": settings(3, 4, 1) + three,
        "absurd_length": settings(0, 4) + b"\xff" * 8 + masked_crc32c(b"\xff" * 8),
        "crcs_made_right": settings(16 + 4, 5) + uncounted,
        "crcs_made_right_but_some": settings(16 + 32 + 8, 5, 0, 1) + uncounted,
    }


def recordio_seeds() -> dict[str, bytes]:
    """Whole and multipart records, every bad order of flags, missing padding."""
    several = part(0, b"one") + part(1, b"abcd") + part(2, b"") + part(3, b"efghi") + part(0, b"")
    seeds = {
        "empty": settings(0, 0),
        "several": settings(0, 3) + several,
        "several_large_buffer": settings(7, 15) + several,
        "long_scattered": settings(8, 6) + part(0, b"x" * 700) + several,
        "no_padding": settings(2, 2) + part(0, b"a")[:-1],
        "cut_between_parts": settings(2, 2) + part(1, b"abcd"),
        "bad_magic": settings(2, 2) + several + b"\0" * 12,
        "too_long": settings(3, 4, 1) + part(1, b"x" * 40) + part(3, b"x" * 40),
        "unkept_promise": settings(0, 4) + MAGIC + struct.pack("<I", (1 << 29) - 1) + b"abc",
        "magics_placed": settings(16 + 4, 5) + bytes([1, 0, 0, 0, 9, 0, 0, 0]) * 6,
    }
    for name, flags in {
        "last_first": (3,),
        "two_firsts": (1, 1),
        "whole_in_middle": (1, 0),
    }.items():
        seeds[name] = settings(1, 2) + b"".join(part(flag, b"abcd") for flag in flags)
    return seeds


def text_line_seeds() -> dict[str, bytes]:
    """Line ends of every kind, around the ends of small buffers."""
    return {
        "empty": settings(0, 0),
        "lines": settings(0, 3) + b"one\ntwo\n\nthree",
        "carriage_returns": settings(16, 2) + b"one\r\ntwo\r\r\n\r\nthree\r",
        "carriage_returns_kept": settings(0, 2) + b"one\r\ntwo\r\r\n\r\nthree\r",
        "as_long_as_the_buffer": settings(16, 15) + b"x" * 15 + b"\r\n" + b"x" * 16 + b"\nx",
        "longer_than_the_buffer": settings(8, 6) + b"x" * 1000 + b"\n" + b"y" * 1000,
        "too_long": settings(3, 4, 1) + b"short\n" + b"x" * 65 + b"\nshort\n",
        "line_feeds": settings(7, 15) + b"\n" * 50,
    }


def varint(number: int) -> bytes:
    """A number as protocol buffers write it."""
    encoded = b""
    while number > 127:
        encoded += bytes([number & 127 | 128])
        number >>= 7
    return encoded + bytes([number])


def field(number: int, content: bytes) -> bytes:
    """A field of a protobuf message, with a number of one byte."""
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def record_protobuf_seeds() -> dict[str, bytes]:
    """Dense and sparse tensors of every kind, packed and not, in pieces, and cut."""

    def entry(record_map: int, value: bytes) -> bytes:
        return field(record_map, field(1, b"values") + field(2, value))

    floats = field(1, struct.pack("<3f", 1, 2, 3))
    keys, shape = field(2, b"\x02\x80\x01\x05"), field(3, b"\xac\x02")
    ints = field(1, b"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x80\x02")
    # Enough for the decoder of packed varints to take whole blocks.
    many = b"".join(b"\x80" * (i % 3) + bytes([i]) for i in range(54))
    # The same where none is longer than two bytes, with one that is behind them.
    short = b"".join(varint(37 * i % 256) for i in range(256)) + varint(1 << 20) + bytes(100)
    one_by_one = b"\x0d" + struct.pack("<f", 4) + b"\x10\x07\x18\x09"
    labelled = entry(1, field(2, floats)) + entry(2, field(7, field(1, b"\x07")))
    return {
        "empty": b"",
        "dense": labelled,
        "dense_float64": entry(1, field(3, field(1, struct.pack("<2d", 1, 2)))),
        "dense_int32": entry(1, field(7, ints)),
        "dense_int32_many": entry(1, field(7, field(1, many))),
        "dense_int32_short": entry(1, field(7, field(1, short))),
        "sparse": entry(1, field(2, floats + keys + shape)),
        "sparse_many_keys": entry(1, field(2, field(2, many))),
        "sparse_int32": entry(1, field(7, ints + keys)),
        "sparse_zeros": entry(1, field(2, shape)),
        "one_by_one": entry(1, field(2, one_by_one)),
        "in_pieces": entry(1, field(2, floats) + field(2, one_by_one)),
        "kinds_after_each_other": entry(1, field(2, floats) + field(9, b"") + field(7, ints)),
        "key_behind_value": field(1, field(2, field(2, floats)) + field(1, b"values")),
        "without_key": field(1, field(2, field(2, floats))),
        "other_fields": field(3, b"uid") + labelled + field(4, b"metadata") + b"\x78\x01",
        "cut": labelled[:-3],
        "group": b"\x0b\x0c",
    }


def main() -> None:
    """Writes every seed to a file of its own."""
    corpora = {
        "tfrecord": tfrecord_seeds(),
        "recordio": recordio_seeds(),
        "text_line": text_line_seeds(),
        "record_protobuf": record_protobuf_seeds(),
    }
    for target, seeds in corpora.items():
        folder = Path(__file__).parent / "corpus" / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, seed in seeds.items():
            (folder / name).write_bytes(seed)


if __name__ == "__main__":
    main()
