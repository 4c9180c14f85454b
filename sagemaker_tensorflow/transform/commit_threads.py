"""Threads that finish what one thread has prepared."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

_Item = TypeVar("_Item")


class CommitThreads(Generic[_Item]):
    """A bounded queue and the threads that empty it, in no order.

    A thread takes several items at a time, and only when as many wait is there work for one thread
    more: threads are not woken for every item where items cost little, and all of them work where
    items take long. They are started as they are needed.

    Args:
        commit: Finishes an item. Called by the threads; must not raise.
        threads: At most.
        at_once: How many items a thread takes at a time; 1 where an item is worth a thread.
        ahead: How many items wait at most, if one thread puts them and waits for room.
    """

    def __init__(
        self, commit: Callable[[_Item], None], threads: int, at_once: int, ahead: int
    ) -> None:
        self._commit = commit
        self._most_threads = threads
        self._at_once = at_once
        self._ahead = ahead
        lock = threading.Lock()
        self._work = threading.Condition(lock)
        self._room = threading.Condition(lock)
        self._waiting: deque[_Item] = deque()
        self._threads: list[threading.Thread] = []
        self._idle = 0  # threads that wait and were not woken
        self._ended = False

    def wait_for_room(self) -> None:
        """Returns when one item more may wait."""
        with self._room:
            while len(self._waiting) >= self._ahead:
                self._room.wait()

    def put(self, item: _Item) -> None:
        """Hands over an item, which takes no time."""
        with self._work:
            self._waiting.append(item)
            if len(self._waiting) >= self._at_once or self._idle == len(self._threads):
                self._employ()

    def end(self, drop: bool) -> list[_Item]:
        """Waits until the threads have ended, which finish everything unless it is to be dropped.

        Returns:
            What was dropped: items that no thread had begun with.
        """
        dropped: list[_Item] = []
        with self._work:
            self._ended = True
            if drop:
                dropped = list(self._waiting)
                self._waiting.clear()
            self._work.notify_all()
        for thread in self._threads:
            thread.join()
        return dropped

    def _employ(self) -> None:
        """Wakes a thread or starts one, if there is one that does nothing yet."""
        if self._idle:
            self._idle -= 1
            self._work.notify()
        elif len(self._threads) < self._most_threads:
            name = f"smtf-commit-{len(self._threads)}"
            thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run(self) -> None:
        while items := self._take():
            for item in items:
                self._commit(item)

    def _take(self) -> list[_Item]:
        """Waits for items; none when no more will come."""
        with self._work:
            while not self._waiting and not self._ended:
                self._idle += 1
                self._work.wait()
            count = min(self._at_once, len(self._waiting))
            taken = [self._waiting.popleft() for _ in range(count)]
            self._room.notify()
            return taken
