"""Whole jobs whose compute takes as long as the line takes for their data."""

from __future__ import annotations

from typing import Any

import harness
import s3_data
from s3_cases.bench import judged

from training_cases.bench import (
    BATCH_RECORDS,
    MODES,
    Bench,
    described,
    lower,
    seconds_per_product,
    size_name,
)

_LEAST_LOWER = 0.35


def measure(bench: Bench) -> dict[str, Any]:
    """Both modes, every size."""
    product_seconds = seconds_per_product(bench.python)
    batch_seconds = bench.line.seconds(BATCH_RECORDS * s3_data.RECORD_BYTES)
    products = max(1, round(batch_seconds / product_seconds))
    return {
        "seconds_per_product": product_seconds,
        "products_per_batch": products,
        "compute_seconds_per_batch": products * product_seconds,
        "sizes": {
            size_name(objects * bench.object_bytes): _measure(bench, objects, products)
            for objects in bench.sizes
        },
    }


def _measure(bench: Bench, objects: int, products: int) -> dict[str, Any]:
    jobs = {mode: bench.job(mode, objects, bench.line, products=products) for mode in MODES}
    samples = harness.interleave(jobs, bench.rounds)
    return {
        "bytes": objects * bench.object_bytes,
        **{mode: described(samples[mode]) for mode in MODES},
        "total_lower": judged(
            lower(*([s.total for s in samples[mode]] for mode in ("Pipe", "File"))),
            at_least=_LEAST_LOWER,
        ),
    }
