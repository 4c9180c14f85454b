"""What an actor tells its driver: what ended since it was asked last, and what work that was.

Records and results are told when their object has ended, and never before: of an object whose actor
dies nothing is counted, because it is done again by another.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from sagemaker_tensorflow.errors import (
    PipeModeDatasetException,
    error_of_kind,
    kind_of_error,
)
from sagemaker_tensorflow.transform.coming_objects import Waiting
from sagemaker_tensorflow.transform.job_progress import REASONS_PER_OBJECT, JobProgress
from sagemaker_tensorflow.transform.ledger import LedgerEntry
from sagemaker_tensorflow.transform.object_end import ObjectEnd
from sagemaker_tensorflow.transform.records import InputObject

# What ends within it is told together: a report costs about a millisecond.
_GATHER_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Failure:
    """An error of this package, in words: exceptions lose their attributes between processes.

    Attributes:
        kind: As in `errors.error_of_kind`.
        message: Of the error.
    """

    kind: str
    message: str

    @classmethod
    def of(cls, error: PipeModeDatasetException) -> Failure:
        """Of an error."""
        return cls(kind_of_error(error), str(error))

    def error(self, node: str) -> PipeModeDatasetException:
        """The same error, with where it happened."""
        return error_of_kind(self.kind, f"{self.message} (on {node})")


@dataclass(frozen=True, slots=True)
class LogLine:
    """What a logger of this package was given."""

    logger: str
    level: int
    text: str


@dataclass(slots=True)
class Report:
    """What happened since the report before.

    Attributes:
        ends: Objects that nothing is left to do for.
        given_back: Indices of objects that the actor has not begun with and will not.
        waiting: What it has not begun with.
        read_bytes: Of input.
        retries: Calls of the model that were made again.
        stage_seconds: Time that threads spent in each stage.
        batches: Instances and seconds of each call of the model.
        log: Lines of the package's log.
        failure: What keeps the actor from going on.
    """

    ends: list[ObjectEnd] = field(default_factory=list)
    given_back: list[int] = field(default_factory=list)
    waiting: Waiting = Waiting()  # noqa: RUF009 - frozen
    read_bytes: int = 0
    retries: int = 0
    stage_seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    batches: list[tuple[int, float]] = field(default_factory=list)
    log: list[LogLine] = field(default_factory=list)
    failure: Failure | None = None

    def count_work(self, progress: JobProgress) -> None:
        """Counts the work, but not what came of it (`ObjectEnd.count`)."""
        progress.add_read(self.read_bytes)
        for _ in range(self.retries):
            progress.add_retry()
        for stage, seconds in self.stage_seconds.items():
            progress.add_stage(stage, seconds)
        for instances, seconds in self.batches:
            progress.add_batch(instances, seconds)


@dataclass(slots=True)
class _UnderWay:
    """An object that has not ended."""

    records: int = 0
    written: int = 0
    failed_records: int = 0
    reasons: list[str] = field(default_factory=list)
    entry: LedgerEntry | None = None


class Reporter(JobProgress):
    """Counters that are told to somebody else, and the ledger that goes with them. Thread-safe.

    Args:
        on_end: Called with each object that has ended, by the thread that says so.
    """

    def __init__(self, on_end: Callable[[InputObject], None]) -> None:
        super().__init__()
        self._on_end = on_end
        self._news = threading.Condition()
        self._report = Report()
        self._under_way: dict[str, _UnderWay] = defaultdict(_UnderWay)  # by URI

    def take(self, seconds: float) -> Report:
        """What there is to tell; waits so long at most until something has ended."""
        with self._news:
            self._news.wait_for(self._has_news, seconds)
        time.sleep(_GATHER_SECONDS)
        with self._news:
            taken, self._report = self._report, Report(failure=self._report.failure)
            return taken

    def fail(self, failure: Failure) -> None:
        """Nothing more will end."""
        with self._news:
            self._report.failure = self._report.failure or failure
            self._news.notify_all()

    def log(self, line: LogLine) -> None:
        """A line of the log."""
        with self._news:
            self._report.log.append(line)

    def add(self, entry: LedgerEntry) -> None:
        """What a ledger gets when a result was committed; `object_done` follows."""
        with self._news:
            self._under_way[entry.uri].entry = entry

    # As a job's progress.

    def add_read(self, size: int) -> None:
        """See `JobProgress`, as for all of these."""
        with self._news:
            self._report.read_bytes += size

    def add_retry(self) -> None:
        """A call of the model is made again."""
        with self._news:
            self._report.retries += 1

    def add_batch(self, instances: int, seconds: float) -> None:
        """One call of the model."""
        with self._news:
            self._report.batches.append((instances, seconds))

    def add_stage(self, stage: str, seconds: float) -> None:
        """Time that one thread spent in a stage."""
        with self._news:
            self._report.stage_seconds[stage] += seconds

    def add_records(self, obj: InputObject, count: int) -> None:
        """Records of an object that have a result."""
        with self._news:
            self._under_way[obj.uri].records += count

    def add_written(self, obj: InputObject, size: int) -> None:
        """Bytes of an object's result that were given to a writer."""
        with self._news:
            self._under_way[obj.uri].written += size

    def record_failed(self, obj: InputObject, reason: str, records: int = 1) -> None:
        """A record that has no result, or several for one reason."""
        with self._news:
            found = self._under_way[obj.uri]
            found.failed_records += records
            if len(found.reasons) < REASONS_PER_OBJECT and reason not in found.reasons:
                found.reasons.append(reason)

    def object_done(self, obj: InputObject) -> None:
        """Its result is visible."""
        self._end(obj, "")

    def object_failed(self, obj: InputObject, reason: str) -> None:
        """It gets no result."""
        self._end(obj, reason)

    def _end(self, obj: InputObject, failure: str) -> None:
        self._on_end(obj)
        with self._news:
            found = self._under_way.pop(obj.uri, _UnderWay())
            self._report.ends.append(
                ObjectEnd(
                    obj.index,
                    found.entry,
                    failure,
                    found.records,
                    found.written,
                    found.failed_records,
                    tuple(found.reasons),
                )
            )
            self._news.notify_all()

    def _has_news(self) -> bool:
        return bool(self._report.ends) or self._report.failure is not None
