"""Payloads on their way to the model, and their results on the way back, in order."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sagemaker_tensorflow.errors import CancelledError
from sagemaker_tensorflow.transform.batches import (
    Arrays,
    Batch,
    Layout,
    Part,
    Piece,
    Slot,
    bytes_of,
    layout_of,
)
from sagemaker_tensorflow.transform.engine_stats import EngineStats
from sagemaker_tensorflow.transform.records import Outputs

# When no call has been under way for this long, a batch is taken that is not full. It keeps results
# coming from a slow source, and ends the wait of a source that wants results before it gives more.
LINGER_SECONDS = 0.1
# Payloads may always be read up to this many, so that the next is there when one ends; with
# payloads of SageMaker's largest size, 100 MiB, that is also what bounds memory.
_LEAST_PAYLOADS = 3


@dataclass(frozen=True)
class QueueLimits:
    """What bounds the memory of a `BatchQueue`.

    Attributes:
        ready_batches: Batches that wait for a replica.
        batches: Batches whose results were not taken, those included.
        batch_bytes: Of one batch's inputs; one row may be larger. None for any number.
        payload_bytes: Of all payloads whose results were not taken.
    """

    ready_batches: int
    batches: int
    batch_bytes: int | None
    payload_bytes: int = 1 << 30


class BatchQueue:
    """A monitor between one reader, the replicas' threads and one consumer.

    The reader `add`s payloads and is held when it is too far ahead; the replicas' threads `take`
    batches and `answer` them; the consumer gets the `next_slot` when all of its rows have answers.
    `stop` wakes all of them.

    Attributes:
        stopped: Set by `stop`.
    """

    def __init__(self, size: Callable[[], int], limits: QueueLimits, stats: EngineStats) -> None:
        """`size` tells how many rows the next batch gets."""
        self._size = size
        self._limits = limits
        self._stats = stats
        lock = threading.Lock()
        self._space = threading.Condition(lock)
        self._work = threading.Condition(lock)
        self._results = threading.Condition(lock)
        self._slots: deque[Slot] = deque()
        self._ready: deque[Batch] = deque()
        self._open: list[Piece] = []
        self._open_rows = 0
        self._open_bytes = 0
        self._layout: Layout = ()
        self._weight = 0  # of all slots
        self._bytes = 0
        self._running = 0  # batches that were taken and have no answer yet
        self._ended = False
        self.stopped = threading.Event()
        self._error: BaseException | None = None

    # The reader's side.

    def add(self, tag: Any, inputs: Arrays, rows: int) -> None:
        """Puts a payload's rows, at least one, into batches; waits while there is enough to do.

        Raises:
            CancelledError: The queue was stopped.
        """
        layout = layout_of(inputs)
        slot = Slot(tag, rows, rows, bytes_of(inputs), missing=rows, parts=[])
        with self._space:
            self._enter(slot)
            if layout != self._layout:
                self._close_batch()
                self._layout = layout
            position = 0
            while position < rows:
                taken = min(rows - position, self._room(slot))
                if taken > 0:
                    self._open.append(Piece(slot, inputs, position, position + taken))
                    self._open_rows += taken
                    self._open_bytes += taken * slot.size // rows
                    position += taken
                if self._room(slot) <= 0:
                    self._close_batch()
                    self._wait_for_replicas()

    def add_answered(self, tag: Any, answer: Outputs | Exception, records: int) -> None:
        """Puts a payload into the order of results that needs no model.

        Args:
            tag: The caller's.
            answer: Its result.
            records: How many it has.

        Raises:
            CancelledError: The queue was stopped.
        """
        with self._space:
            self._enter(Slot(tag, 0, max(1, records), 0, 0, [Part(0, 0, answer)]))
            self._results.notify_all()

    def end(self, error: BaseException | None = None) -> None:
        """No more payloads come; the consumer gets `error` behind the last result."""
        with self._space:
            self._close_batch()
            self._ended = True
            self._error = error
            self._work.notify_all()
            self._results.notify_all()

    def _enter(self, slot: Slot) -> None:
        """Holds the reader until the slot fits beside what is there."""
        self._wait_while(self._is_full)
        self._slots.append(slot)
        self._weight += slot.weight
        self._bytes += slot.size

    def _is_full(self) -> bool:
        # Rows in the open batch are not on their way, so waiting for those alone would be forever.
        if len(self._slots) < _LEAST_PAYLOADS or self._weight <= self._open_rows:
            return False
        most = self._limits.batches * self._size()
        return self._weight >= most or self._bytes >= self._limits.payload_bytes

    def _wait_for_replicas(self) -> None:
        self._wait_while(lambda: len(self._ready) >= self._limits.ready_batches)

    def _wait_while(self, condition: Callable[[], bool]) -> None:
        if condition():
            started = time.perf_counter()
            self._space.wait_for(lambda: self.stopped.is_set() or not condition())
            self._stats.add(blocked_seconds=time.perf_counter() - started)
        if self.stopped.is_set():
            raise CancelledError("the engine was closed")

    def _room(self, slot: Slot) -> int:
        """How many rows of the slot fit into the open batch."""
        room = self._size() - self._open_rows
        if self._limits.batch_bytes is not None:
            row_bytes = max(1, slot.size // slot.rows)
            fitting = (self._limits.batch_bytes - self._open_bytes) // row_bytes
            room = min(room, max(fitting, 0 if self._open else 1))
        return room

    def _close_batch(self) -> None:
        if self._open:
            self._ready.append(Batch(self._open, self._open_rows))
            self._open, self._open_rows, self._open_bytes = [], 0, 0
            self._work.notify()

    # The replicas' side.

    def take(self) -> Batch | None:
        """Waits for the next batch. None when there will be none."""
        started = time.perf_counter()
        with self._work:
            while not self.stopped.is_set() and not self._ready:
                if self._ended:
                    break
                if not self._work.wait(LINGER_SECONDS) and not self._running:
                    self._close_batch()
            self._stats.add(waiting_seconds=time.perf_counter() - started)
            if self.stopped.is_set() or not self._ready:
                return None
            self._space.notify_all()
            self._running += 1
            return self._ready.popleft()

    def answer(self, parts: Iterable[tuple[Slot, Part]]) -> None:
        """Hands over what became of a batch's rows."""
        with self._results:
            self._running -= 1
            for slot, part in parts:
                slot.parts.append(part)
                slot.missing -= part.stop - part.start
            self._results.notify_all()

    # The consumer's side.

    def next_slot(self) -> Slot | None:
        """Waits for the first payload's answers. None behind the last payload.

        Raises:
            BaseException: What the reader or a replica's thread ended with.
        """
        with self._results:
            while not (self._slots and not self._slots[0].missing):
                if self._error is not None and (self.stopped.is_set() or not self._slots):
                    raise self._error
                if self.stopped.is_set() or (self._ended and not self._slots):
                    return None
                self._results.wait()
            slot = self._slots.popleft()
            self._weight -= slot.weight
            self._bytes -= slot.size
            self._space.notify_all()
            return slot

    # Anybody's.

    def stop(self, error: BaseException | None = None) -> None:
        """Ends all waiting and drops what is there. The consumer gets `error`. Idempotent."""
        with self._space:
            self.stopped.set()
            self._error = self._error or error
            self._slots.clear()
            self._ready.clear()
            self._open = []
            for condition in (self._space, self._work, self._results):
                condition.notify_all()
