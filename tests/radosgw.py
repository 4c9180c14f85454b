"""A real S3 server for tests: Ceph's radosgw, on loopback, with its storage in memory."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tests.pipes import wait_until
from tests.servers import free_port, wait_for_port

PROGRAMS = ("ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")

# One monitor, one in-memory OSD, one copy of everything, and no keys but radosgw's own.
#
# The monitor's waits are for clusters in which many change things at a time: without them the
# server is up in two seconds instead of twelve. What the OSD would tell the monitor when it starts
# (update on start) is told for it, as the OSD's first command may come before it knows the
# cluster's id, which ends it with "wrong fsid". Listings come in short pages, so that a few hundred
# keys are several.
# https://docs.ceph.com/en/pacific/rados/configuration/
# https://docs.ceph.com/en/pacific/radosgw/config-ref/
CONFIGURATION = """\
[global]
fsid = {fsid}
mon host = [v1:127.0.0.1:{mon_port}]
mon initial members = a
auth cluster required = none
auth service required = none
auth client required = none
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
run dir = {directory}
admin socket =
pid file =
log file = {directory}/$name.log
crash dir = {directory}
mon data = {directory}/mon
paxos propose interval = 0.02
paxos min wait = 0.01
mon tick interval = 1
mon allow pool size one = true
mon warn on pool no redundancy = false
osd data = {directory}/osd
osd objectstore = memstore
memstore device bytes = 1073741824
osd class update on start = false
osd crush update on start = false
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
[client.rgw]
rgw data = {directory}
rgw max listing results = {page}
"""


PAGE = 100
ACCESS_KEY = "AKIDRADOSGWTEST"
SECRET_KEY = "not-a-secret-of-radosgw"


@dataclasses.dataclass(frozen=True)
class Radosgw:
    """A running server, which knows ACCESS_KEY, and the processes behind it."""

    endpoint_url: str
    pids: tuple[int, ...]


def missing_programs() -> list[str]:
    return [program for program in PROGRAMS if shutil.which(program) is None]


@contextlib.contextmanager
def radosgw(directory: Path) -> Iterator[Radosgw]:
    """Runs radosgw and what it needs; every file lies in `directory`, which must be empty."""
    with contextlib.ExitStack() as stack:
        cluster = _Cluster(directory, stack)
        cluster.start_monitor()
        cluster.start_storage()
        cluster.make_user()
        cluster.start_gateway()
        yield Radosgw(f"http://127.0.0.1:{cluster.port}", tuple(cluster.pids))


class _Cluster:
    """The daemons, as children in the foreground, so that `stack` ends what it started."""

    def __init__(self, directory: Path, stack: contextlib.ExitStack) -> None:
        self.port = 0
        self._ports_tried = 0
        self.pids: list[int] = []
        self._directory = directory
        self._stack = stack
        self._fsid = str(uuid.uuid4())
        self._mon_port = free_port()
        self._config = directory / "ceph.conf"
        self._config.write_text(
            CONFIGURATION.format(
                directory=directory,
                fsid=self._fsid,
                mon_port=self._mon_port,
                page=PAGE,
            )
        )

    def start_monitor(self) -> None:
        monmap = str(self._directory / "monmap")
        address = f"[v1:127.0.0.1:{self._mon_port}]"
        (self._directory / "mon").mkdir()
        self.run("monmaptool", "--create", "--fsid", self._fsid, "--addv", "a", address, monmap)
        self.run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap)
        self.start("ceph-mon", "-i", "a")

    def start_storage(self) -> None:
        (self._directory / "osd").mkdir()
        osd_uuid = str(uuid.uuid4())
        osd = self.ask("osd", "new", osd_uuid).strip()  # waits for the monitor
        self.ask("osd", "crush", "create-or-move", f"osd.{osd}", "1", "root=default")
        self.run("ceph-osd", "-i", osd, "--mkfs", "--osd-uuid", osd_uuid)
        daemon = self.start("ceph-osd", "-i", osd)
        wait_until(lambda: daemon.poll() is not None or self._storage_is_up(), "the OSD is up")
        assert daemon.poll() is None, "ceph-osd ended"

    def _storage_is_up(self) -> bool:
        return bool(json.loads(self.ask("osd", "stat", "--format=json"))["num_up_osds"])

    def ask(self, *command: str) -> str:
        """Has the monitor do something, which must be idempotent.

        Now and then a young monitor refuses: "Error EPERM: problem getting command descriptions
        from mon". Then it is asked again.
        """
        for _ in range(3):
            with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
                return self.run("ceph", "--connect-timeout=30", *command)
            time.sleep(0.5)
        return self.run("ceph", "--connect-timeout=30", *command)

    def make_user(self) -> None:
        self.run(
            *("radosgw-admin", "user", "create", "--uid=test", "--display-name=test"),
            *(f"--access-key={ACCESS_KEY}", f"--secret-key={SECRET_KEY}"),
        )

    def start_gateway(self) -> None:
        """Tries another port when somebody else took the one that was free a moment ago."""
        while not self._serves(free_port()):
            self._ports_tried += 1
            assert self._ports_tried < 3, "radosgw does not serve its user"

    def _serves(self, port: int) -> bool:
        self.port = port
        gateway = self.start(
            "radosgw", "-n", "client.rgw", f"--rgw-frontends=beast endpoint=127.0.0.1:{port}"
        )
        with contextlib.suppress(AssertionError, BotoCoreError, ClientError):
            wait_for_port(port, gateway, "radosgw")
            boto3.client(
                "s3",
                endpoint_url=f"http://127.0.0.1:{port}",
                aws_access_key_id=ACCESS_KEY,
                aws_secret_access_key=SECRET_KEY,
                region_name="us-east-1",
            ).list_buckets()
            return gateway.poll() is None
        return False

    def run(self, *command: str) -> str:
        done = subprocess.run(
            [command[0], "-c", str(self._config), *command[1:]],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"{command} failed:\n{done.stderr}"
        return done.stdout

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        output = (self._directory / f"{command[0]}.out").open("wb")
        self._stack.enter_context(output)
        daemon = subprocess.Popen(
            [command[0], "-f", "-c", str(self._config), *command[1:]],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        self._stack.callback(_end, daemon)
        self.pids.append(daemon.pid)
        return daemon


def _end(daemon: subprocess.Popen[bytes]) -> None:
    daemon.kill()  # what they hold is in memory: there is nothing to save
    daemon.wait()
