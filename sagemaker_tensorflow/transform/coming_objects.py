"""Objects that somebody hands over while they are transformed, and may take back again.

A process that does one part of a job's objects gets them little by little. Those that it has begun
with are on their way through prefetcher, model and writer; the others wait here, and can be given
to another process that has nothing to do. So as few as possible are begun ahead of time: what
ended in the last seconds tells how many.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from sagemaker_tensorflow.transform.records import InputObject

# Objects on their way are what a process does in so many seconds: enough to fill batches and to
# hide round trips, and all that can be waited for when the others have nothing left to do.
_AHEAD_SECONDS = 4.0
_MOST_AHEAD = 4096
# Behind the first of these: more than a prefetcher has on its way.
_AHEAD_BYTES = 128 << 20


@dataclass(frozen=True, slots=True)
class Waiting:
    """Objects that have not been begun with.

    Attributes:
        objects: How many.
        bytes: Their sizes together.
        room: Another one would be begun with at once.
    """

    objects: int = 0
    bytes: int = 0
    room: bool = True


class ComingObjects(Sequence[InputObject]):
    """A sequence that an `ObjectStream` reads while it grows. Thread-safe.

    Iterating waits for the next object, and for its turn. It ends when there is none and nothing
    was said of more. Positions are those of the objects that were begun with.

    Args:
        objects: The first ones; at least one, which is begun with at once.
        least_ahead: So many objects may be on their way however long they take. However large they
            are, the next one is begun with when the last one is being read and no more than so many
            are on their way: results may be held back until the next object comes.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        objects: Sequence[InputObject],
        least_ahead: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._least_ahead = least_ahead
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting = deque(objects[1:])
        self._waiting_bytes = sum(obj.size for obj in self._waiting)
        self._named = {0: objects[0]}  # by position, until they have been read
        self._count = 1
        self._reading = -1
        self._ahead = {objects[0].index: objects[0].size}  # on their way
        self._ahead_bytes = objects[0].size
        self._ends: deque[float] = deque()  # of the last seconds
        self._more = True
        self._over = False
        self._error: Exception | None = None

    # The side of who hands over.

    def add(self, objects: Iterable[InputObject], more: bool) -> bool:
        """Puts objects behind the others, unless the iteration has ended; whether it had not.

        Args:
            objects: Any number.
            more: Others follow; else the iteration ends behind them.
        """
        with self._changed:
            if self._over:
                return False
            for obj in objects:
                self._waiting.append(obj)
                self._waiting_bytes += obj.size
            self._more = more
            self._changed.notify_all()
            return True

    def take_back(self, size: int) -> list[InputObject]:
        """Gives back objects that nobody has begun with, the last ones first.

        Args:
            size: Bytes that are wanted back, in all; one object at least, if any waits.
        """
        with self._changed:
            taken: list[InputObject] = []
            left = size
            while self._waiting and (left > 0 or not taken):
                taken.append(self._waiting.pop())
                left -= taken[-1].size
            self._waiting_bytes -= sum(obj.size for obj in taken)
            self._changed.notify_all()  # it may be the end
            return taken

    def waiting(self) -> Waiting:
        """What has not been begun with."""
        with self._changed:
            return Waiting(len(self._waiting), self._waiting_bytes, self._has_room())

    def cancel(self, error: Exception) -> None:
        """Has the iteration raise `error`, now and for ever."""
        with self._changed:
            self._error = self._error or error
            self._over = True
            self._changed.notify_all()

    # The side of who transforms.

    def ended(self, obj: InputObject) -> None:
        """Its result is there, or it gets none."""
        with self._changed:
            self._ahead_bytes -= self._ahead.pop(obj.index, 0)
            self._ends.append(self._clock())
            self._changed.notify_all()

    def __iter__(self) -> Iterator[InputObject]:
        yield self[0]
        while (obj := self._next()) is not None:
            yield obj

    def _next(self) -> InputObject | None:
        with self._changed:
            self._changed.wait_for(self._may_go_on)
            if self._error is not None:
                raise self._error
            if not self._waiting:
                self._over = True
                return None
            obj = self._waiting.popleft()
            self._waiting_bytes -= obj.size
            self._named[self._count] = obj
            self._count += 1
            self._ahead[obj.index] = obj.size
            self._ahead_bytes += obj.size
            return obj

    def _may_go_on(self) -> bool:
        if self._error is not None or (not self._waiting and not self._more):
            return True
        return bool(self._waiting) and self._has_room()

    def _has_room(self) -> bool:
        if not self._ahead:
            return True
        now = self._clock()
        while self._ends and self._ends[0] < now - _AHEAD_SECONDS:
            self._ends.popleft()
        most = min(_MOST_AHEAD, max(self._least_ahead, len(self._ends)))
        if len(self._ahead) >= most:
            return False
        first = next(iter(self._ahead.values()))
        if self._ahead_bytes - first < _AHEAD_BYTES:
            return True
        return self._reading == self._count - 1 and len(self._ahead) < self._least_ahead

    @property
    def complete(self) -> bool:
        """The iteration has ended without an error: behind those begun with comes none."""
        with self._changed:
            return self._over and self._error is None

    # A sequence.

    def __len__(self) -> int:
        """How many have been begun with."""
        return self._count

    @overload
    def __getitem__(self, index: int) -> InputObject: ...
    @overload
    def __getitem__(self, index: slice) -> list[InputObject]: ...
    def __getitem__(self, index: int | slice) -> InputObject | list[InputObject]:
        """One that was begun with and not read yet: those before it are forgotten."""
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        with self._changed:
            found = self._named[index]
            if index > self._reading:
                self._reading = index
                self._changed.notify_all()
            for position in [*self._named]:
                if position >= index:
                    break
                del self._named[position]
            return found
