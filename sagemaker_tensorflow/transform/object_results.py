"""The results of input objects: from a model's answers to what lies in the output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol

from sagemaker_tensorflow.errors import CorruptRecordError
from sagemaker_tensorflow.transform.commit_threads import CommitThreads
from sagemaker_tensorflow.transform.error_file import ErrorFile
from sagemaker_tensorflow.transform.job_progress import JobProgress
from sagemaker_tensorflow.transform.ledger import LedgerEntry
from sagemaker_tensorflow.transform.object_end import ObjectEnd
from sagemaker_tensorflow.transform.output_keys import output_name
from sagemaker_tensorflow.transform.output_store import (
    OutputStore,
    OutputWriter,
    StoredObject,
)
from sagemaker_tensorflow.transform.records import InputObject, RecordFailure

# Small objects come by the thousand. In S3 a commit is a round trip or more; with 8 parts of large
# results, the ledger and the record these are the 20 that `s3_session` keeps connections for.
_S3_COMMITS = 10
# At each system call a thread may lose the interpreter to another, or wait for a file system in a
# network: beside a busy thread a result took 1.2 ms with one thread, 0.9 with two, 0.6 with eight.
_FILE_COMMITS = 8
_FILES_AT_ONCE = 16
_COMMITS_AHEAD = 64
# A result is held until it is complete, and written at once, up to so many bytes.
_MOST_HELD_BYTES = 64 << 10


@dataclass(slots=True)
class _Open:
    """An object whose result is being made."""

    source: InputObject
    held: list[bytes] = field(default_factory=list)
    held_bytes: int = 0
    writer: OutputWriter | None = None
    errors: ErrorFile | None = None
    records: int = 0
    failed_records: int = 0
    failed: bool = False

    def take_held(self) -> bytes:
        """The bytes that no writer has yet."""
        data = self.held[0] if len(self.held) == 1 else b"".join(self.held)
        self.held, self.held_bytes = [], 0
        return data


@dataclass(slots=True)
class Piece:
    """What one payload, or a part of an object that gave none, adds to the object's result.

    Attributes:
        body: Bytes of the result.
        records: How many records have their result in it.
        failures: Records that have none, in their order.
        ended: Nothing follows.
        failure: Why the object could not be read any further.
    """

    body: bytes = b""
    records: int = 0
    failures: Sequence[RecordFailure] = field(default=())
    ended: bool = False
    failure: Exception | None = None


class FinishedObjects(Protocol):
    """Who wants to know of each result that was committed; `ledger.Ledger` is one. Thread-safe."""

    def add(self, entry: LedgerEntry) -> None:
        """Notes a finished object."""


class ObjectResults:
    """Writes results, and keeps count of what has none. A context manager.

    One thread calls `add`, for each object's pieces in their order; results are committed by other
    threads. What cannot be written ends the job: `add` and the end of the block raise it. Leaving
    the block with an error takes back what was not committed.

    Args:
        store: Where results go.
        ledger: Learns of each result that is there.
        progress: The job's counters.
        keep_good: A bad record costs only itself, and not its object.
        content_type: Of the results.
        stale_errors: Objects of which an earlier run left a file of errors.
    """

    def __init__(
        self,
        store: OutputStore,
        ledger: FinishedObjects,
        progress: JobProgress,
        *,
        keep_good: bool,
        content_type: str,
        stale_errors: set[int],
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._progress = progress
        self._keep_good = keep_good
        self._content_type = content_type
        self._stale_errors = stale_errors
        self._open: dict[int, _Open] = {}
        self._threads = CommitThreads(
            self._commit,
            threads=_S3_COMMITS if store.folder is None else _FILE_COMMITS,
            at_once=1 if store.folder is None else _FILES_AT_ONCE,
            ahead=_COMMITS_AHEAD,
        )
        self._failure: BaseException | None = None

    def __enter__(self) -> ObjectResults:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        dropped = self._threads.end(drop=error is not None)
        for unfinished in (*self._open.values(), *dropped):
            self._abort(unfinished)
        if error is None and self._failure is not None:
            raise self._failure

    def add(self, source: InputObject, piece: Piece) -> None:
        """Takes the next piece of an object's result.

        Raises:
            PipeModeDatasetException: A result, of this or of an earlier object, cannot be written.
        """
        if self._failure is not None:
            raise self._failure
        result = self._open.get(source.index)
        if result is None:
            result = self._open[source.index] = _Open(source)
        if not result.failed:
            self._note_failures(result, piece)
        if not result.failed:
            self._write(result, piece)
        if piece.ended:
            if not result.failed:
                self._threads.wait_for_room()
            del self._open[source.index]
            if not result.failed:
                self._threads.put(result)

    def add_end(self, source: InputObject, end: ObjectEnd) -> None:
        """Takes what another process made of a whole object: its result is there, if it gets one.

        Raises:
            FailedPreconditionError: Another run of the job took over.
        """
        self._store.check_lease()
        if end.entry is not None:
            self._ledger.add(end.entry)
        end.count(self._progress, source)

    def has_stale_errors(self, source: InputObject) -> bool:
        """An earlier run left a file of errors."""
        return source.index in self._stale_errors

    def clean_left_overs(self) -> None:
        """Removes what processes that died left half-written, while no other one writes."""
        self._store.clean_left_overs()

    def is_lost(self, source: InputObject) -> bool:
        """The object gets no result, so that more of it need not be computed. Any thread."""
        result = self._open.get(source.index)
        return result is not None and result.failed

    def _note_failures(self, result: _Open, piece: Piece) -> None:
        for failure in piece.failures:
            result.failed_records += 1
            self._progress.record_failed(result.source, _words(failure))
            if self._keep_good:
                self._errors_of(result).add(failure)
        if piece.failures and not self._keep_good:
            self._lose(result, _words(piece.failures[0]))
        elif piece.failure is not None and self._keep_good and _is_flaw(piece.failure):
            result.failed_records += 1
            self._progress.record_failed(result.source, str(piece.failure))
            self._errors_of(result).add_object(str(piece.failure))
        elif piece.failure is not None:
            self._lose(result, str(piece.failure))

    def _lose(self, result: _Open, reason: str) -> None:
        result.failed = True
        self._progress.object_failed(result.source, reason)
        self._abort(result)

    def _write(self, result: _Open, piece: Piece) -> None:
        result.records += piece.records
        self._progress.add_records(result.source, piece.records)
        if piece.body:
            self._hold(result, piece.body)
            self._progress.add_written(result.source, len(piece.body))

    def _hold(self, result: _Open, body: bytes) -> None:
        result.held.append(body)
        result.held_bytes += len(body)
        if result.writer is None and result.held_bytes > _MOST_HELD_BYTES:
            result.writer = self._store.writer(output_name(result.source), self._content_type)
        if result.writer is not None:
            result.writer.write(result.take_held())

    def _errors_of(self, result: _Open) -> ErrorFile:
        if result.errors is None:
            stale = result.source.index in self._stale_errors
            result.errors = ErrorFile(self._store, result.source, stale)
        return result.errors

    def _abort(self, result: _Open) -> None:
        if result.writer is not None:
            result.writer.abort()
        if result.errors is not None:
            result.errors.abort()

    # The threads that commit.

    def _commit(self, result: _Open) -> None:
        try:
            with self._progress.stage("upload"):
                if result.errors is not None or result.source.index in self._stale_errors:
                    self._errors_of(result).commit()
                stored = self._stored(result)
            records = result.records + result.failed_records
            self._ledger.add(LedgerEntry.of(result.source, stored, records, result.failed_records))
            self._progress.object_done(result.source)
        except BaseException as error:  # it belongs to the thread that adds
            self._abort(result)
            self._failure = self._failure or error

    def _stored(self, result: _Open) -> StoredObject:
        if result.writer is not None:
            return result.writer.commit()
        name = output_name(result.source)
        return self._store.write_small(name, result.take_held(), self._content_type)


def _words(failure: RecordFailure) -> str:
    return f"record {failure.record} at byte {failure.offset}: {failure.reason}"


def _is_flaw(failure: Exception) -> bool:
    """The object came as it is, but its records end in something that is none."""
    return isinstance(failure, CorruptRecordError)
