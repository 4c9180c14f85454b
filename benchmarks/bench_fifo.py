"""The reader's side of a FIFO, and a ring, against a bare loop over the same kind of FIFO.

The first two read what the same bare vmsplice loop of another process writes; see
native/fifo_bench.cc.

  bare     read() of 256 KiB into one buffer, the fastest of the sizes tried
  reader   the channel's pipe and the TFRecord reader, CRCs on, each record into the same memory
  ring     the same through a ring in shared memory, which a feed's outlet writes to
"""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Callable

import harness
from native_programs import program

RECORD_BYTES = (128 * 1024, 1024 * 1024)
VARIANTS = ("bare", "reader", "ring")


def contestant(variant: str, record_bytes: int, total_bytes: int) -> Callable[[], float]:
    """A function that runs one variant once and returns its bytes per second."""
    command = [str(program("fifo_bench")), variant, str(record_bytes), str(total_bytes)]
    return lambda: float(subprocess.run(command, check=True, capture_output=True).stdout)


def measure(record_bytes: int, total_bytes: int, rounds: int) -> object:
    """All variants at one record size."""
    running = {v: contestant(v, record_bytes, total_bytes) for v in VARIANTS}
    samples = harness.interleave(running, rounds)
    return {
        "record_bytes": record_bytes,
        "mb_per_second": {
            name: harness.summary([rate / 1e6 for rate in rates]) for name, rates in samples.items()
        },
        "ratio_to_bare": harness.ratios(samples["reader"], samples["bare"]),
        "ring_to_reader": harness.ratios(samples["ring"], samples["reader"]),
    }


def main() -> None:
    """Parses the command line, measures, prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--mib", type=int, default=4096, help="bytes through the FIFO in each run")
    options = parser.parse_args()
    results = [measure(size, options.mib << 20, options.rounds) for size in RECORD_BYTES]
    harness.print_report("fifo", results, rounds=options.rounds, mib=options.mib)


if __name__ == "__main__":
    main()
