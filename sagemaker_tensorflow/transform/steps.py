"""From chunks of records to payloads that the model can take, in the order of the input."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from sagemaker_tensorflow.transform.job_progress import JobProgress
from sagemaker_tensorflow.transform.object_failures import in_words_of_a_job
from sagemaker_tensorflow.transform.ordered_map import ordered_map
from sagemaker_tensorflow.transform.payloads import PayloadMaker
from sagemaker_tensorflow.transform.records import (
    Decoded,
    InputObject,
    Payload,
    RecordChunk,
    RecordFailure,
)


@dataclass(slots=True)
class Step:
    """A payload, or the end of an object: what passes the model.

    Attributes:
        payload: None for records that are in no payload, and for an object's end.
        failures: Records that are in no payload, which come before it.
        ended: Nothing of the object follows.
        failure: Why the object could not be read any further.
    """

    source: InputObject
    payload: Payload | None = None
    decoded: Decoded = field(default_factory=lambda: Decoded({}, ()))
    failures: list[RecordFailure] = field(default_factory=list)
    ended: bool = False
    failure: Exception | None = None


class StepMaker:
    """Cuts chunks into payloads. For one thread.

    Args:
        chunks: In the order of the objects.
        make_payloads: Makes the maker of an object's payloads.
        progress: Learns how much was read, and how long it took.
        compressed: The records say nothing about how much of the stored object was read.
    """

    def __init__(
        self,
        chunks: Iterable[RecordChunk],
        make_payloads: Callable[[], PayloadMaker],
        progress: JobProgress,
        compressed: bool,
    ) -> None:
        self._chunks = iter(chunks)
        self._make_payloads = make_payloads
        self._progress = progress
        self._compressed = compressed

    def __iter__(self) -> Iterator[list[Step]]:
        """Yields the steps of each chunk."""
        maker: PayloadMaker | None = None
        read = 0
        while (chunk := self._next()) is not None:
            if maker is None:
                maker, read = self._make_payloads(), 0
            read = self._note_read(chunk, read)
            yield list(_steps(maker, chunk))
            if chunk.ended:
                maker = None

    def _next(self) -> RecordChunk | None:
        begin = time.monotonic()
        try:
            return next(self._chunks, None)
        finally:
            self._progress.add_stage("read", time.monotonic() - begin)

    def _note_read(self, chunk: RecordChunk, before: int) -> int:
        size = chunk.object.size
        if chunk.ended:
            read = size
        elif self._compressed or not chunk.records:
            read = before
        else:
            read = min(size, chunk.offsets[-1] + len(chunk.records[-1]))
        self._progress.add_read(max(0, read - before))
        return read


def _steps(maker: PayloadMaker, chunk: RecordChunk) -> Iterator[Step]:
    cut = maker.add(chunk)
    failures = list(cut.failures)
    for payload in cut.payloads:
        before = [failure for failure in failures if failure.record < payload.first_record]
        failures = failures[len(before) :]
        yield Step(chunk.object, payload, failures=before)
    if failures or chunk.ended:
        failure = chunk.failure and in_words_of_a_job(chunk.failure, chunk.object)
        yield Step(chunk.object, failures=failures, ended=chunk.ended, failure=failure)


def decoded_steps(
    chunks_of_steps: Iterable[list[Step]],
    decode: Callable[[Payload], Decoded],
    is_lost: Callable[[InputObject], bool],
    progress: JobProgress,
    workers: int,
) -> Iterator[Step]:
    """Decodes the payloads of steps, a chunk's in one thread, several chunks at a time.

    Args:
        chunks_of_steps: What `StepMaker` gives.
        decode: Thread-safe.
        is_lost: Whether an object gets no result any more; its payloads are not decoded.
        progress: Learns how long it took.
        workers: Threads.
    """

    def decode_all(steps: list[Step]) -> list[Step]:
        begin = time.monotonic()
        for step in steps:
            if step.payload is not None and not is_lost(step.source):
                step.decoded = decode(step.payload)
        progress.add_stage("decode", time.monotonic() - begin)
        return steps

    for steps in ordered_map(decode_all, chunks_of_steps, workers, "smtf-decode"):
        yield from steps
