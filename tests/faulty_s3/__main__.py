"""``python -m tests.faulty_s3 --port 0``: prints both URLs in a line and serves until it is ended.

``curl -d '[{"kind": "slow_down", "rate": 0.1}]' $URL/_control/faults`` switches faults on;
control.py has the other commands.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import threading

from tests.faulty_s3.server import FaultyS3Server, ServerOptions


def main() -> None:
    defaults = ServerOptions()
    parser = argparse.ArgumentParser(prog="python -m tests.faulty_s3", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--owned", action="store_true", help="end with stdin")
    parser.add_argument("--bucket", default=defaults.bucket)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--latency", type=float, default=defaults.latency)
    parser.add_argument("--bytes-per-second", type=float)
    parser.add_argument("--checksum", choices=["crc32", "crc32c", "crc64nvme"])
    parser.add_argument("--checksum-of-ranges", action="store_true")
    parser.add_argument("--keep-requests", type=int, default=defaults.keep_requests)
    arguments = vars(parser.parse_args())
    names = {field.name for field in dataclasses.fields(ServerOptions)}
    server = FaultyS3Server(ServerOptions(**{n: arguments[n] for n in names}))
    server.listen(arguments["port"])
    print(*server.urls, flush=True)
    if arguments["owned"]:
        sys.stdin.read()
    else:
        threading.Event().wait()


if __name__ == "__main__":
    main()
