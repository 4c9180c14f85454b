"""Connections and part size found at run time, against a grid of fixed ones."""

from __future__ import annotations

import dataclasses
from typing import Any

import harness
from s3_data import BIG, SMALL

from s3_cases.bench import Bench, Task, described, judged, rates
from s3_cases.clients import warm_up

CONNECTIONS = (2, 4, 8, 16)
PART_MIB = (4, 8, 16)
# The default of PrefetchConfig: what is tuned may use it all.
MEMORY_BYTES = 512 << 20
_LEAST_SHARE = 0.9


def measure(bench: Bench) -> dict[str, Any]:
    """The grid on each server; it is large, so in few rounds."""
    server = bench.server
    tasks = {
        "big": Task(BIG, server.plain, passes=2),
        "small": Task(SMALL, server.plain, passes=2),
        "tls": Task(BIG, server.tls, ca=server.ca),
        "distant": Task(BIG, server.distant, passes=2),
    }
    return {name: _measure(bench, task) for name, task in tasks.items()}


def _measure(bench: Bench, task: Task) -> dict[str, Any]:
    task = dataclasses.replace(task, memory_bytes=MEMORY_BYTES)

    def with_settings(connections: int, part_bytes: int) -> Task:
        return dataclasses.replace(task, connections=connections, part_bytes=part_bytes)

    contestants = {"auto": bench.ours(with_settings(0, 0))}
    for connections in CONNECTIONS:
        for mib in PART_MIB:
            name = f"{connections} x {mib} MiB"
            contestants[name] = bench.ours(with_settings(connections, mib << 20))
    warm_up({"auto": contestants["auto"]})
    samples = harness.interleave(contestants, min(3, bench.rounds))
    medians = {name: harness.summary(rates(taken))["median"] for name, taken in samples.items()}
    best = max((name for name in samples if name != "auto"), key=medians.__getitem__)
    # The best of many is the luckiest one too: against it auto is measured anew.
    final = harness.interleave({name: contestants[name] for name in ("auto", best)}, bench.rounds)
    return {
        "passes": task.passes,
        "memory_bytes": task.memory_bytes,
        "settings": {name: described(taken) for name, taken in samples.items()},
        "best_fixed": best,
        "auto_to_best_fixed": judged(
            harness.ratios(rates(final["auto"]), rates(final[best])), at_least=_LEAST_SHARE
        ),
    }
