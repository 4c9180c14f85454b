"""Resident size against the size of the input."""

from __future__ import annotations

import os
from typing import Any

from s3_cases.bench import judged

from transform_cases.bench import Bench, Sample

_FILE_BYTES = 1 << 30
_RECORD_BYTES = 1024 + 16  # with its framing
_LINKS = 16
_MOST_GROWTH = 1.1
_SIDES = {"job": "peak_resident_bytes", "prefetcher": "prefetcher_peak_resident_bytes"}


def measure(bench: Bench) -> dict[str, Any]:
    """The dense model over 1 GiB and over 16: one file under as many names."""
    folder, _ = bench.material("dense", 1, _FILE_BYTES // _RECORD_BYTES)
    small = bench.ours(folder, watch_memory=True)
    (file,) = (folder / "data").iterdir()
    for number in range(1, _LINKS):
        os.link(file, file.with_name(f"link-{number:05}.tfrecords"))
    large = bench.ours(folder, watch_memory=True)
    return {
        "input_bytes": [small.details["bytes"], large.details["bytes"]],
        "records": [small.records, large.records],
        "seconds": [small.seconds, large.seconds],
        **{side: _compared(side, small, large) for side in _SIDES},
    }


def _compared(side: str, small: Sample, large: Sample) -> dict[str, Any]:
    peaks = [sample.details[_SIDES[side]] for sample in (small, large)]
    growth = {"median": peaks[1] / peaks[0]}
    return {"peak_resident_bytes": peaks, "growth": judged(growth, at_most=_MOST_GROWTH)}
