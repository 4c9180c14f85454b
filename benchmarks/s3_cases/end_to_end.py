"""S3 to `PipeModeDataset(batch_size=...)`: rate, what each process costs, memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import harness
from s3_data import BIG

from s3_cases.bench import Bench, Sample, Task, judged, rates
from s3_cases.channel import Channel
from s3_cases.tuning import MEMORY_BYTES

_EPOCHS = 3
_LEAST_SHARE = 0.45
_FROM_URI_LEAST_SHARE = 0.5
_FROM_URI_LEAST_OF_PIPES = 1.1
_LEAST_OF_BEST_FIXED = 0.9
_FIXED = ((4, 8 << 20), (8, 8 << 20), (8, 16 << 20))

_MEMORY_EPOCHS = 15  # and one before them: 16 GiB
_MEMORY_OVERHEAD = 64 << 20


def measure_rate(bench: Bench) -> dict[str, Any]:
    """128 KiB TFRecords, CRCs on, in batches, against the raw-socket client."""
    contestants: dict[str, Callable[[], Any]] = {
        "raw": bench.raw(Task(BIG, bench.server.plain, passes=_EPOCHS)),
        "ours": lambda: Channel(bench, bench.server.plain, BIG).read(_EPOCHS),
        "from_uri": lambda: Channel(bench, bench.server.plain, BIG, from_uri=True).read(_EPOCHS),
    }
    for connections, part_bytes in _FIXED:
        config = {"connections": connections, "part_bytes": part_bytes}
        channel = Channel(bench, bench.server.plain, BIG, config)
        contestants[f"{connections} x {part_bytes >> 20} MiB"] = lambda c=channel: c.read(_EPOCHS)
    samples = harness.interleave(contestants, bench.rounds)
    raw: Sequence[Sample] = samples.pop("raw")
    ours = {name: [_rate(answer) for answer in taken] for name, taken in samples.items()}
    medians = {name: harness.summary(taken)["median"] for name, taken in ours.items()}
    best = max((name for name in ours if " x " in name), key=medians.__getitem__)
    return {
        "record_bytes": 128 << 10,
        "epochs": _EPOCHS,
        "mb_per_second": {
            "raw": harness.summary(rates(raw)),
            **{name: harness.summary(taken) for name, taken in ours.items()},
        },
        "ours_to_raw": judged(harness.ratios(ours["ours"], rates(raw)), at_least=_LEAST_SHARE),
        "from_uri_to_raw": judged(
            harness.ratios(ours["from_uri"], rates(raw)), at_least=_FROM_URI_LEAST_SHARE
        ),
        "from_uri_to_ours": judged(
            harness.ratios(ours["from_uri"], ours["ours"]), at_least=_FROM_URI_LEAST_OF_PIPES
        ),
        "cpu_s_per_gb": _costs(samples["ours"]),
        "from_uri_cpu_s_per_gb": _costs(samples["from_uri"]),
        "best_fixed": best,
        "ours_to_best_fixed": judged(
            harness.ratios(ours["ours"], ours[best]), at_least=_LEAST_OF_BEST_FIXED
        ),
        "stats": samples["ours"][-1]["stats"],
    }


def _rate(answer: dict[str, Any]) -> float:
    return float(answer["bytes"] / 1e6 / answer["seconds"])


def _costs(answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """CPU seconds per GB of each side."""
    return {
        side: harness.summary([a["cpu_seconds"][side] / (a["bytes"] / 1e9) for a in answers])
        for side in answers[0]["cpu_seconds"]
    }


def measure_memory(bench: Bench) -> dict[str, Any]:
    """The largest resident size of the fetching process over 16 GiB, once for each budget."""
    results = {}
    for budget in (MEMORY_BYTES, 256 << 20):
        config = {"memory_bytes": budget}
        answer = Channel(bench, bench.server.plain, BIG, config).read(_MEMORY_EPOCHS)
        results[f"budget {budget >> 20} MiB"] = {
            "streamed_bytes": BIG.bytes * (_MEMORY_EPOCHS + 1),
            "budget_bytes": budget,
            "peak_resident_bytes": answer["fetching_peak_bytes"],
            "at_most": budget + _MEMORY_OVERHEAD,
            "met": answer["fetching_peak_bytes"] <= budget + _MEMORY_OVERHEAD,
            "buffers_bytes": answer["stats"]["memory_bytes"],
        }
    return results
