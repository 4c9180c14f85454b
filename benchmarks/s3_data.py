"""The objects that the S3 benchmarks read: files of TFRecords, on tmpfs where there is room."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nginx_server import MTIME

from sagemaker_tensorflow.records import RecordWriter

RECORD_BYTES = 128 << 10
_FRAMING_BYTES = 16  # length, its CRC, the payload's CRC


@dataclass(frozen=True)
class DataSet:
    """Objects of one size in a bucket of their own."""

    bucket: str
    objects: int
    object_bytes: int

    @property
    def bytes(self) -> int:
        """All objects together."""
        return self.objects * self.object_bytes

    @property
    def records(self) -> int:
        """All objects together."""
        return self.objects * len(_payload_sizes(self.object_bytes))

    @property
    def payload_bytes(self) -> int:
        """Of the records of all objects together."""
        return self.objects * sum(_payload_sizes(self.object_bytes))

    @property
    def names(self) -> list[str]:
        """The keys, in the order of a listing."""
        return [f"{index:06}.tfrecord" for index in range(self.objects)]


BIG = DataSet("big", 16, 64 << 20)
SMALL = DataSet("small", 2_000, 256 << 10)


@contextlib.contextmanager
def made(*data_sets: DataSet) -> Iterator[Path]:
    """Writes them into a temporary folder of buckets, which goes when the block ends."""
    need = sum(data.bytes for data in data_sets)
    directory = Path(tempfile.mkdtemp(dir=_place_for(need), prefix="smtf-bench-"))
    try:
        for data in data_sets:
            _write(data, directory / data.bucket)
        yield directory
    finally:
        shutil.rmtree(directory)


def _place_for(need: int) -> str | None:
    tmpfs = Path("/dev/shm")
    has_room = tmpfs.is_dir() and shutil.disk_usage(tmpfs).free > need + (1 << 30)
    return str(tmpfs) if has_room else None


def _payload_sizes(object_bytes: int) -> list[int]:
    """Of records that fill an object to its last byte; only the last one is another size."""
    full, rest = divmod(object_bytes, RECORD_BYTES + _FRAMING_BYTES)
    if 0 < rest < _FRAMING_BYTES:
        raise ValueError(f"{object_bytes} bytes cannot be filled: {rest} would be left over")
    return [RECORD_BYTES] * full + ([rest - _FRAMING_BYTES] if rest else [])


def _write(data: DataSet, folder: Path) -> None:
    folder.mkdir()
    content = random.Random(data.bucket).randbytes(4 << 20)
    begin = 0
    for key in data.names:
        path = folder / key
        with RecordWriter(path, "TFRecord") as writer:
            for size in _payload_sizes(data.object_bytes):
                begin = (begin + 97) % (len(content) - RECORD_BYTES)
                writer.write(content[begin : begin + size])
        if path.stat().st_size != data.object_bytes:
            raise ValueError(f"{path} has {path.stat().st_size} bytes, not {data.object_bytes}")
        os.utime(path, (MTIME, MTIME))
