"""How many instances a call of the model gets."""

from __future__ import annotations

import threading

FIRST_SIZE = 32
LARGEST_SIZE = 8192
# A doubling has to bring this much, or it only costs memory and latency.
_WORTHWHILE = 1.10
# Doublings that may bring less before the search ends: one noisy measurement shall not end it.
_DISAPPOINTMENTS = 2
# A shorter call costs as much around the model as in it, whatever a noisy measurement says.
_SHORT_CALL_SECONDS = 0.02
# A call as short as this says nothing yet; a few of them are enough to go on.
_QUICK_CALL_SECONDS = 0.005
# Of sizes whose rates hardly differ the larger one costs less outside of what is measured.
_ALIKE = 0.9
# What a size is judged by: its first call (tracing, allocation) does not count, and of the others
# there must be some.
_WINDOW_CALLS = 4
_WINDOW_SECONDS = 0.25
_MOST_WINDOW_CALLS = 64


class BatchSizer:
    """The batch size in use: given, or grown while that pays. Thread-safe.

    The search doubles the size as long as the rows that a second of calling brings grow by a
    tenth, or calls are short, and settles for the best of them, or for a larger one that is about
    as good and whose calls are short. Only full batches count, so a source that is slower than the
    model does not mislead it. Sizes whose calls take next to no time are passed over. When memory
    does not suffice the size is halved, and that one is never exceeded again.
    """

    def __init__(self, fixed: int = 0, first: int = FIRST_SIZE, largest: int = LARGEST_SIZE):
        """With `fixed` there is no search."""
        self._lock = threading.Lock()
        self._size = fixed or first
        self._largest = fixed or largest
        self._settled = bool(fixed)
        self._rates: dict[int, float] = {}
        self._disappointments = 0
        self._restart()

    @property
    def size(self) -> int:
        """Rows of the next batch."""
        return self._size

    @property
    def settled(self) -> bool:
        """The size does not grow any more."""
        return self._settled

    def measured(self, rows: int, seconds: float) -> None:
        """Notes that a batch took so long, from its rows to its results."""
        with self._lock:
            if self._settled or rows != self._size:
                return
            self._calls += 1
            if self._calls == 1:
                return
            self._rows += rows
            self._seconds += seconds
            counted = self._calls - 1
            if counted >= _WINDOW_CALLS and self._is_quick(counted):
                self._double()
                return
            enough = counted >= _WINDOW_CALLS and self._seconds >= _WINDOW_SECONDS
            if enough or counted >= _MOST_WINDOW_CALLS:
                self._judge(self._rows / max(self._seconds, 1e-9))

    def exhausted(self, rows: int) -> None:
        """Notes that memory did not suffice for so many rows."""
        with self._lock:
            self._largest = max(1, min(self._largest, rows // 2))
            if self._size > self._largest:
                self._size = self._largest
            self._settled = True

    def _is_quick(self, calls: int) -> bool:
        quick = self._seconds < calls * _QUICK_CALL_SECONDS
        return quick and self._size * 2 <= self._largest

    def _double(self) -> None:
        self._size *= 2
        self._restart()

    def _judge(self, rate: float) -> None:
        best = max(self._rates.values(), default=0.0)
        self._rates[self._size] = rate
        short = self._size < rate * _SHORT_CALL_SECONDS
        worthwhile = short or rate >= best * _WORTHWHILE
        self._disappointments = 0 if worthwhile else self._disappointments + 1
        if self._disappointments < _DISAPPOINTMENTS and self._size * 2 <= self._largest:
            self._double()
        else:
            self._size = self._best()
            self._settled = True

    def _best(self) -> int:
        fastest = max(self._rates, key=self._rates.__getitem__)
        alike = (
            size
            for size, rate in self._rates.items()
            if rate >= _ALIKE * self._rates[fastest] and size < rate * _SHORT_CALL_SECONDS
        )
        return max([fastest, *alike])

    def _restart(self) -> None:
        self._calls = 0
        self._rows = 0
        self._seconds = 0.0
