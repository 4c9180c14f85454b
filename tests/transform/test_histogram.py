from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_tensorflow.transform.histogram import (
    BATCH_SIZE_BOUNDS,
    LATENCY_BOUNDS,
    Histogram,
    HistogramCounts,
)


def test_a_bound_is_in_its_range() -> None:
    histogram = Histogram([1, 2, 4])
    for value in (0, 1, 1.5, 2, 4, 5, 100):
        histogram.add(value)
    assert histogram.counts().counts == (2, 2, 1, 2)
    assert histogram.counts().total == 113.5


@pytest.mark.parametrize("bounds", [BATCH_SIZE_BOUNDS, LATENCY_BOUNDS])
def test_bounds_ascend(bounds: tuple[float, ...]) -> None:
    assert list(bounds) == sorted(set(bounds))


def test_latencies_are_round() -> None:
    assert [f"{bound:g}" for bound in LATENCY_BOUNDS[:4]] == ["0.0001", "0.0002", "0.0005", "0.001"]
    assert LATENCY_BOUNDS[-1] == 1000


def test_nothing_counted() -> None:
    counts = Histogram([1, 2]).counts()
    assert (counts.count, counts.mean, counts.quantile(0.5)) == (0, 0, 0)


@given(st.lists(st.floats(0, 2e5), min_size=1), st.floats(0, 1))
def test_quantiles_are_at_most_a_range_off(values: list[float], share: float) -> None:
    histogram = Histogram(BATCH_SIZE_BOUNDS)
    for value in values:
        histogram.add(value)
    counts = histogram.counts()
    assert counts.count == len(values)
    found = counts.quantile(share)
    assert found in (*BATCH_SIZE_BOUNDS, math.inf)
    assert sum(value <= found for value in values) >= share * len(values)
    assert HistogramCounts.from_json(json.loads(json.dumps(counts.to_json()))) == counts
