"""What runs in each actor of a training job on Ray: one host, in a directory of its node.

The class is a plain one: `ray_hosts` makes an actor of it. Its methods return soon, and are called
by several threads of the actor. The driver asks for news, and gets stages, the script's output and
how it ended.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import logging
import os
import socket
import struct
import tarfile
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sagemaker_tensorflow.ray_cluster import this_node
from sagemaker_tensorflow.system_errors import translated_os_errors
from sagemaker_tensorflow.training.distribution import HostAddress, TfConfigs
from sagemaker_tensorflow.training.free_ports import free_ports
from sagemaker_tensorflow.training.host import HostEnd, HostOrders
from sagemaker_tensorflow.training.host_run import HostRun
from sagemaker_tensorflow.training.job_directory import JobDirectory, MlDirectory
from sagemaker_tensorflow.training.job_output import JobOutput
from sagemaker_tensorflow.transform.ray_report import LogLine

# A driver asks again at once: this only bounds how long an actor says nothing.
_SILENT_SECONDS = 1.0
_LOOK_SECONDS = 0.1
# Of a log or of results in one answer: what Ray's object store takes without ado.
PIECE_BYTES = 8 << 20
# linux/sockios.h, netdevice(7)
_SIOCGIFADDR = 0x8915
_NAME_BYTES = 256


@dataclass(frozen=True)
class Place:
    """Where an actor is.

    Attributes:
        node: For messages.
        address: For the other hosts.
        interface: The network interface that has the address.
    """

    node: str
    address: HostAddress
    interface: str


@dataclass(frozen=True)
class Cluster:
    """What a host has to know of the others.

    Attributes:
        addresses: Of all hosts by name.
        tf_configs: TF_CONFIG of the host's processes.
        interface: `Place.interface`.
    """

    addresses: Mapping[str, str]
    tf_configs: TfConfigs
    interface: str


@dataclass(frozen=True)
class News:
    """What has happened in an actor.

    Attributes:
        stages: That the host has entered, all of them.
        lines: Of the package's log.
        log: What the script has printed since.
        end: How the host ended, once all of the log was told.
    """

    stages: tuple[str, ...]
    lines: tuple[LogLine, ...]
    log: bytes
    end: HostEnd | None


class _Log(logging.Handler):
    """Keeps the package's log for the driver."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: list[LogLine] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps a line, with a traceback if it has one."""
        self._kept.append(LogLine(record.name, record.levelno, self.format(record)))

    def take(self) -> tuple[LogLine, ...]:
        """What has come since the last call."""
        with self.lock or contextlib.nullcontext():
            kept, self._kept = self._kept, []
        return tuple(kept)


class HostActor:
    """A host. Its directory is a temporary one, which goes with `close` or with the actor.

    Args:
        orders: What to do, with the driver's paths.
        source: The script and what is beside it, as a ``tar.gz``; None if the orders' source is one
            in S3.
        threads: That the script's TensorFlow is to compute with; None for those of the node.
    """

    def __init__(self, orders: HostOrders, source: bytes | None, threads: int | None) -> None:
        self._orders = orders
        self._source = source
        _choose_threads(threads)
        self._log = _Log()
        package = logging.getLogger("sagemaker_tensorflow")
        package.setLevel(logging.INFO)
        package.addHandler(self._log)
        self._stages: list[str] = []
        self._end: HostEnd | None = None
        self._run: HostRun | None = None

    def place(self) -> Place:
        """Where it is, and which ports are free there."""
        import ray

        ip = ray.util.get_node_ip_address()
        return Place(this_node(), HostAddress(ip, *free_ports(2)), interface_of(ip))

    def begin(self, cluster: Cluster) -> None:
        """Starts the host's work. To be called once."""
        with translated_os_errors("making a host's directory"):
            root = Path(tempfile.mkdtemp(prefix="smtf-host-"))
            self._orders = _on_this_node(self._orders, root, cluster, self._source)
            self._orders.log.touch()
        self._source = None
        self._run = HostRun(self._orders, self)
        name = f"smtf-{self._orders.host}"
        threading.Thread(target=self._work, args=(self._run,), name=name, daemon=True).start()

    def _work(self, run: HostRun) -> None:
        self._end = run.run()

    def entered(self, host: str, stage: str) -> None:
        """Notes a stage: this is the `HostListener` of the host."""
        del host
        self._stages.append(stage)

    def news(self, stages: int, offset: int) -> News:
        """What the driver does not know yet; waits a moment if there is nothing.

        Args:
            stages: So many of them it knows.
            offset: So many bytes of the log it has.
        """
        deadline = time.monotonic() + _SILENT_SECONDS
        while True:
            end = self._end  # before the log is read: then that is all of it
            log = self._read(self._orders.log, offset)
            news = len(self._stages) > stages or log or end is not None
            if news or time.monotonic() > deadline:
                return News(tuple(self._stages), self._log.take(), log, None if log else end)
            time.sleep(_LOOK_SECONDS)

    def stop(self) -> None:
        """Has the script stopped, or what comes before it."""
        if self._run is not None:
            self._run.stop()

    def kill(self) -> None:
        """Has the script killed."""
        if self._run is not None:
            self._run.kill()

    def pack_results(self) -> None:
        """Makes an archive of what the script left, for `read_results`."""
        assert self._run is not None  # noqa: S101 - it has ended
        results = self._run.results()
        with translated_os_errors("packing results"), tarfile.open(self._results, "w") as tar:
            tar.add(results.model, "model")
            tar.add(results.output_data, "output_data")

    def read_results(self, offset: int) -> bytes:
        """A piece of the archive; b"" at its end."""
        return self._read(self._results, offset)

    def close(self) -> None:
        """Ends everything and removes the directory."""
        if self._run is not None:
            self._run.__exit__()

    @property
    def _results(self) -> Path:
        return self._orders.ml.root / ".smtf-results.tar"

    def _read(self, path: Path, offset: int) -> bytes:
        with translated_os_errors(f"reading {path}"), path.open("rb") as file:
            file.seek(offset)
            return file.read(PIECE_BYTES)


def _on_this_node(
    orders: HostOrders, root: Path, cluster: Cluster, source: bytes | None
) -> HostOrders:
    spec, job = orders.spec, orders.spec.job_name
    if source is not None:
        archive = root / ".smtf-source.tar.gz"
        archive.write_bytes(source)
        spec = dataclasses.replace(spec, source_dir=str(archive))
    return dataclasses.replace(
        orders,
        spec=spec,
        addresses=cluster.addresses,
        tf_configs=cluster.tf_configs,
        resources=dataclasses.replace(orders.resources, network_interface_name=cluster.interface),
        ml=MlDirectory(root),
        log=root / ".smtf-log",
        rescue=JobDirectory(job).path / f"{orders.host}.checkpoints",
        # The driver writes the job's; what is half-written there is not this process's to clean.
        output=JobOutput.below(str(root), job, orders.s3_options),
    )


def _choose_threads(threads: int | None) -> None:
    """For the script, which inherits this process's environment."""
    # Ray's guess: the CPUs that the actor asked for, of which 1 is a placeholder here.
    os.environ.pop("OMP_NUM_THREADS", None)
    if threads is not None:
        for kind in ("INTRAOP", "INTEROP"):
            os.environ[f"TF_NUM_{kind}_THREADS"] = str(threads)


def interface_of(ip: str) -> str:
    """The name of the interface that has an IPv4 address; the loopback's if none has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for _, name in socket.if_nameindex():
            request = struct.pack(f"{_NAME_BYTES}s", name.encode())
            with contextlib.suppress(OSError):  # it has no address
                answer = fcntl.ioctl(any_socket, _SIOCGIFADDR, request)
                if socket.inet_ntoa(answer[20:24]) == ip:
                    return name
    return "lo"
