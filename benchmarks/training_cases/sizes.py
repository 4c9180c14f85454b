"""Whole jobs over data of several sizes, with nothing to compute: the line is the bottleneck."""

from __future__ import annotations

from typing import Any

import harness
from s3_cases.bench import judged

from training_cases.bench import MODES, Bench, Sample, described, lower, size_name

_LEAST_LOWER = 0.97  # of the largest size


def measure(bench: Bench) -> dict[str, Any]:
    """Both modes, every size."""
    return {
        size_name(objects * bench.object_bytes): _measure(bench, objects) for objects in bench.sizes
    }


def _measure(bench: Bench, objects: int) -> dict[str, Any]:
    jobs = {mode: bench.job(mode, objects, bench.line) for mode in MODES}
    samples = harness.interleave(jobs, bench.rounds)
    pipe, file = samples["Pipe"], samples["File"]
    least_lower = _LEAST_LOWER if objects == max(bench.sizes) else None
    return {
        "bytes": objects * bench.object_bytes,
        **{mode: described(samples[mode]) for mode in MODES},
        "first_batch_lower": judged(
            lower([s.first_batch for s in pipe], [s.first_batch for s in file]),
            at_least=least_lower,
        ),
        "first_batch_without_import_lower": judged(
            lower(
                [s.first_batch_without_import for s in pipe],
                [s.first_batch_without_import for s in file],
            ),
            at_least=least_lower,
        ),
        "input_throughput_ratio": harness.ratios(_rates(pipe), _rates(file)),
        "total_lower": lower([s.total for s in pipe], [s.total for s in file]),
        "pipe_data_on_disk": judged(
            harness.summary([float(s.data_on_disk) for s in pipe]), at_most=0
        ),
    }


def _rates(samples: list[Sample]) -> list[float]:
    return [sample.mb_per_second for sample in samples]
