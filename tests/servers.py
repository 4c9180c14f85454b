"""Servers for tests, each a process of its own on a free port."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def moto_server(certificate: tuple[Path, Path] | None = None) -> Iterator[str]:
    """Runs moto's server, with TLS if given certificate and key; yields its URL."""
    port = free_port()
    tls = ["-c", str(certificate[0]), "-k", str(certificate[1])] if certificate else []
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port), *tls],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port, server, "moto's server")
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def wait_for_port(port: int, server: subprocess.Popen[bytes], name: str) -> None:
    """Waits until `server` listens on the port of 127.0.0.1."""
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            assert server.poll() is None, f"{name} ended"
            assert time.monotonic() < deadline, f"{name} does not listen"
            time.sleep(0.05)
