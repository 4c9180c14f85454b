"""The counters of a transform job, which its threads raise and its observers read."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sagemaker_tensorflow.transform.histogram import (
    BATCH_SIZE_BOUNDS,
    LATENCY_BOUNDS,
    Histogram,
    HistogramCounts,
)
from sagemaker_tensorflow.transform.records import InputObject

# In the order in which data passes them; others may be added by name.
STAGES = ("read", "decode", "infer", "encode", "upload")

# Enough for a chart. When there are more, every second one is dropped, and half as many are taken.
_MOST_SAMPLES = 600
_SAMPLE_SECONDS = 1.0
# An object with a million bad records has them in its errors file; here are the first causes.
REASONS_PER_OBJECT = 3
_MOST_FAILURES = 1000


@dataclass(frozen=True, slots=True)
class Sample:
    """Counters at one moment.

    Attributes:
        seconds: Since the job's start.
        records: Done.
        bytes_in: Read.
        bytes_out: Written.
        objects: Done or failed.
    """

    seconds: float
    records: int
    bytes_in: int
    bytes_out: int
    objects: int


@dataclass(frozen=True, slots=True)
class ObjectFailure:
    """What went wrong with an object.

    Attributes:
        name: `InputObject.relative`.
        uri: Of the input.
        failed: There is no result; otherwise only records are missing in it.
        failed_records: How many.
        reasons: The first few that differ.
    """

    name: str
    uri: str
    failed: bool
    failed_records: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class ProgressSnapshot:
    """All counters at one moment.

    Attributes:
        seconds: Since the start.
        objects: In the input; None while it is still listed.
        objects_done: Their result was written by this run.
        objects_skipped: Finished by an earlier run.
        objects_failed: Without a result.
        objects_with_errors: Failed, or done with records missing.
        bytes_expected: Sizes of the objects that were not skipped, and what has to be read again.
        records: With a result.
        records_failed: Without one.
        bytes_in: Read, as it is stored.
        bytes_out: Of results.
        retries: Calls of the model that were made again.
        stage_seconds: Time that threads spent in each stage, together.
        batch_sizes: Instances per call of the model.
        batch_seconds: Per call of the model.
        samples: Over time, evenly thinned.
        failures: The first of them.
    """

    seconds: float
    objects: int | None
    objects_done: int
    objects_skipped: int
    objects_failed: int
    objects_with_errors: int
    bytes_expected: int
    records: int
    records_failed: int
    bytes_in: int
    bytes_out: int
    retries: int
    stage_seconds: dict[str, float]
    batch_sizes: HistogramCounts
    batch_seconds: HistogramCounts
    samples: tuple[Sample, ...]
    failures: tuple[ObjectFailure, ...]

    @property
    def objects_ended(self) -> int:
        """Done, skipped or failed."""
        return self.objects_done + self.objects_skipped + self.objects_failed


class _Failing:
    def __init__(self, obj: InputObject) -> None:
        self.obj = obj
        self.failed = False
        self.records = 0
        self.reasons: list[str] = []

    def frozen(self) -> ObjectFailure:
        return ObjectFailure(
            self.obj.relative, self.obj.uri, self.failed, self.records, tuple(self.reasons)
        )


class JobProgress:
    """Counts from the moment that it is made. Thread-safe.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = clock()
        self._lock = threading.Lock()
        self._objects: int | None = None
        self._bytes_expected = 0
        self._done = self._skipped = self._failed = 0
        self._with_errors: set[int] = set()
        self._records = self._records_failed = self._retries = 0
        self._bytes_in = self._bytes_out = 0
        self._stages: dict[str, float] = defaultdict(float, dict.fromkeys(STAGES, 0.0))
        self._batch_sizes = Histogram(BATCH_SIZE_BOUNDS)
        self._batch_seconds = Histogram(LATENCY_BOUNDS)
        self._failing: dict[int, _Failing] = {}
        self._samples: list[Sample] = [Sample(0.0, 0, 0, 0, 0)]
        self._sample_seconds = _SAMPLE_SECONDS

    def expect(self, objects: int, size: int) -> None:
        """Says how much there is: all objects, and the bytes of those that are to be done."""
        with self._lock:
            self._objects = objects
            self._bytes_expected = size

    def expect_again(self, size: int) -> None:
        """Bytes that were read in vain, and will be read once more."""
        with self._lock:
            self._bytes_expected += size

    def skip_objects(self, count: int) -> None:
        """Objects that an earlier run has finished."""
        with self._lock:
            self._skipped += count

    def add_read(self, size: int) -> None:
        """Bytes of input that have come, as they are stored."""
        with self._lock:
            self._bytes_in += size

    def add_records(self, obj: InputObject, count: int) -> None:
        """Records of an object that have a result."""
        with self._lock:
            self._records += count

    def add_written(self, obj: InputObject, size: int) -> None:
        """Bytes of an object's result that were given to a writer."""
        with self._lock:
            self._bytes_out += size

    def add_retry(self) -> None:
        """A call of the model is made again."""
        with self._lock:
            self._retries += 1

    def add_batch(self, instances: int, seconds: float) -> None:
        """One call of the model."""
        with self._lock:
            self._batch_sizes.add(instances)
            self._batch_seconds.add(seconds)

    def add_stage(self, stage: str, seconds: float) -> None:
        """Time that one thread spent in a stage."""
        with self._lock:
            self._stages[stage] += seconds

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts the time of a block, however it ends."""
        begin = self._clock()
        try:
            yield
        finally:
            self.add_stage(name, self._clock() - begin)

    def record_failed(self, obj: InputObject, reason: str, records: int = 1) -> None:
        """A record that has no result, or several for one reason."""
        with self._lock:
            self._records_failed += records
            self._note(obj, reason, records)

    def object_done(self, obj: InputObject) -> None:
        """Its result is visible."""
        with self._lock:
            self._done += 1

    def object_failed(self, obj: InputObject, reason: str) -> None:
        """It gets no result."""
        with self._lock:
            self._failed += 1
            self._note(obj, reason, failed=True)

    def sample(self) -> None:
        """Notes a point of the curve over time, if the last one is old enough. Call it often."""
        with self._lock:
            now = self._now()
            if now.seconds - self._samples[-1].seconds < self._sample_seconds:
                return
            self._samples.append(now)
            if len(self._samples) > _MOST_SAMPLES:
                self._samples = self._samples[::2]
                self._sample_seconds *= 2

    def snapshot(self) -> ProgressSnapshot:
        """Everything as it is now; its last sample is of now."""
        with self._lock:
            now = self._now()
            return ProgressSnapshot(
                seconds=now.seconds,
                objects=self._objects,
                objects_done=self._done,
                objects_skipped=self._skipped,
                objects_failed=self._failed,
                objects_with_errors=len(self._with_errors),
                bytes_expected=self._bytes_expected,
                records=self._records,
                records_failed=self._records_failed,
                bytes_in=self._bytes_in,
                bytes_out=self._bytes_out,
                retries=self._retries,
                stage_seconds=dict(self._stages),
                batch_sizes=self._batch_sizes.counts(),
                batch_seconds=self._batch_seconds.counts(),
                samples=(*self._samples, now),
                failures=tuple(failing.frozen() for failing in self._failing.values()),
            )

    def _now(self) -> Sample:
        return Sample(
            self._clock() - self._start,
            self._records,
            self._bytes_in,
            self._bytes_out,
            self._done + self._failed,
        )

    def _note(self, obj: InputObject, reason: str, records: int = 0, failed: bool = False) -> None:
        self._with_errors.add(obj.index)
        failing = self._failing.get(obj.index)
        if failing is None:
            if len(self._failing) == _MOST_FAILURES:
                return
            failing = self._failing[obj.index] = _Failing(obj)
        failing.records += records
        failing.failed |= failed
        told = " ".join(reason.split())
        # The record's reason is the object's too, where a bad record costs its object.
        if len(failing.reasons) < REASONS_PER_OBJECT and told not in failing.reasons:
            failing.reasons.append(told)
