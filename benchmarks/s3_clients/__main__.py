"""``python -m s3_clients NAME OPTIONS``: runs one client once and prints what it took as JSON.

NAME is a module of this package with a function ``prepare(job)`` that makes the client and returns
the function that is timed, which returns how many bytes it got. The options are `Job`'s.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time

from s3_clients.job import Job


def main() -> None:
    """Times the client that is named on the command line."""
    fetch = importlib.import_module(f"s3_clients.{sys.argv[1]}").prepare(
        Job.from_arguments(sys.argv[2:])
    )
    cpu, begin = time.process_time(), time.perf_counter()
    total = fetch()
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - cpu
    took = {"bytes": total, "seconds": seconds, "cpu_seconds": cpu_seconds}
    print(json.dumps(took), flush=True)
    # Not through the interpreter's end, where threads of native clients abort now and then.
    os._exit(0)


if __name__ == "__main__":
    main()
