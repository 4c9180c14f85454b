"""Counts of values in fixed ranges."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# Powers of two, as batch sizes are chosen.
BATCH_SIZE_BOUNDS = tuple(float(1 << n) for n in range(17))
# 1, 2, 5 in each decade, from 100 us, which is a call of a tiny model, to the 1,000 s behind which
# a call has timed out.
LATENCY_BOUNDS = (*(n * 10.0**power for power in range(-4, 3) for n in (1, 2, 5)), 1000.0)


@dataclass(frozen=True)
class HistogramCounts:
    """A histogram at one moment.

    Attributes:
        bounds: Upper bounds of the ranges, each included in its range, ascending.
        counts: Of each range, and last of the values beyond all bounds.
        total: The sum of the values.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float

    @property
    def count(self) -> int:
        """Of all values."""
        return sum(self.counts)

    @property
    def mean(self) -> float:
        """Of all values; 0 of none."""
        return self.total / self.count if self.count else 0.0

    def quantile(self, share: float) -> float:
        """The upper bound of the range that the quantile is in, which has none beyond all bounds.

        Args:
            share: From 0 to 1, such as 0.99.

        Returns:
            A bound, `math.inf` behind the last one, or 0 without values.
        """
        seen, wanted = 0, share * self.count
        for bound, count in zip(self.bounds, self.counts, strict=False):
            seen += count
            if count and seen >= wanted:
                return bound
        return math.inf if self.count else 0.0

    def to_json(self) -> dict[str, Any]:
        """``{"bounds": [...], "counts": [...], "sum": x}``."""
        return {"bounds": list(self.bounds), "counts": list(self.counts), "sum": self.total}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> HistogramCounts:
        """The reverse of `to_json`."""
        return cls(tuple(values["bounds"]), tuple(values["counts"]), float(values["sum"]))


class Histogram:
    """Counts values. Not thread-safe.

    Args:
        bounds: Upper bounds of the ranges, ascending.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._total = 0.0

    def add(self, value: float) -> None:
        """Counts one value."""
        self._counts[bisect.bisect_left(self._bounds, value)] += 1
        self._total += value

    def counts(self) -> HistogramCounts:
        """As it is now."""
        return HistogramCounts(self._bounds, tuple(self._counts), self._total)
