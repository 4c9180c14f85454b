"""Reading S3: our engine against other clients, to memory and into PipeModeDataset.

    python benchmarks/bench_s3_stream.py [--cases big small ...] [--rounds N]

nginx serves static objects on loopback (nginx_server.py installs and starts it): 16 of 64 MiB and
2,000 of 256 KiB, from memory. All contestants of a case take turns, each run a process of its own
that is timed from its first request to its last byte, without its start.

  big, small     S3 to memory, in order; rivals with 8 connections and parts of 8 MiB, ours with
                 what it finds; raw is a client of bare sockets without order that shows what the
                 machine can do
  tls            big over TLS 1.3
  end_to_end     Prefetcher -> PipeModeDataset(batch_size=128), TFRecords of 128 KiB, CRCs on; and
                 the same with PipeModeDataset.from_uri, through shared memory
  distance       100 ms to the first byte and 50 MB/s per connection: rate against the limit
  first_record   the same server: round trips from the first request to the first record
  memory         resident size of the prefetcher's process over 16 GiB
  tuning         connections and part size found at run time against a grid of fixed ones
  throttled      small, with 5 % of the requests answered by 503, against small without
  storm          6 s in which everything is answered by 503: the rate before and after

Every ratio stands with the bar that the project has set itself and whether the median meets it.
Rivals that are missing or fail are named with the reason. The group `bench` has them.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness
import nginx_server
import s3_data
from s3_cases import clients, distance, end_to_end, throttling, tuning
from s3_cases.bench import Bench, run_json

CASES: dict[str, Callable[[Bench], dict[str, Any]]] = {
    "big": clients.measure_big,
    "small": clients.measure_small,
    "tls": clients.measure_tls,
    "end_to_end": end_to_end.measure_rate,
    "distance": distance.measure_rate,
    "first_record": distance.measure_first_record,
    "memory": end_to_end.measure_memory,
    "tuning": tuning.measure,
    "throttled": throttling.measure_throttled,
    "storm": throttling.measure_storm,
}
_RIVALS = ("boto3", "obstore", "s3torchconnectorclient", "awscrt")
_USES_SMALL = {"small", "tuning", "throttled"}


def main() -> None:
    """Parses the command line, measures, prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--rounds", type=int, default=9, help="3 at most where runs are long")
    parser.add_argument(
        "--rivals-python", default=sys.executable, help="an interpreter that has the other clients"
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # and clean up
    data = [s3_data.BIG, *([s3_data.SMALL] if _USES_SMALL & {*options.cases} else [])]
    results = {}
    with (
        tempfile.TemporaryDirectory(prefix="smtf-bench-") as directory,
        s3_data.made(*data) as root,
        nginx_server.serve(root) as server,
    ):
        bench = Bench(server, Path(directory), options.rounds, options.rivals_python)
        for case in options.cases:
            begin = time.monotonic()
            results[case] = CASES[case](bench)
            print(f"{case}: {time.monotonic() - begin:.0f} s", file=sys.stderr)
    harness.print_report(
        "s3_stream",
        results,
        rounds=options.rounds,
        versions={
            "tensorflow": harness.tensorflow_version(),
            **run_json([options.rivals_python, "-m", "installed_versions", *_RIVALS]),
        },
    )


if __name__ == "__main__":
    main()
