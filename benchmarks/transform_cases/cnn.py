"""A model that has to work: what a job costs beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from transform_cases.bench import Bench, Sample, compared, described, measured

_FILES = 4
_RECORDS = 5_000  # of each file
_LEAST_OF_LOOP = 0.95


def measure(bench: Bench) -> dict[str, Any]:
    """Our job, which finds its batch size, against a loop over batches of that size in memory."""
    folder, made = bench.material("cnn", _FILES, _RECORDS)
    found = bench.ours(folder).details["batch_size"]  # and the files come into caches

    def ours() -> Sample:
        nonlocal found
        sample = bench.ours(folder)
        found = sample.details["batch_size"]
        return sample

    def loop() -> Sample:
        model, data = folder / "model", folder / "data"
        return bench.run(lambda _: bench.module("tight_loop", model, data, found))

    contestants: dict[str, Callable[[], Sample]] = {"ours": ours, "loop": loop}
    samples = measured(contestants, bench.rounds)
    return {
        "files": _FILES,
        "records": _FILES * _RECORDS,
        "mean_record_bytes": made["mean_record_bytes"],
        "contestants": described(samples, contestants),
        "ours_to_loop": compared(samples, contestants, "loop", _LEAST_OF_LOOP),
    }
