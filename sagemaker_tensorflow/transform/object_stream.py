"""The records of many objects, one object after the other, fetched ahead by a prefetcher.

The objects come through a named pipe in which their ends are marked (csrc/framing/object_frames.h)
from a process of its own, and are cut into records by the readers of `sagemaker_tensorflow.records`
without the GIL.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from types import TracebackType

from sagemaker_tensorflow import _core
from sagemaker_tensorflow.channel_stats import ChannelStats
from sagemaker_tensorflow.errors import (
    CancelledError,
    CorruptRecordError,
    FailedPreconditionError,
    InvalidArgumentError,
    PipeModeDatasetException,
    UnavailableError,
)
from sagemaker_tensorflow.listing import ListedObject
from sagemaker_tensorflow.locations import S3Location, parse_location
from sagemaker_tensorflow.object_feed import ObjectFeed
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.process_handle import ProcessHandle
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.transform.coming_objects import ComingObjects
from sagemaker_tensorflow.transform.input_list import InputList
from sagemaker_tensorflow.transform.packed_strings import PackedStrings
from sagemaker_tensorflow.transform.records import InputObject, RecordChunk

_log = logging.getLogger(__name__)

_FORMATS = {"None": None, "Line": "TextLine", "RecordIO": "RecordIO", "TFRecord": "TFRecord"}

# So many objects that cannot be had because of the server or the credentials, one behind the other,
# are not a matter of those objects. Each of them was retried for `retry_seconds`.
_IN_A_ROW = 3
# S3's codes, as the engine quotes them, that would be the same for every object.
_OF_ALL_OBJECTS = re.compile(
    r": 40\d (ExpiredToken|InvalidToken|TokenRefreshRequired|InvalidAccessKeyId|"
    r"SignatureDoesNotMatch|RequestTimeTooSkewed|NoSuchBucket|AllAccessDisabled)\b"
)


_Found = tuple[int, int, Sequence[bytes], list[int], bool, PipeModeDatasetException | None]


class ObjectStream(Iterator[RecordChunk]):
    """Iterates over the records of objects, in the objects' order, chunk by chunk.

    >>> with ObjectStream(objects, split_type="TFRecord") as stream:
    ...     for chunk in stream:
    ...         ...

    An object that cannot be had or read to its end (it is gone, was replaced since it was listed,
    is not gzip, holds a corrupt record) ends with a chunk whose `failure` says why, which names the
    object, and the next object follows. Each object ends with exactly one chunk that is `ended`;
    that one may be without records. With split type None an object is one record, also an object
    without bytes; with the others an object without bytes has no records.

    `close` may be called by any thread, everything else by one at a time.

    Args:
        objects: Of one bucket, or local files. Their sizes and ETags are believed until S3, or the
            file, says something else; then the object has failed. One that was listed without bytes
            is not asked for again.
        split_type: ``"None"``, ``"Line"``, ``"RecordIO"`` or ``"TFRecord"``.
        gunzip: Decompress every object.
        max_record_bytes: A longer record, or whole object, is a failure of its object.
        config: The prefetcher's numbers.
        s3_options: How to reach S3.
        chunk_records: A chunk has at most so many records.
        chunk_bytes: A chunk takes no more records once it has so many bytes.
        packed: Records come as `PackedStrings`, else as lists.
        process: A prefetcher's that waits for its orders; None to start one.

    Raises:
        InvalidArgumentError: The split type is none, the objects are of several buckets, or a
            number is out of its bounds.
    """

    def __init__(
        self,
        objects: Sequence[InputObject],
        *,
        split_type: str = "None",
        gunzip: bool = False,
        max_record_bytes: int = 1 << 30,
        config: PrefetchConfig | None = None,
        s3_options: S3Options | None = None,
        chunk_records: int = 1024,
        chunk_bytes: int = 8 << 20,
        packed: bool = False,
        process: ProcessHandle | None = None,
    ) -> None:
        if split_type not in _FORMATS:
            raise InvalidArgumentError(
                f"split_type={split_type!r} is not allowed: give {' or '.join(_FORMATS)}"
            )
        self._objects = objects
        self._split_type = split_type
        self._gunzip = gunzip
        self._max_record_bytes = max_record_bytes
        self._config = config or PrefetchConfig()
        self._s3_options = s3_options or S3Options()
        self._chunk_records = chunk_records
        self._chunk_bytes = chunk_bytes
        self._packed = packed
        self._process = process
        self._feed: ObjectFeed | None = None
        self._records: _core.ObjectRecords | None = None
        self._chunks: Iterator[RecordChunk] | None = None
        self._ended = 0

    def start(self) -> None:
        """Starts the prefetcher; the first object is being fetched when this returns.

        Raises:
            PermissionDeniedError: There are no credentials.
            UnavailableError: S3 cannot be reached.
            PipeModeDatasetException: What else keeps the prefetcher from starting.
        """
        if self._chunks is not None:
            raise FailedPreconditionError("an ObjectStream is started once; make another")
        self._chunks = iter(())
        if not self._objects:
            return
        bucket = _bucket_of(self._objects[0])
        self._feed = ObjectFeed(
            _listed(self._objects, bucket),
            bucket,
            gunzip=self._gunzip,
            s3_options=self._s3_options,
            config=self._config,
            on_failure=self._close_records,
            as_they_come=isinstance(self._objects, ComingObjects),
            process=self._process,
        )
        self._feed.start()
        try:
            self._begin(self._feed)
        except BaseException:
            self.close()
            raise

    def _begin(self, feed: ObjectFeed) -> None:
        self._records = _core.ObjectRecords(
            feed.pipe_dir,
            feed.channel,
            _FORMATS[self._split_type],
            max_record_bytes=self._max_record_bytes,
            chunk_records=self._chunk_records,
            chunk_bytes=self._chunk_bytes,
        )
        self._chunks = self._read(self._records)
        if feed.failure is not None:
            self._records.close()  # it failed before there was anything to close

    def _close_records(self) -> None:
        if self._records is not None:
            self._records.close()

    def close(self) -> None:
        """Ends the prefetcher, and an iteration that another thread is in. Idempotent."""
        if isinstance(self._objects, ComingObjects):
            self._objects.cancel(CancelledError("the stream was closed"))
        self._close_records()
        if self._feed is not None:
            self._feed.close()

    def __enter__(self) -> ObjectStream:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def stats(self) -> ChannelStats | None:
        """The prefetcher's counters; None while there is none, or where it does not answer."""
        return None if self._feed is None else self._feed.stats()

    def __next__(self) -> RecordChunk:
        """The next records.

        Raises:
            UnavailableError: The prefetcher is gone, or S3 is: several objects in a row could not
                be had.
            PermissionDeniedError: S3 refused the credentials for several objects in a row.
            CancelledError: `close` was called.
        """
        if self._chunks is None:
            raise FailedPreconditionError("an ObjectStream is to be started, by `with` or `start`")
        try:
            return next(self._chunks)
        except CancelledError:
            if self._feed is not None and self._feed.failure is not None:
                raise self._feed.failure from None
            raise

    def _read(self, records: _core.ObjectRecords) -> Iterator[RecordChunk]:
        # Failures that may turn out not to be of one object.
        withheld: list[RecordChunk] = []
        while (found := self._next_of(records)) is not None:
            number, first_record, payloads, offsets, ended, failure = found
            self._ended = number + ended
            source = self._objects[number]
            named = None if failure is None else _naming(source, number, failure)
            chunk = RecordChunk(source, first_record, payloads, offsets, ended, named)
            if named is not None and _may_be_of_all(named):
                withheld.append(chunk)
                _check_row(withheld, named)
                continue
            yield from withheld
            withheld.clear()
            yield chunk
        if self._feed is not None:
            self._feed.ask_to_end()  # while what was read is still under way
        yield from withheld

    def _next_of(self, records: _core.ObjectRecords) -> _Found | None:
        try:
            return self._found_by(records)
        except UnavailableError as error:
            if not self._is_over():
                raise
            # For want of room, say: its directory is in memory, which others fill too.
            _log.warning("every object was read, but the prefetcher did not end well: %s", error)
            return None

    def _is_over(self) -> bool:
        """The last object's end has come; each says how it ends."""
        objects = self._objects
        complete = objects.complete if isinstance(objects, ComingObjects) else True
        return complete and self._ended == len(objects)

    def _found_by(self, records: _core.ObjectRecords) -> _Found | None:
        if not self._packed:
            return records.next()
        found = records.next_in_memory()
        if found is None:
            return None
        number, first_record, piece, offsets, ended, failure = found
        return number, first_record, PackedStrings([piece]), offsets, ended, failure


def _bucket_of(source: InputObject) -> str | None:
    location = parse_location(source.uri)
    return location.bucket if isinstance(location, S3Location) else None


def _listed(objects: Sequence[InputObject], bucket: str | None) -> Iterator[ListedObject]:
    if isinstance(objects, InputList):  # which is of one place
        yield from objects.listed()
        return
    head = "file://" if bucket is None else f"s3://{bucket}/"
    for source in objects:
        if not source.uri.startswith(head) or (bucket is None and source.name[:1] != "/"):
            raise InvalidArgumentError(
                f"{source.uri} does not begin with {head}, as the first object does: objects of "
                "one stream are of one bucket, or local files"
            )
        yield source.name, source.size, source.etag


def _naming(
    source: InputObject, number: int, failure: PipeModeDatasetException
) -> PipeModeDatasetException:
    """What the engine says of objects that it only counts, with the object's name."""
    if not isinstance(failure, CorruptRecordError):
        return failure  # the prefetcher's own, which knows names
    named = CorruptRecordError(f"{source.uri}: {str(failure).removeprefix(f'object {number}: ')}")
    named.record_index, named.byte_offset = failure.record_index, failure.byte_offset
    return named


def _may_be_of_all(failure: PipeModeDatasetException) -> bool:
    return isinstance(failure, UnavailableError) or bool(_OF_ALL_OBJECTS.search(str(failure)))


def _check_row(withheld: list[RecordChunk], last: PipeModeDatasetException) -> None:
    if len(withheld) == _IN_A_ROW:
        raise type(last)(f"{_IN_A_ROW} objects in a row could not be read, the last one: {last}")
