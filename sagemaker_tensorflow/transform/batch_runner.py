"""Runs one batch until every row of it has outputs, or a reason for having none."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from sagemaker_tensorflow.errors import DeadlineExceededError, UnavailableError
from sagemaker_tensorflow.transform.batch_sizes import BatchSizer
from sagemaker_tensorflow.transform.batches import Batch, OutputRowsError, Part, Slot
from sagemaker_tensorflow.transform.engine_stats import EngineStats
from sagemaker_tensorflow.transform.signatures import Signature
from sagemaker_tensorflow.transform.timed_calls import TimedCaller

Answers = list[tuple[Slot, Part]]

# Codes of google.rpc.Code, which TensorFlow's errors have in `error_code`.
_RESOURCE_EXHAUSTED = 8
# DEADLINE_EXCEEDED, ABORTED, UNAVAILABLE.
_PASSING = (4, 10, 14)
_FIRST_BACKOFF_SECONDS = 0.1
_LONGEST_BACKOFF_SECONDS = 5.0


class ReplicaSet(Protocol):
    """What an engine runs on; `replicas.Replicas` is one."""

    signature: Signature
    fixed_batch: int | None
    equal_batches: bool

    def __len__(self) -> int:
        """How many batches run at a time without sharing a device."""

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Runs one batch. Called by several threads."""


class BatchRunner:
    """Calls the model for one thread, with the retries and halvings that `Engine` describes."""

    def __init__(
        self,
        replicas: ReplicaSet,
        sizer: BatchSizer,
        stats: EngineStats,
        timeout_seconds: float,
        max_retries: int,
        stopped: threading.Event,
    ) -> None:
        """When `stopped` is set nothing is tried again."""
        self._replicas = replicas
        self._sizer = sizer
        self._stats = stats
        self._timeout = timeout_seconds
        self._max_retries = max_retries
        self._stopped = stopped
        self._caller = TimedCaller()

    def close(self) -> None:
        """Lets the thread of the calls end."""
        self._caller.close()

    def answers(self, batch: Batch) -> Answers:
        """Runs a batch until every row has outputs or a reason for having none."""
        error: Exception
        for tries in range(self._max_retries + 1):
            if tries:
                self._stats.add(retries=1)
                self._stopped.wait(_backoff_seconds(tries))
            try:
                return self._run(batch)
            except Exception as failure:  # what a model may raise is anything
                error = failure
            if self._stopped.is_set():
                break
            if _lacks_memory(error):
                if not self._replicas.fixed_batch:
                    self._sizer.exhausted(self._sent_rows(batch.rows))
                    if batch.rows > 1:
                        return self._halved(batch)
            elif not _may_pass(error):
                if batch.rows > 1 and not isinstance(error, OutputRowsError):
                    return self._halved(batch)
                break
        self._stats.add(failed_instances=batch.rows)
        return batch.failed(error)

    def _halved(self, batch: Batch) -> Answers:
        self._stats.add(halvings=1)
        return [part for half in batch.halves() for part in self.answers(half)]

    def _run(self, batch: Batch) -> Answers:
        started = time.perf_counter()
        sent = self._sent_rows(batch.rows)
        inputs = batch.inputs(sent)
        called = time.perf_counter()
        try:
            outputs = self._caller.call(lambda: self._replicas.run(inputs), self._timeout)
        except BaseException as error:
            abandoned = isinstance(error, DeadlineExceededError)
            self._stats.add(
                running_seconds=time.perf_counter() - called, abandoned_calls=int(abandoned)
            )
            raise
        seconds = time.perf_counter() - called
        answers = batch.answered(outputs, sent)
        self._stats.called(batch.rows, sent - batch.rows, seconds)
        self._sizer.measured(batch.rows, time.perf_counter() - started)
        return answers

    def _sent_rows(self, rows: int) -> int:
        """Rows of a batch with what it is padded by."""
        fixed = self._replicas.fixed_batch
        if fixed:
            return fixed
        return max(rows, self._sizer.size) if self._replicas.equal_batches else rows


def _lacks_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or _code(error) == _RESOURCE_EXHAUSTED


def _may_pass(error: Exception) -> bool:
    return isinstance(error, DeadlineExceededError | UnavailableError) or _code(error) in _PASSING


def _code(error: Exception) -> int | None:
    code = getattr(error, "error_code", None)
    return code if isinstance(code, int) else None


def _backoff_seconds(tries: int) -> float:
    return min(_LONGEST_BACKOFF_SECONDS, _FIRST_BACKOFF_SECONDS * 2.0 ** (tries - 1))
