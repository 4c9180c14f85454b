"""Whole jobs behind a line that is faster than the disk, where File mode waits for the disk."""

from __future__ import annotations

from typing import Any

import harness
from s3_cases.bench import judged

from training_cases.bench import MODES, Bench, Line, described

_LEAST_RATIO = 2.0


def measure(bench: Bench) -> dict[str, Any]:
    """Both modes, the largest size."""
    line = Line(bench.fast_mb_per_second, bench.line.first_byte_ms)
    objects = max(bench.sizes)
    samples = harness.interleave(
        {mode: bench.job(mode, objects, line) for mode in MODES}, bench.rounds
    )
    rates = {mode: [s.mb_per_second for s in samples[mode]] for mode in MODES}
    return {
        "line_mb_per_second": line.mb_per_second,
        "bytes": objects * bench.object_bytes,
        **{mode: described(samples[mode]) for mode in MODES},
        "input_throughput_ratio": judged(
            harness.ratios(rates["Pipe"], rates["File"]), at_least=_LEAST_RATIO
        ),
    }
