"""Restoring an iterator in the middle of an epoch, against reading up to there.

    python benchmarks/bench_restore.py [--gib 4] [--rounds 3]

The server (native/paced_server.cc) has objects of 64 MiB, which are one in memory under many names,
on loopback, behind a line of a given rate over all connections together and 30 ms before every
answer:

  line  200 MB/s
  fast  1,000 MB/s

One process reads half of the epoch, in batches of 128 records of 128 KiB, and saves a checkpoint.
Then others, by turns:

  restored    a prefetcher is started, the checkpoint read and the next batch taken
  from_start  a prefetcher is started and the epoch read up to the same batch

Seconds without the start of the prefetcher's process are from `iter` to that batch, with its last
byte; "fetched_bytes" is what had come from the server by then. Both have to get the same batch, and
one of the restored reads on and counts the rest of the epoch. TensorFlow's import is in no figure.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import harness
import s3_data
from native_programs import serving
from s3_cases.bench import FailedRunError, judged, run_json

LINES = {"line": 200, "fast": 1000}  # MB/s
FIRST_BYTE_MS = 30
OBJECT_BYTES = 64 << 20
MOST_SECONDS = 2.0
_READER = Path(__file__).with_name("restore_reader.py")
_AWS = {
    "AWS_ACCESS_KEY_ID": "access",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


@contextlib.contextmanager
def serve(file: Path, objects: int, mb_per_second: int) -> Iterator[dict[str, str]]:
    """The environment in which a running paced_server is found."""
    with serving("paced_server", file, objects, mb_per_second, FIRST_BYTE_MS) as url:
        yield {**os.environ, **_AWS, "AWS_ENDPOINT_URL": url}


def measure(file: Path, objects: int, mb_per_second: int, rounds: int) -> dict[str, Any]:
    """One line."""
    records = s3_data.DataSet("bucket", objects, OBJECT_BYTES).records
    with (
        tempfile.TemporaryDirectory() as directory,
        serve(file, objects, mb_per_second) as environment,
    ):

        def run(action: str) -> dict[str, Any]:
            command = [sys.executable, str(_READER), action, directory, str(records // 2)]
            return run_json(command, env=environment)

        saved = run("save")
        samples = harness.interleave(
            {name: functools.partial(run, name) for name in ("restored", "from_start")}, rounds
        )
        counted = run("count")
    for name, runs in samples.items():
        if any(sample["next_record"] != saved["next_record"] for sample in runs):
            raise FailedRunError(f"{name}: another batch than the one behind the checkpoint")
    if saved["read"] + counted["read"] != records:
        raise FailedRunError(
            f"{saved['read']} records before and {counted['read']} behind the checkpoint, of "
            f"{records}"
        )
    seconds = {name: [run["seconds"] for run in runs] for name, runs in samples.items()}
    return {
        "line_mb_per_second": mb_per_second,
        "first_byte_ms": FIRST_BYTE_MS,
        "bytes": objects * OBJECT_BYTES,
        "at_record": saved["read"],
        **{name: described(runs) for name, runs in samples.items()},
        "restored_seconds": judged(harness.summary(seconds["restored"]), at_most=MOST_SECONDS),
        "from_start_to_restored": harness.ratios(seconds["from_start"], seconds["restored"]),
    }


def described(runs: list[dict[str, Any]]) -> dict[str, harness.Summary]:
    """Quartiles of what one contestant took."""
    names = ("seconds", "prefetcher_start_seconds", "fetched_bytes")
    return {name: harness.summary([run[name] for run in runs]) for name in names}


def main() -> None:
    """Parses the command line, measures, prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gib", type=float, default=4.0, help="of the epoch")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    objects = max(2, round(options.gib * (1 << 30) / OBJECT_BYTES))
    data = s3_data.DataSet("bucket", 1, OBJECT_BYTES)
    with s3_data.made(data) as root:
        file = root / data.bucket / data.names[0]
        results = {
            name: measure(file, objects, rate, options.rounds) for name, rate in LINES.items()
        }
    harness.print_report(
        "restore", results, rounds=options.rounds, tensorflow=harness.tensorflow_version()
    )


if __name__ == "__main__":
    main()
