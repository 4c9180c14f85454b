"""Runs payloads through a model in batches, and gives their results back in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterable
from typing import Any, TypeVar

import numpy as np

from sagemaker_tensorflow.errors import CancelledError, InvalidArgumentError
from sagemaker_tensorflow.transform.batch_queue import BatchQueue, QueueLimits
from sagemaker_tensorflow.transform.batch_runner import BatchRunner, ReplicaSet
from sagemaker_tensorflow.transform.batch_sizes import BatchSizer
from sagemaker_tensorflow.transform.batches import rows_of
from sagemaker_tensorflow.transform.engine_stats import EngineStats
from sagemaker_tensorflow.transform.records import Decoded, Outputs

__all__ = ["Engine", "ReplicaSet"]

_Tag = TypeVar("_Tag")

# Calls of one replica at a time: while one computes, the other's inputs are put together and
# copied to the device, and the outputs of the one before are copied back.
_CALLS_PER_REPLICA = 2
# A batch whose size the engine chooses holds no more than this, which is a hundred images of
# 800 x 800 pixels in float32.
_AUTO_BATCH_BYTES = 768 << 20
_JOIN_SECONDS = 5.0


class Engine:
    """Batches instances across payloads, runs them on replicas, and cuts results back.

    The source is read in a thread of the engine, the model is called in others, and the results
    are taken in the caller's: so decoding (in the source), inference and encoding (by the caller)
    overlap. What is read and not yet taken is bounded, so a slow caller stops the source.

    A call that fails is repeated, up to `max_retries` times, when the reason may pass: too little
    memory (with half the rows), an unavailable device, a timeout. After any other error the batch
    is cut in halves until the instances that cause it are alone; only they fail. Unless it gives
    up every row, a batch of n rows with one bad one costs about 2 log2 n calls more.

    A call that takes longer than `timeout_seconds` fails all of its instances when it has been
    repeated. Its thread cannot be ended: it goes on with the memory that it holds, and
    `EngineStats.abandoned_calls` tells how many did; they do not keep the process from ending.

    Attributes:
        stats: What was done so far.
        sizer: The batch size in use.
    """

    def __init__(
        self,
        replicas: ReplicaSet,
        batch_size: int = 0,
        timeout_seconds: float = 600,
        max_retries: int = 3,
        prefetch: int = 2,
    ) -> None:
        """Makes an engine; its threads live as long as a `run`.

        Args:
            replicas: The model.
            batch_size: Instances per call; 0 for the model's own where that is fixed, else to grow
                it while that pays (`BatchSizer`), up to 8192 instances or 768 MiB of inputs.
            timeout_seconds: Of one call of the model.
            max_retries: Of one call, after the first.
            prefetch: Batches that wait for each replica.

        Raises:
            InvalidArgumentError: A number is out of its range, or not what the model is fixed to.
        """
        fixed = replicas.fixed_batch
        if batch_size < 0 or timeout_seconds <= 0 or max_retries < 0 or prefetch < 1:
            raise InvalidArgumentError(
                f"batch_size={batch_size}, timeout_seconds={timeout_seconds}, "
                f"max_retries={max_retries}, prefetch={prefetch}: a batch size and retries may "
                "be 0, the timeout is more than 0 and prefetch at least 1"
            )
        if fixed and batch_size not in (0, fixed):
            raise InvalidArgumentError(
                f"batch_size={batch_size}: the model takes {fixed} instances per call and no other "
                "number; leave the batch size out"
            )
        self.stats = EngineStats()
        self.sizer = BatchSizer(fixed or batch_size)
        self._replicas = replicas
        self._timeout = timeout_seconds
        self._max_retries = max_retries
        self._workers = _CALLS_PER_REPLICA * len(replicas)
        self._limits = QueueLimits(
            ready_batches=prefetch * len(replicas),
            batches=(prefetch + _CALLS_PER_REPLICA) * len(replicas) + 2,
            batch_bytes=None if fixed or batch_size else _AUTO_BATCH_BYTES,
        )
        self._queues: list[BatchQueue] = []
        self._closed = threading.Event()

    def run(
        self, source: Iterable[tuple[_Tag, Decoded]]
    ) -> Generator[tuple[_Tag, Outputs | Exception], None, None]:
        """Yields each payload's tag and result, in the source's order.

        A result is the outputs, with an entry for each instance; `InstancesFailedError` with those
        of the good instances, when some failed; or another exception when all did. A payload
        without instances has outputs without entries. What the source raises is raised here,
        behind the results of what came before.

        The threads end when the iterator does or is closed; the one that reads the source as soon
        as the source gives or ends. A source with a ``close`` method is closed by that thread.

        Raises:
            CancelledError: The engine was closed.
        """
        if self._closed.is_set():
            raise CancelledError("the engine was closed")
        queue = BatchQueue(lambda: self.sizer.size, self._limits, self.stats)
        self._queues.append(queue)
        threads = [
            threading.Thread(target=self._read, args=(source, queue), name="smtf-engine-reader"),
            *(
                threading.Thread(target=self._serve, args=(queue,), name=f"smtf-engine-{number}")
                for number in range(self._workers)
            ),
        ]
        for thread in threads:
            thread.daemon = True  # one may be inside a source or a call that does not end
            thread.start()
        try:
            while (slot := queue.next_slot()) is not None:
                yield slot.tag, slot.result()
            if self._closed.is_set():
                raise CancelledError("the engine was closed")
        finally:
            queue.stop()
            self._queues.remove(queue)
            until = time.monotonic() + _JOIN_SECONDS
            for thread in threads[1:]:
                thread.join(max(0.0, until - time.monotonic()))

    def close(self) -> None:
        """Ends the threads of every `run` that is under way. Idempotent."""
        self._closed.set()
        for queue in list(self._queues):
            queue.stop()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # The thread that reads.

    def _read(self, source: Iterable[tuple[Any, Decoded]], queue: BatchQueue) -> None:
        try:
            for tag, decoded in source:
                self._add(tag, decoded, queue)
            queue.end()
        except BaseException as error:  # it belongs to the caller of run()
            queue.end(error)
        finally:
            close = getattr(source, "close", None)
            if close is not None:
                close()

    def _add(self, tag: Any, decoded: Decoded, queue: BatchQueue) -> None:
        if not decoded.instances:
            queue.add_answered(tag, self._no_outputs(), len(decoded.counts))
            return
        try:
            rows = rows_of(decoded.inputs)
            if rows != decoded.instances:
                raise InvalidArgumentError(
                    f"a payload of {decoded.instances} instances has arrays of {rows}"
                )
        except InvalidArgumentError as error:
            queue.add_answered(tag, error, len(decoded.counts))
        else:
            queue.add(tag, decoded.inputs, rows)

    def _no_outputs(self) -> Outputs:
        return {
            spec.name: np.empty(
                (0, *(size or 0 for size in spec.instance_shape or ())), spec.array_dtype
            )
            for spec in self._replicas.signature.outputs
        }

    # The threads that call the model.

    def _serve(self, queue: BatchQueue) -> None:
        runner = BatchRunner(
            self._replicas, self.sizer, self.stats, self._timeout, self._max_retries, queue.stopped
        )
        try:
            while (batch := queue.take()) is not None:
                queue.answer(runner.answers(batch))
        except BaseException as error:  # a fault of this code, or the interpreter's end
            queue.stop(error)
        finally:
            runner.close()
