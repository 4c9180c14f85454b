from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from sagemaker_tensorflow.transform.ordered_map import ordered_map

WORKERS = 3


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("map-test")]


@pytest.mark.parametrize("workers", [1, WORKERS])
def test_results_come_in_order(workers: int) -> None:
    assert list(ordered_map(lambda x: x * x, range(100), workers, "map-test")) == [
        x * x for x in range(100)
    ]
    assert threads() == []


def test_calls_overlap() -> None:
    """Each waits for two others, so fewer threads would wait for ever."""
    together = threading.Barrier(WORKERS)
    results = ordered_map(lambda x: together.wait(30) * 0 + x, range(9), WORKERS, "map-test")
    assert list(results) == list(range(9))


def test_few_items_are_taken_ahead() -> None:
    taken: list[int] = []
    enough = threading.Event()
    noting = map_noting(taken, enough)
    results = ordered_map(lambda x: enough.wait(30) * 0 + x, noting, WORKERS, "map-test")
    assert next(results) == 0
    assert len(taken) == 2 * WORKERS + 1
    results.close()  # type: ignore[attr-defined]
    assert threads() == []


def map_noting(taken: list[int], enough: threading.Event) -> Iterator[int]:
    for number in range(1000):
        taken.append(number)
        if len(taken) == 2 * WORKERS + 1:
            enough.set()
        yield number


@pytest.mark.parametrize("workers", [1, WORKERS])
def test_what_is_raised_comes_in_its_place(workers: int) -> None:
    def items() -> Iterator[int]:
        yield from (6, 3, 2)
        raise LookupError

    seen = []
    with pytest.raises(LookupError):
        for result in ordered_map(lambda x: 6 // x, items(), workers, "map-test"):
            seen.append(result)
    assert seen == [1, 2, 3]
    seen.clear()
    with pytest.raises(ZeroDivisionError):
        for result in ordered_map(lambda x: 6 // x, [1, 2, 0, 3], workers, "map-test"):
            seen.append(result)
    assert seen == [6, 3]
    assert threads() == []
