"""The results of input objects: from a model's answers to what lies in the output."""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType

from sagemaker_tensorflow.errors import CorruptRecordError
from sagemaker_tensorflow.transform.error_file import ErrorFile
from sagemaker_tensorflow.transform.job_progress import JobProgress
from sagemaker_tensorflow.transform.ledger import Ledger, LedgerEntry
from sagemaker_tensorflow.transform.output_keys import output_name
from sagemaker_tensorflow.transform.output_store import OutputStore, OutputWriter
from sagemaker_tensorflow.transform.records import InputObject, RecordFailure

# A commit is a round trip or more, and small objects come by the thousand.
_COMMITTERS = 8
_COMMITS_AHEAD = 64


@dataclass(slots=True)
class _Open:
    """An object whose result is being made."""

    source: InputObject
    errors: ErrorFile
    writer: OutputWriter | None = None
    records: int = 0
    failed_records: int = 0
    failed: bool = False


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
        ledger: Ledger,
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
        self._pool = ThreadPoolExecutor(_COMMITTERS, thread_name_prefix="smtf-commit")
        self._room = threading.Semaphore(_COMMITS_AHEAD)
        self._failure: BaseException | None = None

    def __enter__(self) -> ObjectResults:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for unfinished in self._open.values():
            self._abort(unfinished)
        self._pool.shutdown(wait=True, cancel_futures=error is not None)
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
            errors = ErrorFile(self._store, source, source.index in self._stale_errors)
            result = self._open[source.index] = _Open(source, errors)
        if not result.failed:
            self._note_failures(result, piece)
        if not result.failed:
            self._write(result, piece)
        if piece.ended:
            if not result.failed:
                self._writer_of(result)  # an empty result is a result
                self._room.acquire()
            del self._open[source.index]
            if not result.failed:
                self._commit(result)

    def is_lost(self, source: InputObject) -> bool:
        """The object gets no result, so that more of it need not be computed. Any thread."""
        result = self._open.get(source.index)
        return result is not None and result.failed

    def _note_failures(self, result: _Open, piece: Piece) -> None:
        for failure in piece.failures:
            result.failed_records += 1
            self._progress.record_failed(result.source, _words(failure))
            if self._keep_good:
                result.errors.add(failure)
        if piece.failures and not self._keep_good:
            self._lose(result, _words(piece.failures[0]))
        elif piece.failure is not None and self._keep_good and _is_flaw(piece.failure):
            result.failed_records += 1
            self._progress.record_failed(result.source, str(piece.failure))
            result.errors.add_object(str(piece.failure))
        elif piece.failure is not None:
            self._lose(result, str(piece.failure))

    def _lose(self, result: _Open, reason: str) -> None:
        result.failed = True
        self._progress.object_failed(result.source, reason)
        self._abort(result)

    def _abort(self, result: _Open) -> None:
        if result.writer is not None:
            result.writer.abort()
        result.errors.abort()

    def _write(self, result: _Open, piece: Piece) -> None:
        result.records += piece.records
        self._progress.add_records(piece.records)
        if piece.body:
            self._writer_of(result).write(piece.body)
            self._progress.add_written(len(piece.body))

    def _writer_of(self, result: _Open) -> OutputWriter:
        if result.writer is None:
            result.writer = self._store.writer(output_name(result.source), self._content_type)
        return result.writer

    def _commit(self, result: _Open) -> None:
        committed = self._pool.submit(self._finish, result, self._writer_of(result))
        committed.add_done_callback(functools.partial(self._on_committed, result))

    def _finish(self, result: _Open, writer: OutputWriter) -> None:
        with self._progress.stage("upload"):
            result.errors.commit()
            stored = writer.commit()
        records = result.records + result.failed_records
        self._ledger.add(LedgerEntry.of(result.source, stored, records, result.failed_records))
        self._progress.object_done(result.source)

    def _on_committed(self, result: _Open, committed: Future[None]) -> None:
        self._room.release()
        failure = None if committed.cancelled() else committed.exception()
        if committed.cancelled() or failure is not None:
            self._abort(result)
        self._failure = self._failure or failure


def _words(failure: RecordFailure) -> str:
    return f"record {failure.record} at byte {failure.offset}: {failure.reason}"


def _is_flaw(failure: Exception) -> bool:
    """The object came as it is, but its records end in something that is none."""
    return isinstance(failure, CorruptRecordError)
