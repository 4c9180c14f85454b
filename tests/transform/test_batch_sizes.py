"""The search for a batch size, against models of known cost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sagemaker_tensorflow.transform.batch_sizes import LARGEST_SIZE, BatchSizer


def settled(seconds: Callable[[int], float], calls: int = 10_000) -> int:
    sizer = BatchSizer()
    for _ in range(calls):
        if sizer.settled:
            break
        sizer.measured(sizer.size, seconds(sizer.size))
    assert sizer.settled
    return sizer.size


def test_grows_while_a_call_costs_more_than_its_rows() -> None:
    assert settled(lambda rows: 0.01 + rows * 1e-7) == LARGEST_SIZE


def test_stays_where_rows_are_what_costs() -> None:
    assert settled(lambda rows: rows * 0.001) == 32


def test_stops_where_growing_no_longer_pays() -> None:
    # 5 ms a call and 50 us a row: from 512 to 1024 rows the rate grows by 9 %.
    assert settled(lambda rows: 0.005 + rows * 50e-6) in (512, 1024, 2048)


def test_goes_back_when_larger_is_slower() -> None:
    assert settled(lambda rows: 0.01 if rows <= 256 else 0.01 * (rows / 256) ** 2) == 256


def test_one_bad_window_does_not_end_the_search() -> None:
    assert settled(lambda rows: 0.01 * (3 if rows == 64 else 1)) == LARGEST_SIZE


def test_the_first_call_of_a_size_does_not_count() -> None:
    seen: set[int] = set()

    def traced(rows: int) -> float:
        first = rows not in seen
        seen.add(rows)
        return 30.0 if first else 0.01

    assert settled(traced) == LARGEST_SIZE


def test_batches_of_other_sizes_do_not_count() -> None:
    sizer = BatchSizer()
    for _ in range(1000):
        sizer.measured(sizer.size - 1, 1.0)
    assert sizer.size == 32
    assert not sizer.settled


@pytest.mark.parametrize("fixed", [0, 512])
def test_a_size_that_memory_refused_is_never_used_again(fixed: int) -> None:
    sizer = BatchSizer(fixed)
    sizer.exhausted(sizer.size)
    half = sizer.size
    assert half == (fixed or 32) // 2
    for _ in range(1000):
        sizer.measured(half, 0.001)
    assert sizer.size == half
    for _ in range(20):
        sizer.exhausted(sizer.size)
    assert sizer.size == 1
