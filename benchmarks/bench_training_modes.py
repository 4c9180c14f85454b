"""One training script in File and in Pipe mode, over the same data behind a slow line.

    python benchmarks/bench_training_modes.py [--sizes GIB ...] [--rounds N] [--smoke]

A job is what `TensorFlow(...).fit` runs, in a process of its own: the driver, its prefetcher and
the script. In File mode the channel is downloaded first, and the script reads the files with
TFRecordDataset; in Pipe mode it reads the same records with PipeModeDataset. One epoch, batches of
64 records of 128 KiB, each of which is looked at.

What is emulated, and held to rates:

  line   native/paced_server.cc, an S3 server on loopback and on the same cores, sends 200 MB/s over
         all connections together, and waits for 30 ms before every answer. Its objects are one of
         64 MiB, in memory, under many names
  disk   ext4 on a loop device that the kernel holds to 250 MB/s of writes, and of reads, with the
         page cache of this machine before it (training_cases/disk.py). That needs root and
         cgroup v1; the results say where it was not held, and how fast 512 MiB were written

The cases:

  starts     Pipe mode to the first batch and no further, every size
  sizes      every size, with nothing to compute
  balanced   the same, with matrix products that take one core as long as the line takes for a batch
  fast_line  the largest size behind a line of 1,000 MB/s, which the disk is slower than

Times begin when `fit` is called. TensorFlow's import is in them, and given apart; figures
"without_import" leave it out. Input throughput is the channel's bytes over the time from `fit` to
the end of the data. Disk is what is allocated below the jobs' directory, memory the largest VmHWM
of each process; the page cache is in neither. By default whole jobs run once, and all takes 15
minutes.

Keras imports scikit-learn, pandas and scipy where they are, which takes longer than the start of a
job. --jobs-python names an environment without them, as users have who install this package alone.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import harness
import s3_data
from s3_cases.bench import run_json
from training_cases import balanced, fast_line, sizes, starts
from training_cases.bench import Bench, Line
from training_cases.disk import disk_of

CASES: dict[str, Callable[[Bench], dict[str, Any]]] = {
    "starts": starts.measure,
    "sizes": sizes.measure,
    "balanced": balanced.measure,
    "fast_line": fast_line.measure,
}
_SMOKE_GIB = [1 / 16]


def main() -> None:
    """Parses the command line, measures, prints JSON."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # and clean up
    line = Line(options.line_mb_per_second, options.first_byte_ms)
    data = s3_data.DataSet("objects", 1, 64 << 20)
    objects = [max(1, round(gib * (1 << 30) / data.object_bytes)) for gib in options.sizes]
    results = {}
    with (
        s3_data.made(data) as root,
        disk_of(options.disk_mb_per_second, max(objects) * data.object_bytes) as disk,
    ):
        bench = Bench(
            object_path=root / data.bucket / data.names[0],
            object_payload=data.payload_bytes,
            disk=disk,
            line=line,
            python=options.jobs_python,
            sizes=objects,
            rounds=options.rounds,
            starts=options.starts,
            fast_mb_per_second=options.fast_mb_per_second,
        )
        conditions = {"line": vars(line), "disk": disk.described()}
        for case in options.cases:
            begin = time.monotonic()
            results[case] = CASES[case](bench)
            print(f"{case}: {time.monotonic() - begin:.0f} s", file=sys.stderr)
    harness.print_report(
        "training_modes",
        results,
        **conditions,
        memory_bytes=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        record_bytes=s3_data.RECORD_BYTES,
        rounds=options.rounds,
        starts=options.starts,
        jobs=run_json([options.jobs_python, "-m", "training_cases.versions"]),
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--sizes", nargs="+", type=float, default=[1, 4, 16], metavar="GIB")
    parser.add_argument("--rounds", type=int, default=1, help="of whole jobs")
    parser.add_argument("--starts", type=int, default=3, help="rounds of the case of that name")
    parser.add_argument("--line-mb-per-second", type=float, default=200, metavar="MB/S")
    parser.add_argument("--fast-mb-per-second", type=float, default=1000, metavar="MB/S")
    parser.add_argument("--first-byte-ms", type=float, default=30, metavar="MS")
    parser.add_argument(
        "--disk-mb-per-second", type=float, default=250, metavar="MB/S", help="0: not held"
    )
    parser.add_argument(
        "--jobs-python",
        default=sys.executable,
        metavar="PYTHON",
        help="an interpreter with this package, TensorFlow and nothing that Keras imports beside",
    )
    parser.add_argument(
        "--smoke", action="store_true", help="64 MiB and one case, to see whether it works"
    )
    options = parser.parse_args()
    if options.smoke:
        options.sizes, options.cases, options.disk_mb_per_second = _SMOKE_GIB, ["sizes"], 0.0
    return options


if __name__ == "__main__":
    main()
