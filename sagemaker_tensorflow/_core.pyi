"""Record readers and encoders over the C++ core. Does not load TensorFlow."""

import os
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sagemaker_tensorflow.errors import CorruptRecordError, PipeModeDatasetException

BytesLike = bytes | bytearray | memoryview

class ReadableInto(Protocol):
    """A binary file that fills buffers, such as what ``open(path, "rb")`` returns."""

    def readinto(self, buffer: memoryview, /) -> int | None: ...

class Readable(Protocol):
    """A binary file that returns bytes."""

    def read(self, size: int, /) -> bytes: ...

Source = str | os.PathLike[str] | BytesLike | ReadableInto | Readable

class RecordReader:
    r"""An iterator over the records of one stream, and a context manager that closes it.

    Args:
        source: A path, bytes (referred to, not copied), or a binary file object, read through
            ``readinto1``, ``readinto`` or ``read`` and never closed.
        record_format: ``"RecordIO"``, ``"TFRecord"`` or ``"TextLine"``.
        max_record_bytes: A longer record is an error before anything is allocated for it.
        max_corrupted_records_to_skip: How many TFRecords in a row may fail the CRC of their payload
            and be left out; one more is an error.
        strip_carriage_return: TextLine: take a ``\r`` before the ``\n`` off.
        on_skipped: Called with the error of each record that is left out.
        buffer_bytes: Capacity of the buffer that records are cut from, 16 to 2**30.

    Raises:
        InvalidArgumentError: The format has another name, a number is out of its bounds, or the
            source is none of these.
        NotFoundError: There is no such file.
        PermissionDeniedError: It may not be read.
    """

    def __init__(
        self,
        source: Source,
        record_format: str,
        *,
        max_record_bytes: int = 1073741824,
        max_corrupted_records_to_skip: int = 0,
        strip_carriage_return: bool = False,
        on_skipped: Callable[[CorruptRecordError], object] | None = None,
        buffer_bytes: int = 262144,
    ) -> None: ...
    def __iter__(self) -> RecordReader: ...
    def __next__(self) -> bytes:
        """The next record. Releases the GIL while it waits for a path's bytes.

        Raises:
            CorruptRecordError: The stream is broken here. After a TFRecord's failed payload CRC the
                next call goes on behind it; after anything else the iteration is over.
            FailedPreconditionError: Another thread is reading, or the source raised before.
            InvalidArgumentError: The reader is closed.
        """
    def __enter__(self) -> RecordReader: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    def skip(self, count: int) -> int:
        """Moves past up to ``count`` records by their headers and returns how many there were.

        Payloads are not verified, so that a corrupted record counts as one.
        """
    def close(self) -> None:
        """Closes a path's file, lets go of bytes and of a file object. Idempotent."""
    @property
    def record_index(self) -> int:
        """Records passed so far, corrupted ones that were left out included."""
    @property
    def byte_offset(self) -> int:
        """Where in the stream the next record begins."""
    @property
    def corrupted_records(self) -> int:
        """Corrupted records that were left out so far."""

def encode_record(record_format: str, record: BytesLike) -> bytes:
    """Frames one record.

    Raises:
        InvalidArgumentError: A TextLine record holds a line feed, a RecordIO record has 2**29 bytes
            or more, or the format has another name.
    """

def crc32c(data: BytesLike, crc: int = 0) -> int:
    """The CRC-32C (RFC 3720) of the bytes whose CRC is ``crc``, followed by ``data``."""

def crc32c_implementations() -> list[str]:
    """Names of the implementations that this CPU can run; ``crc32c`` uses the first."""

def time_crc32c(implementation: str, data: bytes, repeats: int) -> float:
    """Seconds for ``repeats`` CRCs of ``data`` in C++; ``""`` times the one that is in use."""

def number_rows(
    columns: Sequence[tuple[str, NDArray[Any]]], after: str, *, brackets: bool = True
) -> bytes:
    """Rows of numbers as text, without the GIL.

    Args:
        columns: What stands before each entry, and the entries: contiguous arrays of booleans,
            integers, float32 or float64, all with as many entries.
        after: What a row ends with.
        brackets: Whether each dimension of an entry is in brackets, as JSON has arrays. The
            numbers of an entry are separated by commas either way.

    Returns:
        For each row what stands before each entry, the entry, and `after`. Floating-point numbers
        have as few digits as tell them from others of their type, laid out as ``repr(float)``;
        what is no number is ``NaN``, ``Infinity`` and ``-Infinity``; booleans are ``true`` and
        ``false``.

    Raises:
        InvalidArgumentError: There are no columns, they differ in length, or one is not contiguous
            or of another type.
    """

def doubles_of_same_text(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """The doubles that Python prints with the digits that tell float32 values from one another.

    ``0.1`` as float32 is 0.100000001490116... as double; what this gives for it is 0.1.
    """

class ObjectFiles:
    """Writes the objects that a prefetcher streams with their ends marked to files, in order.

    Objects are of any size, and none is ever held. Each is written to one partial file, which is
    renamed once it is complete. The partial file is removed when an exception ends the stream, and
    by `close`.

    Args:
        pipe_dir: Where the prefetcher's pipes are. The epoch that is read is noted there too.
        channel: The channel's name.
        partial_path: Of the file under way, on the file system of all others. Nothing may be there.
    """

    def __init__(self, pipe_dir: str, channel: str, partial_path: str | bytes) -> None: ...
    def write(self, path: str | bytes, most: int) -> tuple[int, bool] | None:
        """Writes up to `most` bytes more, without the GIL. None once all objects were written.

        Args:
            path: Of the object's file; looked at when the object begins. A file that is there is
                replaced.
            most: Bytes, at least 1.

        Returns:
            How many bytes were written, and whether the object is complete. The next call begins
            the next object then.

        Raises:
            CancelledError: `close` was called.
            UnavailableError: The prefetcher is gone.
            FailedPreconditionError: This raised before, or another thread is in it.
            PipeModeDatasetException: The object cannot be had, or its file not be written. What a
                signal's handler raises ends the stream as well.
        """
    def close(self) -> None:
        """Ends a `write` that another thread is in, and every later one. Idempotent."""

class ObjectRecords:
    """The records of the objects that a prefetcher streams with their ends marked, in order.

    What is wrong with an object ends that object only; the next follows.

    Args:
        pipe_dir: Where the prefetcher's pipes are. The epoch that is read is noted there too.
        channel: The channel's name.
        record_format: ``"RecordIO"``, ``"TFRecord"`` or ``"TextLine"``; None makes one record of
            each object.
        max_record_bytes: A longer record is an error of its object.
        chunk_records: `next` returns at most so many records.
        chunk_bytes: It returns what it has once that is so many bytes or more.

    Raises:
        InvalidArgumentError: The format has another name, or a number is out of its bounds.
    """

    def __init__(
        self,
        pipe_dir: str,
        channel: str,
        record_format: str | None = None,
        *,
        max_record_bytes: int = 1073741824,
        chunk_records: int = 1024,
        chunk_bytes: int = 8388608,
    ) -> None: ...
    def next(
        self,
    ) -> tuple[int, int, list[bytes], list[int], bool, PipeModeDatasetException | None] | None:
        """The next records of one object, without the GIL. None once all objects were read.

        Returns:
            Number of the object in the stream, number of the first record in its object, records,
            where each begins in its object (framing included, in bytes), whether the object ends
            with them, and why if it cannot be read any further.

        Raises:
            CancelledError: `close` was called.
            UnavailableError: The prefetcher is gone.
            FailedPreconditionError: This raised before, or another thread is in it.
            PipeModeDatasetException: What else is wrong with the stream. What a signal's handler
                raises ends it as well.
        """
    def next_in_memory(
        self,
    ) -> (
        tuple[
            int,
            int,
            tuple[NDArray[np.uint8], NDArray[np.int64]],
            list[int],
            bool,
            PipeModeDatasetException | None,
        ]
        | None
    ):
        """As `next`, without an object for each record.

        Returns:
            Instead of the list of records their bytes, one behind the other, and where the first of
            them begins in these and each ends.
        """
    def close(self) -> None:
        """Ends a `next` that another thread is in, and every later one. Idempotent."""
