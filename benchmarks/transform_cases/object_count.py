"""Many small objects: what each of them costs."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import harness
import nginx_server

from transform_cases.bench import Bench

_OBJECTS = 100_000
_BUCKET = "small"
_ROW = 16  # material.py's SMALL_ROW


def measure(bench: Bench) -> dict[str, Any]:
    """Objects of one JSON instance each, from S3 to files, once."""
    folder, _ = bench.material("small")
    root = bench.directory / "buckets"
    size = _write_objects(root / _BUCKET)
    with nginx_server.serve(root) as server:
        sample = bench.ours(
            folder,
            endpoint_url=server.plain,
            input_uri=f"s3://{_BUCKET}/",
            split_type="None",
            signature="rows",
            content_type="application/json",
        )
    return {
        "objects": sample.details["objects"],
        "mean_object_bytes": size / _OBJECTS,
        "seconds": sample.seconds,
        "objects_per_second": harness.summary([sample.details["objects"] / sample.seconds]),
        "last_run": dict(sample.details),
    }


def _write_objects(bucket: Path) -> int:
    """Their bytes together."""
    bucket.mkdir(parents=True)
    dealer = random.Random(_BUCKET)
    total = 0
    for number in range(_OBJECTS):
        row = [round(dealer.gauss(0, 1), 6) for _ in range(_ROW)]
        body = json.dumps({"instances": [row]})
        path = bucket / f"{number:06}.json"
        path.write_text(body)
        os.utime(path, (nginx_server.MTIME, nginx_server.MTIME))
        total += len(body)
    return total
