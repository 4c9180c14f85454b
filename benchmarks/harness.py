"""What every benchmark shares: the machine, interleaved rounds, quartiles, JSON."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import random
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypedDict, TypeVar

Sample = TypeVar("Sample")


class Summary(TypedDict):
    """Quartiles of the samples, in the samples' unit."""

    median: float
    q1: float
    q3: float
    n: int


def machine() -> dict[str, str | int]:
    """Where the numbers come from: CPU model, cores this process may use, kernel, Python."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
    }


def tensorflow_version() -> str:
    """The installed TensorFlow, without importing it: "tensorflow-cpu 2.21.0"."""
    for distribution in importlib.metadata.distributions():
        name = (distribution.metadata["Name"] or "").replace("_", "-")
        if name in ("tensorflow", "tensorflow-cpu"):
            return f"{name} {distribution.version}"
    return "none"


def summary(samples: Sequence[float]) -> Summary:
    """Median and quartiles; all three are the sample itself when there is only one."""
    if len(samples) == 1:
        return {"median": samples[0], "q1": samples[0], "q3": samples[0], "n": 1}
    q1, median, q3 = statistics.quantiles(samples, n=4, method="inclusive")
    return {"median": median, "q1": q1, "q3": q3, "n": len(samples)}


def interleave(
    contestants: Mapping[str, Callable[[], Sample]], rounds: int
) -> dict[str, list[Sample]]:
    """Runs everyone once, then once more ..., so that what disturbs the machine disturbs all.

    The order changes from round to round: what a run leaves behind, such as memory that is given
    back, would otherwise always meet the same next one.

    Args:
        contestants: Name and a function that runs once and returns its sample, such as seconds.
        rounds: How often each one runs.

    Returns:
        The samples of each contestant, one per round, in order: a ratio of two contestants is best
        taken round by round.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in contestants}
    order = list(contestants)
    dealer = random.Random(rounds)
    for _ in range(rounds):
        dealer.shuffle(order)
        for name in order:
            samples[name].append(contestants[name]())
    return samples


def ratios(numerator: Sequence[float], denominator: Sequence[float]) -> Summary:
    """The summary of the round-by-round ratios of two contestants of one interleaved run."""
    return summary([a / b for a, b in zip(numerator, denominator, strict=True)])


def print_report(name: str, results: object, **conditions: object) -> None:
    """Prints one JSON document: the benchmark's name, the machine, the conditions, the results."""
    report = {"benchmark": name, "machine": machine(), **conditions, "results": results}
    json.dump(report, sys.stdout, indent=2)
    sys.stdout.write("\n")


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
