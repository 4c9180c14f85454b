"""A model that does next to nothing: what a job costs by itself, ours and those of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from transform_cases.bench import Bench, Contestant, Sample, compared, described, measured

_FILES = 64  # 4 GiB, beside which what a job costs at its start weighs little
_RECORDS = 65_536  # of each file
# For the others, which take longer for these than we do for all. Neither is faster with more of
# them: what they cost at the start is outside of the time taken.
_OTHERS_FILES = 8
_REST_RECORDS = 32_768
_RAY_RECORDS = 4_096
_LEAST_OF_REST = 10.0
_LEAST_OF_RAY = 2.0


def measure(bench: Bench) -> dict[str, Any]:
    """Our job against payloads of JSON to a server, and against Ray Data."""
    folder, made = bench.material("dense", _FILES, _RECORDS)
    rest, _ = bench.material("dense", _OTHERS_FILES, _REST_RECORDS)
    ray, _ = bench.material("dense", _OTHERS_FILES, _RAY_RECORDS)

    def run_rest() -> Sample:
        paths = rest / "model", rest / "data"
        return bench.run(lambda output: bench.module("rest_job", *paths, output))

    def run_ray() -> Sample:
        paths = ray / "model", ray / "data"
        return bench.run(
            lambda output: bench.module("ray_job", *paths, output, bench.cpus, rival=True)
        )

    contestants: dict[str, Callable[[], Sample | None]] = {
        "ours": lambda: bench.ours(folder),
        "rest": run_rest,
        "ray_data": Contestant(run_ray),
    }
    samples = measured(contestants, bench.rounds)
    return {
        "files": _FILES,
        "record_bytes": made["mean_record_bytes"],
        "contestants": described(samples, contestants),
        "ours_to_rest": compared(samples, contestants, "rest", _LEAST_OF_REST),
        "ours_to_ray_data": compared(samples, contestants, "ray_data", _LEAST_OF_RAY),
    }
