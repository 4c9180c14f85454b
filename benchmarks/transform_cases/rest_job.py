"""``python -m transform_cases.rest_job MODEL DATA OUTPUT``: a job as SageMaker does it.

Records are put together to JSON payloads of at most MaxPayloadInMB, 6 by default, and POSTed to a
server around the model one after the other, which is MaxConcurrentTransforms 1, the default; the
answers are written one behind the other, an output file per input file. Timed from the first read
to the last result, without the server's start.
"""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from sagemaker_tensorflow.records import open_records

_MAX_PAYLOAD = 6 << 20
_HEAD = len('{"instances": []}')
_EACH = len('{"b64": ""}, ')


def payloads(records: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """How many records are in it, and the body of a request."""
    instances: list[dict[str, str]] = []
    size = _HEAD
    for record in records:
        text = base64.b64encode(record).decode()
        if instances and size + len(text) + _EACH > _MAX_PAYLOAD:
            yield len(instances), json.dumps({"instances": instances}).encode()
            instances, size = [], _HEAD
        instances.append({"b64": text})
        size += len(text) + _EACH
    if instances:
        yield len(instances), json.dumps({"instances": instances}).encode()


def post(server: http.client.HTTPConnection, body: bytes) -> bytes:
    """The answer to a payload."""
    server.request("POST", "/v1/models/model:predict", body, {"Content-Type": "application/json"})
    response = server.getresponse()
    answer = response.read()
    if response.status != 200:
        sys.exit(f"the server answered {response.status}: {answer[:500]!r}")
    return answer


def transform(server: http.client.HTTPConnection, data: Path, output: Path) -> int:
    """How many records were answered."""
    done = 0
    for path in sorted(data.iterdir()):
        with (
            open_records(path, "TFRecord") as records,
            (output / f"{path.name}.out").open("wb") as out,
        ):
            for count, body in payloads(records):
                out.write(post(server, body))
                done += count
    return done


def main() -> None:
    """Starts a server, times the job of the command line."""
    model, data, output = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    output.mkdir()
    command = [sys.executable, "-m", "transform_cases.rest_server", model]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            if not port:
                sys.exit("the server did not start")
            server = http.client.HTTPConnection("127.0.0.1", int(port))
            begin = time.perf_counter()
            records = transform(server, data, output)
            seconds = time.perf_counter() - begin
        finally:
            process.terminate()
    print(json.dumps({"records": records, "seconds": seconds}))


if __name__ == "__main__":
    main()
