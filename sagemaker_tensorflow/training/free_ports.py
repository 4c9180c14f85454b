"""Ports that nobody listens on."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from pathlib import Path

from sagemaker_tensorflow.errors import UnavailableError

# Below are ports that services have by convention.
_LOWEST = 10_000
_HIGHEST = 65_535
# Linux: what the kernel gives to connections that leave this machine. One of these ports may be
# taken at any time by a download, and TensorFlow needs seconds before it listens.
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TRIES = 1_000


def free_ports(count: int) -> list[int]:
    """Finds ports for servers that will soon be started, on any address of this machine.

    Nothing holds them until then. They are chosen at random, so that two who look at the same time
    hardly find the same.

    Raises:
        UnavailableError: There are none.
    """
    found: list[int] = []
    for port in _candidates():
        if port not in found and _is_free(port):
            found.append(port)
        if len(found) >= count:
            return found[:count]
    raise UnavailableError(
        f"of {_TRIES} ports tried between {_LOWEST} and {_HIGHEST} {len(found)} are free, and "
        f"{count} are needed"
    )


def _candidates() -> Iterator[int]:
    low, high = _ephemeral_ports()
    outside = [*range(_LOWEST, low), *range(high + 1, _HIGHEST + 1)]
    choices = outside if len(outside) > _TRIES else range(_LOWEST, _HIGHEST + 1)
    for _ in range(_TRIES):
        yield random.choice(choices)  # noqa: S311 - not a secret


def _ephemeral_ports() -> tuple[int, int]:
    try:
        low, high = _EPHEMERAL.read_text().split()
    except (OSError, ValueError):
        return _HIGHEST, _HIGHEST
    return int(low), int(high)


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
