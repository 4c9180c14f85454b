"""The server in a process of its own, as tests and benchmarks hold it."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import http.client
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.faulty_s3.faults import Fault
from tests.faulty_s3.objects import Bucket
from tests.faulty_s3.request_log import LoggedRequest
from tests.faulty_s3.server import ServerOptions

_ROOT = Path(__file__).parents[2]


class FaultyS3:
    """A running server. `truth` says what it holds without asking it.

    Attributes:
        url: The endpoint.
        other_url: Its second port.
        uri: ``s3://`` and the bucket's name.
    """

    def __init__(self, url: str, other_url: str, options: ServerOptions) -> None:
        self.url = url
        self.other_url = other_url
        self.uri = f"s3://{options.bucket}"
        self._mirror = Bucket(options.seed)

    def add(self, sizes: Mapping[str, int]) -> None:
        """Adds objects of these sizes in bytes, whose content is made up from the seed."""
        self._mirror.add(sizes)
        self.command("add", sizes)

    def put(self, bodies: Mapping[str, bytes]) -> None:
        """Adds objects with these contents."""
        self._mirror.put(bodies)
        self.command("put", {key: base64.b64encode(b).decode() for key, b in bodies.items()})

    def delete(self, key: str) -> None:
        self._mirror.delete(key)
        self.command("delete", key)

    def truth(self, prefix: str = "") -> bytes:
        """What a channel of this prefix streams: its objects, but for those that faults changed."""
        return self._mirror.content(prefix)

    def set_faults(self, *faults: Fault) -> None:
        """Switches these on and all others off. Of several that fit, the first is taken."""
        self.command("faults", [fault.to_json() for fault in faults])

    def requests(self, method: str = "GET", key: str | None = None) -> list[LoggedRequest]:
        """The latest requests, in the order of their arrival; of one key, if it is given."""
        logged = (LoggedRequest(**values) for values in self.command("requests"))
        return [r for r in logged if r.method == method and key in (None, r.key)]

    def totals(self) -> dict[str, Any]:
        """``{"faults": {kind: n}, "statuses": {status: n}, "body_bytes": n}`` since `forget`."""
        totals: dict[str, Any] = self.command("totals")
        return totals

    def faults_given(self) -> dict[str, int]:
        """How many requests got a fault, by kind."""
        given: dict[str, int] = self.totals()["faults"]
        return given

    def forget(self) -> None:
        """Empties the log."""
        self.command("forget")

    def allow(self, access_key: str, secret_key: str) -> None:
        """From the first call on signatures are checked."""
        self.command("allow", {"id": access_key, "secret": secret_key})

    def expire_credentials(self) -> None:
        """Every key that there is is of no use from now on."""
        self.command("expire")

    def command(self, name: str, argument: object = None) -> Any:
        """Sends a command of control.py."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"))
        with contextlib.closing(connection):
            connection.request("POST", f"/_control/{name}", json.dumps(argument).encode())
            answer = connection.getresponse()
            result = json.load(answer)
        if answer.status != 200:
            raise ValueError(f"{name}: {result['error']}")
        return result


@contextlib.contextmanager
def faulty_s3(options: ServerOptions | None = None) -> Iterator[FaultyS3]:
    """Runs a server; it ends with the block, and with this process however that ends."""
    options = options or ServerOptions()
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.faulty_s3", "--owned", *_arguments(options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=_ROOT,
    )
    with server:
        assert server.stdin and server.stdout
        try:
            url, other_url = server.stdout.readline().decode().split()
            yield FaultyS3(url, other_url, options)
        finally:
            server.kill()


def _arguments(options: ServerOptions) -> Iterator[str]:
    for name, value in dataclasses.asdict(options).items():
        flag = name.replace("_", "-")
        if value is True:
            yield f"--{flag}"
        elif value not in (False, None):
            yield f"--{flag}={value}"
