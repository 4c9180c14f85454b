"""An object that this process itself reads, such as a manifest: chunk by chunk, or by lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sagemaker_tensorflow.locations import LocalLocation, S3Location
from sagemaker_tensorflow.system_errors import translated_os_errors

if TYPE_CHECKING:
    from sagemaker_tensorflow.s3_session import BucketAddress, S3Session

# The first one is small, so that what it names is found early.
_FIRST_CHUNK_BYTES = 256 << 10
_CHUNK_BYTES = 8 << 20


@dataclass(frozen=True)
class S3Text:
    """An S3 object that was begun to be read.

    Attributes:
        address: Where its bucket is.
        chunks: Its bytes, asked for as they are taken, so that no connection is held in between.
    """

    address: BucketAddress
    chunks: Iterator[bytes]


def open_s3_text(session: S3Session, location: S3Location) -> S3Text:
    """Reads the beginning of an object.

    Raises:
        PipeModeDatasetException: It is not there, or cannot be read. Of `chunks` too; an object
            that was replaced meanwhile is a FailedPreconditionError.
    """
    first = session.read_range(location, 0, _FIRST_CHUNK_BYTES)

    def chunks() -> Iterator[bytes]:
        data, wanted, position = first.data, _FIRST_CHUNK_BYTES, 0
        while data:
            yield data
            position += len(data)
            if len(data) < wanted:
                return
            wanted = _CHUNK_BYTES
            data = session.read_range(location, position, wanted, first.etag).data

    return S3Text(first.address, chunks())


def read_local_text(location: LocalLocation) -> Iterator[bytes]:
    """Yields a file's bytes.

    Raises:
        PipeModeDatasetException: It is not there, or cannot be read.
    """
    with translated_os_errors(f"reading {location}"), location.path.open("rb") as file:
        while data := file.read(_CHUNK_BYTES):
            yield data


def split_lines(chunks: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    """Yields lines without their newline; the last one need not have one.

    A line that is longer than `max_bytes` is cut off there and is the last.
    """
    pending = b""
    for chunk in chunks:
        *whole, pending = (pending + chunk).split(b"\n")
        yield from whole
        if len(pending) > max_bytes:
            yield pending[: max_bytes + 1]
            return
    if pending:
        yield pending
