"""The control path: what `FaultyS3` asks of the server while it runs, as JSON."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.faulty_s3.access import AccessKey
from tests.faulty_s3.answers import Answer
from tests.faulty_s3.faults import Fault
from tests.faulty_s3.http_connection import HttpRequest

if TYPE_CHECKING:
    from tests.faulty_s3.server import FaultyS3Server

# The underscore makes it no bucket's name.
CONTROL_PATH = "/_control/"


def control(server: FaultyS3Server, request: HttpRequest) -> Answer:
    """Does what is asked. A request that makes no sense is a 400 with the reason."""
    try:
        command = _COMMANDS[request.path.removeprefix(CONTROL_PATH)]
        result, status = command(server, json.loads(request.body or b"null")), 200
    except (KeyError, TypeError, ValueError) as error:
        result, status = {"error": repr(error)}, 400
    body = json.dumps(result).encode()
    return Answer(status, {"Content-Type": "application/json"}, len(body), (memoryview(body),))


def _put(server: FaultyS3Server, bodies: dict[str, str]) -> None:
    server.bucket.put({key: base64.b64decode(body) for key, body in bodies.items()})


def _set_faults(server: FaultyS3Server, faults: list[dict[str, Any]]) -> None:
    server.faults.set([Fault.from_json(fault) for fault in faults])


def _make_credentials(server: FaultyS3Server, numbers: dict[str, float]) -> dict[str, Any]:
    """What a credential_process prints.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
    """
    key = server.access.make_temporary(numbers["life"])
    told = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(
        seconds=numbers.get("told_life", numbers["life"])
    )
    return {
        "Version": 1,
        "AccessKeyId": key.id,
        "SecretAccessKey": key.secret,
        "SessionToken": key.token,
        "Expiration": told.isoformat(),
    }


_COMMANDS: dict[str, Callable[[FaultyS3Server, Any], Any]] = {
    "add": lambda server, sizes: server.bucket.add(sizes),
    "put": _put,
    "replace": lambda server, key: server.bucket.replace(key),
    "delete": lambda server, key: server.bucket.delete(key),
    "clear": lambda server, _: server.bucket.clear(),
    "faults": _set_faults,
    "requests": lambda server, _: server.log.requests(),
    "totals": lambda server, _: server.log.totals(),
    "forget": lambda server, _: server.log.clear(),
    "allow": lambda server, key: server.access.add(AccessKey(**key)),
    "credentials": _make_credentials,
    "expire": lambda server, _: server.access.expire(),
}
