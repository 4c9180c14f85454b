"""The first batch in Pipe mode, and nothing after it: the same however much data there is?"""

from __future__ import annotations

from typing import Any

import harness
from s3_cases.bench import judged

from training_cases.bench import Bench, size_name

_MOST_SPREAD = 1.1


def measure(bench: Bench) -> dict[str, Any]:
    """Every size; the slowest median over the fastest."""
    jobs = {
        size_name(objects * bench.object_bytes): bench.job(
            "Pipe", objects, bench.line, first_batch_only=1
        )
        for objects in bench.sizes
    }
    samples = harness.interleave(jobs, bench.starts)
    found = {
        size: {
            "first_batch_seconds": harness.summary([s.first_batch for s in taken]),
            "first_batch_without_import_seconds": harness.summary(
                [s.first_batch_without_import for s in taken]
            ),
            "import_seconds": harness.summary([s.importing for s in taken]),
            "script_began_seconds": harness.summary([s.script for s in taken]),
        }
        for size, taken in samples.items()
    }
    medians = [of_size["first_batch_seconds"]["median"] for of_size in found.values()]
    return {
        "sizes": found,
        "spread": judged({"median": max(medians) / min(medians)}, at_most=_MOST_SPREAD),
    }
