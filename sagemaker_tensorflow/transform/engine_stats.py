"""What an engine did, for the job's record."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

# Upper bounds of the latency histogram's buckets, in seconds: 1 ms, doubling up to 17 minutes,
# which is more than the service's longest timeout (3,600 s falls into the one behind them).
LATENCY_BOUNDS = tuple(0.001 * 2**step for step in range(21))


@dataclass
class EngineStats:
    """Counts and times of an engine's life. Times are sums over threads. Thread-safe.

    Attributes:
        batches: Calls of the model that gave results.
        instances: Rows that have results.
        padding: Rows that were added to fill batches.
        failed_instances: Rows that have none.
        retries: Calls that were repeated as they were.
        halvings: Batches that were cut in two because their call failed.
        abandoned_calls: Calls that took longer than the timeout; their threads may still run.
        waiting_seconds: Replicas had nothing to do.
        running_seconds: In calls of the model, failed ones included.
        blocked_seconds: The source was not read because results were not taken.
        batch_sizes: How many calls had how many rows, padding included.
        latencies: How many calls took no longer than each of `LATENCY_BOUNDS` and longer than the
            one before; the last entry counts the rest.
    """

    batches: int = 0
    instances: int = 0
    padding: int = 0
    failed_instances: int = 0
    retries: int = 0
    halvings: int = 0
    abandoned_calls: int = 0
    waiting_seconds: float = 0.0
    running_seconds: float = 0.0
    blocked_seconds: float = 0.0
    batch_sizes: dict[int, int] = field(default_factory=dict)
    latencies: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_BOUNDS) + 1))
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def called(self, rows: int, padding: int, seconds: float) -> None:
        """Counts a call that gave `rows` results."""
        bucket = sum(seconds > bound for bound in LATENCY_BOUNDS)
        with self._lock:
            self.batches += 1
            self.instances += rows
            self.padding += padding
            self.running_seconds += seconds
            self.batch_sizes[rows + padding] = self.batch_sizes.get(rows + padding, 0) + 1
            self.latencies[bucket] += 1

    def add(
        self,
        *,
        failed_instances: int = 0,
        retries: int = 0,
        halvings: int = 0,
        abandoned_calls: int = 0,
        waiting_seconds: float = 0.0,
        running_seconds: float = 0.0,
        blocked_seconds: float = 0.0,
    ) -> None:
        """Adds to the counts of these names."""
        with self._lock:
            self.failed_instances += failed_instances
            self.retries += retries
            self.halvings += halvings
            self.abandoned_calls += abandoned_calls
            self.waiting_seconds += waiting_seconds
            self.running_seconds += running_seconds
            self.blocked_seconds += blocked_seconds

    def to_json(self) -> dict[str, Any]:
        """A consistent copy as a JSON object."""
        with self._lock:
            counts = {name: value for name, value in vars(self).items() if name[0] != "_"}
            return {
                **counts,
                "batch_sizes": {
                    str(size): calls for size, calls in sorted(self.batch_sizes.items())
                },
                "latencies": list(self.latencies),
                "latency_bounds_seconds": list(LATENCY_BOUNDS),
            }
