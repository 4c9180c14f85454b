"""Batch transform: our job against the model alone, and against what others run it with.

    python benchmarks/bench_transform.py [--cases cnn dense ...] [--rounds N]

All contestants of a case take turns, each run a process of its own that is timed from its first
request for data to its last result, without imports, the model's loading, and the start of servers
and clusters. What a first call of the model costs more is inside of the time, for all of them. Our
time is the job's own, which is in its record.

  cnn           Examples with JPEGs of 128 x 128, decoded in the SavedModel, and a small CNN: ours
                against a loop that calls the same signature on batches that are ready in memory,
                of the size that our job finds
  dense         Examples of 1 KiB through a model that does next to nothing, results as JSON: ours
                against payloads of 6 MB of JSON, POSTed to a server around the model, which is
                what SageMaker does (rest_job.py), and against Ray Data (ray_job.py). The others
                get fewer records, as they take longer; what is compared is records per second
  memory        peak resident size of the job and of its prefetcher over 1 GiB and over 16 GiB
  object_count  100,000 objects of a few hundred bytes, read from nginx as S3

Every ratio stands with the bar that the project has set itself and whether the median meets it.
Rivals that are missing or fail are named with the reason. The group `bench` has them. Data lie on
tmpfs where there is room; the object_count case needs nginx, which nginx_server.py installs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness
from s3_cases.bench import run_json
from transform_cases import cnn, dense, memory, object_count
from transform_cases.bench import Bench

CASES: dict[str, Callable[[Bench], dict[str, Any]]] = {
    "cnn": cnn.measure,
    "dense": dense.measure,
    "memory": memory.measure,
    "object_count": object_count.measure,
}
_RIVALS = ("ray", "pyarrow", "tensorflow-cpu", "tensorflow")
# What all data and results take; tmpfs takes it from memory, which the jobs need too.
_NEED_BYTES = 4 << 30


def main() -> None:
    """Parses the command line, measures, prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--rivals-python", default=sys.executable, help="an interpreter that has Ray Data"
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # and clean up
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    cpus = len(os.sched_getaffinity(0))
    versions = {
        "tensorflow": harness.tensorflow_version(),
        "rivals": run_json([options.rivals_python, "-m", "installed_versions", *_RIVALS]),
    }
    results = {}
    for case in options.cases:
        # A folder of each case's own: its data do not stand in the way of the next one's memory.
        with tempfile.TemporaryDirectory(prefix="smtf-bench-", dir=_place()) as directory:
            bench = Bench(Path(directory), options.rounds, options.rivals_python, cpus)
            begin = time.monotonic()
            results[case] = CASES[case](bench)
            print(f"{case}: {time.monotonic() - begin:.0f} s", file=sys.stderr)
    harness.print_report("transform", results, rounds=options.rounds, versions=versions)


def _place() -> str | None:
    tmpfs = Path("/dev/shm")
    if not tmpfs.is_dir():
        return None
    free = min(shutil.disk_usage(tmpfs).free, _available_memory() // 2)
    return str(tmpfs) if free > _NEED_BYTES else None


def _available_memory() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    main()
