"""S3 to memory: our engine against the raw-socket client and the clients that others use.

Ours finds connections and part size by itself, as it does for users; the others have what they are
fast with.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import harness
from s3_data import BIG, SMALL

from s3_cases.bench import RIVALS, Bench, Contestant, Sample, Task, described, judged, rates

_OBSTORE = ("obstore_threads", "obstore_async")


class Bar(NamedTuple):
    """What a ratio of two clients should be. "obstore" is the faster of the two ways to use it."""

    ours: str
    other: str
    measure: str
    at_least: float | None = None
    at_most: float | None = None


_FASTER_THAN_RIVALS = (
    Bar("ours", "obstore", "mb_per_second", at_least=1.6),
    Bar("ours", "s3torchconnector", "mb_per_second", at_least=2.3),
    Bar("ours", "obstore", "cpu_s_per_gb", at_most=0.55),
    Bar("ours", "awscrt", "mb_per_second"),
    Bar("ours", "boto3", "mb_per_second"),
)


def measure_big(bench: Bench) -> dict[str, Any]:
    """Large objects, plain."""
    bars = (Bar("ours", "raw", "mb_per_second", at_least=0.85), *_FASTER_THAN_RIVALS)
    return _measure(bench, Task(BIG, bench.server.plain), bars)


def measure_small(bench: Bench) -> dict[str, Any]:
    """Small objects, plain."""
    bars = (Bar("ours", "raw", "mb_per_second", at_least=0.7), *_FASTER_THAN_RIVALS)
    return _measure(bench, Task(SMALL, bench.server.plain), bars)


def measure_tls(bench: Bench) -> dict[str, Any]:
    """Large objects over TLS, where the raw-socket client has nothing to say."""
    bars = (
        Bar("ours", "obstore", "mb_per_second", at_least=1.8),
        Bar("ours", "awscrt", "mb_per_second", at_least=1.1),
        Bar("ours", "obstore", "cpu_s_per_gb"),
        Bar("ours", "boto3", "mb_per_second"),
    )
    return _measure(bench, Task(BIG, bench.server.tls, ca=bench.server.ca), bars)


def _measure(bench: Bench, task: Task, bars: Sequence[Bar]) -> dict[str, Any]:
    own: dict[str, Callable[[], Sample]] = {} if task.ca else {"raw": bench.raw(task)}
    own["ours"] = bench.ours(dataclasses.replace(task, connections=0, part_bytes=0))
    rivals = {name: bench.rival(name, task) for name in RIVALS}
    warm_up(own)
    warm_up(rivals)
    samples = harness.interleave({**own, **rivals}, bench.rounds)
    present = {
        name: [sample for sample in taken if sample is not None]
        for name, taken in samples.items()
        if all(taken)
    }
    clients: dict[str, Any] = {name: described(taken) for name, taken in present.items()}
    clients |= {name: {"absent": rival.absent} for name, rival in rivals.items() if rival.absent}
    return {
        "objects": task.data.objects,
        "object_bytes": task.data.object_bytes,
        "connections": task.connections,
        "part_bytes": task.part_bytes,
        "memory_bytes": task.memory_bytes,
        "clients": clients,
        "ratios": [_judge(bar, present, rivals) for bar in bars],
    }


def warm_up(contestants: Mapping[str, Callable[[], object]]) -> None:
    """Runs each once: files come into caches, and a rival that is missing is known."""
    for run in contestants.values():
        run()


def _judge(
    bar: Bar, present: Mapping[str, Sequence[Sample]], rivals: Mapping[str, Contestant]
) -> dict[str, Any]:
    other = _faster_obstore(present) if bar.other == "obstore" else bar.other
    result: dict[str, Any] = {"ratio": f"{bar.ours}/{bar.other}", "of": bar.measure}
    if other != bar.other:
        result["compared_with"] = other
    if other not in present:
        reasons = [rivals[name].absent for name in rivals if name.startswith(bar.other)]
        return {**result, "absent": "; ".join(reasons)}
    taken = [
        [getattr(sample, bar.measure) for sample in present[name]] for name in (bar.ours, other)
    ]
    return result | judged(harness.ratios(*taken), at_least=bar.at_least, at_most=bar.at_most)


def _faster_obstore(present: Mapping[str, Sequence[Sample]]) -> str:
    def rate(name: str) -> float:
        return harness.summary(rates(present[name]))["median"]

    return max((name for name in _OBSTORE if name in present), key=rate, default="obstore")
