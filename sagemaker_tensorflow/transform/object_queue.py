"""The objects of a job that nobody has yet, the largest first."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable, Sequence

from sagemaker_tensorflow.transform.records import InputObject


class ObjectQueue:
    """Hands out objects by size: what is begun last is small, so that all end at about one time.

    Objects of one size come in their order. For one thread.

    Args:
        objects: Any number; they are made when they are handed out (`InputList`).
    """

    def __init__(self, objects: Sequence[InputObject]) -> None:
        self._objects = objects
        self._sizes = array("Q", (obj.size for obj in objects))
        sizes = self._sizes
        self._order = array("Q", sorted(range(len(sizes)), key=lambda n: sizes[n], reverse=True))
        self._next = 0
        self._bytes = sum(sizes)
        self._returned: deque[InputObject] = deque()

    def __len__(self) -> int:
        return len(self._returned) + len(self._order) - self._next

    @property
    def bytes(self) -> int:
        """Their sizes together."""
        return self._bytes

    def take(self, objects: int, size: int) -> list[InputObject]:
        """The next ones: one at least, if any is left, and no more than both bounds allow.

        Args:
            objects: How many.
            size: Their bytes together.
        """
        taken: list[InputObject] = []
        while self and (not taken or (len(taken) < objects and self._peek() <= size)):
            taken.append(self._pop())
            size -= taken[-1].size
            self._bytes -= taken[-1].size
        return taken

    def give_back(self, objects: Iterable[InputObject]) -> None:
        """Puts objects before all others."""
        for obj in objects:
            self._returned.append(obj)
            self._bytes += obj.size

    def _peek(self) -> int:
        if self._returned:
            return self._returned[0].size
        return self._sizes[self._order[self._next]]

    def _pop(self) -> InputObject:
        if self._returned:
            return self._returned.popleft()
        self._next += 1
        return self._objects[self._order[self._next - 1]]
