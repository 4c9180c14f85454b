"""nginx as an S3 server over plain files: plain, with TLS, distant and throttling.

    python benchmarks/nginx_server.py ROOT

serves the folders of ROOT as buckets, on free ports, until Ctrl-C and prints where. Files need the
modification time `MTIME`, so that the listed ETags are the served ones. Needs the system packages
of the group `bench`; they are installed when this runs as root.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import processes

MTIME = 1_700_000_000
# What servers/nginx-s3.conf.template says of the distant server.
LATENCY_SECONDS = 0.1
BYTES_PER_SECOND = 50e6
_ENDPOINTS = ("PLAIN", "TLS", "DISTANT", "THROTTLING")
_HERE = Path(__file__).resolve().parent
_MODULES = Path("/usr/lib/nginx/modules")
_START_SECONDS = 10


@dataclass(frozen=True)
class Server:
    """A running nginx.

    Attributes:
        plain: An endpoint that answers as fast as it can.
        tls: The same with TLS.
        distant: The same at a distance: see `LATENCY_SECONDS` and `BYTES_PER_SECOND`.
        throttling: The same, but 5 % of the requests for objects are answered by 503 SlowDown.
        ca: File of the certificate to trust for `tls`.
        distant_log: What came to `distant`; see `arrivals`.
        pid: Of its master process.
    """

    plain: str
    tls: str
    distant: str
    throttling: str
    ca: str
    distant_log: str
    pid: int

    def cpu_seconds(self) -> float:
        """User and system time of its workers so far."""
        return processes.cpu_seconds(*processes.children(self.pid))

    def arrivals(self, since: float) -> list[tuple[float, str]]:
        """Requests to `distant` that came after `since`, a time.time(), and have been answered."""
        found = []
        for line in Path(self.distant_log).read_text().splitlines():
            ended, took, request = line.split(" ", 2)
            if (came := float(ended) - float(took)) >= since:
                found.append((came, request))
        return sorted(found)


@contextlib.contextmanager
def serve(root: Path) -> Iterator[Server]:
    """Serves the folders of `root` as buckets until the block ends."""
    require_packages()
    state = Path(tempfile.mkdtemp(prefix="smtf-nginx-"))
    try:
        _make_certificate(state)
        ports = dict(zip(_ENDPOINTS, free_ports(len(_ENDPOINTS)), strict=True))
        config = _write_config(state, root.resolve(), ports)
        program = shutil.which("nginx") or "/usr/sbin/nginx"  # not on every user's PATH
        command = [program, "-p", str(state), "-e", str(state / "error.log"), "-c", str(config)]
        nginx = subprocess.Popen(command)
        try:
            for port in ports.values():
                _wait_for_port(port, nginx, state)
            yield Server(
                plain=f"http://127.0.0.1:{ports['PLAIN']}",
                tls=f"https://localhost:{ports['TLS']}",
                distant=f"http://127.0.0.1:{ports['DISTANT']}",
                throttling=f"http://127.0.0.1:{ports['THROTTLING']}",
                ca=str(state / "ca.pem"),
                distant_log=str(state / "distant.log"),
                pid=nginx.pid,
            )
        finally:
            nginx.terminate()
            nginx.wait()
    finally:
        shutil.rmtree(state)


def require_packages() -> None:
    """Installs what is missing, or ends with the command that does."""
    script = _HERE.parent / "tools" / "system_packages.sh"
    if subprocess.run([str(script), "bench"], stdout=sys.stderr).returncode != 0:
        sys.exit("the S3 benchmarks need these packages")


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def _make_certificate(state: Path) -> None:
    """A CA and a certificate of its own for localhost: some clients refuse one that is both."""
    new = ["openssl", "req", "-x509", "-days", "2", "-nodes", "-newkey", "ec"]
    new += ["-pkeyopt", "ec_paramgen_curve:P-256"]
    ca = ["-subj", "/CN=smtf benchmarks", "-keyout", "ca.key", "-out", "ca.pem"]
    leaf = ["-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.pem"]
    leaf += ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE"]
    leaf += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    for arguments in (ca, leaf):
        subprocess.run([*new, *arguments], cwd=state, check=True, capture_output=True)


def _write_config(state: Path, root: Path, ports: dict[str, int]) -> Path:
    # Workers of a root nginx are another user otherwise, who may not read a temporary directory.
    user = f"user {pwd.getpwuid(os.geteuid()).pw_name};" if os.geteuid() == 0 else ""
    values = {"ROOT": root, "STATE": state, "MODULES": _MODULES, "USER": user, **ports}
    values["MTIME"] = f"{MTIME:x}"
    for name in ("nginx-s3.conf.template", "list-objects.xslt"):
        text = (_HERE / "servers" / name).read_text()
        for key, value in values.items():
            text = text.replace(f"@{key}@", str(value))
        (state / name).write_text(text)
    return state / "nginx-s3.conf.template"


def _wait_for_port(port: int, nginx: subprocess.Popen[bytes], state: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            if nginx.poll() is not None or time.monotonic() > deadline:
                log = state / "error.log"
                words = log.read_text() if log.exists() else "(no log)"
                sys.exit(f"nginx does not listen on port {port}; its log:\n{words}")
            time.sleep(0.02)


def main() -> None:
    """Serves until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path, help="a folder of buckets")
    root = parser.parse_args().root
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    with serve(root) as server:
        print(json.dumps(asdict(server)), flush=True)
        signal.sigwait(signals)


if __name__ == "__main__":
    main()
