"""Calls a function for many items at a time and gives the results in the items' order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_In = TypeVar("_In")
_Out = TypeVar("_Out")


def held_back(workers: int) -> int:
    """How many results wait, at most, until another item comes or the items end."""
    return 2 * workers if workers > 1 else 0


def ordered_map(
    function: Callable[[_In], _Out], items: Iterable[_In], workers: int, name: str
) -> Iterator[_Out]:
    """Like `map`, with `workers` threads and `held_back` items ahead.

    What the function or the items raise is raised here, behind the results of what came before.
    Closing the iterator waits for the calls that are under way.

    Args:
        function: Called by the threads.
        items: Taken by the caller's thread.
        workers: With 1 the caller's thread makes the calls.
        name: Of the threads.
    """
    if workers <= 1:
        yield from map(function, items)
        return
    pending: deque[Future[_Out]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix=name) as pool:
        try:
            yield from _results(function, iter(items), pool, pending, held_back(workers))
        finally:
            for future in pending:
                future.cancel()


def _results(
    function: Callable[[_In], _Out],
    items: Iterator[_In],
    pool: ThreadPoolExecutor,
    pending: deque[Future[_Out]],
    ahead: int,
) -> Iterator[_Out]:
    ended: Exception | None = None
    while True:
        try:
            pending.append(pool.submit(function, next(items)))
        except StopIteration:
            break
        except Exception as error:  # of the items: it has to wait for its turn
            ended = error
            break
        while pending and (len(pending) > ahead or pending[0].done()):
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()
    if ended is not None:
        raise ended
