"""Ray clusters: connecting to one, what it has, and the environment of its workers.

The only module that imports `ray`, an extra of the package. Whoever runs on a cluster, transform
and training jobs, goes through `connected_cluster`.

Ray gives a driver's workers its current directory and its script's as ``sys.path``
(``ray.init``), and nothing else of its environment. So the package is either installed on every
node or, as in a checkout, found there under the path that it has here.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import signal
import socket
import sysconfig
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagemaker_tensorflow.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    UnavailableError,
)

ENGINES = ("local", "ray")

_NODE_ID_LETTERS = 8
# Ray itself asks a host that does not answer for more than a minute.
_REACH_SECONDS = 10.0
_HEAD = re.compile(r"(?P<host>[^/:]+|\[[0-9a-fA-F:]+\]):(?P<port>[0-9]+)")


@dataclass(frozen=True)
class RayOptions:
    """Which cluster, and what each actor gets of it.

    Attributes:
        address: As ``ray.init`` takes it: ``host:port`` of the head, ``auto``, ``local`` to start
            one on this machine. None is the cluster that RAY_ADDRESS names, or that this machine is
            a node of; in a process that is connected already it is that connection.
        num_cpus: CPUs that Ray keeps for an actor, and threads that TensorFlow computes with there.
            None keeps one and computes with all of its node's.
        num_gpus: GPUs that Ray keeps for an actor, which sees no others.

    Raises:
        InvalidArgumentError: A number is below 0.
    """

    address: str | None = None
    num_cpus: float | None = None
    num_gpus: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("num_cpus", self.num_cpus), ("num_gpus", self.num_gpus)):
            if value is not None and not value >= 0:
                raise InvalidArgumentError(f"{name}={value}: give 0 or more")


def ray_options(
    engine: str,
    address: str | None = None,
    num_cpus: float | None = None,
    num_gpus: float | None = None,
    instance_count: int | None = None,
) -> RayOptions | None:
    """What an ``engine`` argument and those that go with it mean.

    Args:
        engine: ``ray``, or ``local`` for this machine without Ray.
        address: `RayOptions.address`, as the others; None if it was not given.
        num_cpus: For each actor.
        num_gpus: For each actor.
        instance_count: Of actors, where ``local`` has one process only.

    Returns:
        None for ``local``.

    Raises:
        InvalidArgumentError: There is no such engine, a number is not allowed, or ``local`` was
            told something about Ray.
    """
    if engine not in ENGINES:
        raise InvalidArgumentError(f"engine={engine!r} is not one of {', '.join(ENGINES)}")
    if engine == "ray":
        return RayOptions(address, num_cpus, num_gpus or 0.0)
    given = {"ray_address": address, "num_cpus": num_cpus, "num_gpus": num_gpus}
    if instance_count is not None and instance_count > 1:
        given["instance_count"] = instance_count
    named = ", ".join(f"{name}={value!r}" for name, value in given.items() if value is not None)
    if named:
        raise InvalidArgumentError(f"{named}: only for engine='ray'")
    return None


@dataclass(frozen=True)
class RayNode:
    """A living node.

    Attributes:
        node_id: Ray's, in hexadecimal.
        address: Of its raylet.
        resources: All that it has, such as ``{"CPU": 8.0}``, free or not.
        labels: Given with ``ray start --labels``, and Ray's own.
    """

    node_id: str
    address: str
    resources: Mapping[str, float]
    labels: Mapping[str, str]

    def __str__(self) -> str:
        return _node_name(self.address, self.node_id)


class RayCluster:
    """A cluster that this process is connected to.

    Attributes:
        ray: The module.
    """

    def __init__(self, ray: Any) -> None:
        self.ray = ray

    def nodes(self) -> Sequence[RayNode]:
        """Those that are alive, the head among them."""
        return [
            RayNode(
                found["NodeID"],
                found["NodeManagerAddress"],
                found["Resources"],
                found.get("Labels", {}),
            )
            for found in self.ray.nodes()
            if found["Alive"]
        ]

    def resources(self) -> str:
        """What the nodes have together, for messages: ``3 nodes with 6 CPU, 2 GPU``."""
        nodes = self.nodes()
        total = {
            kind: sum(node.resources.get(kind, 0.0) for node in nodes) for kind in ("CPU", "GPU")
        }
        has = ", ".join(f"{count:g} {kind}" for kind, count in total.items())
        return f"{len(nodes)} node{'s' * (len(nodes) != 1)} with {has}"


@contextlib.contextmanager
def connected_cluster(address: str | None = None) -> Iterator[RayCluster]:
    """Connects this process to a cluster for the time of the block.

    A process that is connected already, by ``ray.init`` or as a task of Ray, stays so behind it.

    Args:
        address: `RayOptions.address`.

    Raises:
        FailedPreconditionError: The package ``ray`` is not installed; or the process is connected
            to another cluster.
        UnavailableError: There is no such cluster, or it cannot be reached.
    """
    ray = _import_ray()
    if ray.is_initialized():
        connected = ray.get_runtime_context().gcs_address
        if address not in (None, connected):
            raise FailedPreconditionError(
                f"Ray address {address}: this process is connected to a cluster already, at "
                f"{connected}; leave the address out to use that one"
            )
        yield RayCluster(ray)
        return
    _connect(ray, address)
    try:
        yield RayCluster(ray)
    finally:
        with _signals_as_they_are():
            ray.shutdown()


def worker_environment() -> dict[str, str]:
    """Environment variables that let a worker on this machine, or on one like it, find the package.

    To be given as ``env_vars`` of a ``runtime_env``. Empty where there is nothing to be said: the
    package is installed, or lies in the current directory, which Ray adds itself. No secret is
    among them: credentials are each node's own.
    """
    parent = str(Path(__file__).resolve().parent.parent)
    given = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    known = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), str(Path.cwd())}
    paths = given if parent in known or parent in given else [parent, *given]
    return {"PYTHONPATH": os.pathsep.join(paths)} if paths else {}


def this_node() -> str:
    """The node that this worker runs on, for messages: ``10.0.0.3, node 1a2b3c4d``."""
    ray = _import_ray()
    node_id = ray.get_runtime_context().get_node_id()
    return _node_name(ray.util.get_node_ip_address(), node_id)


def _node_name(address: str, node_id: str) -> str:
    return f"{address}, node {node_id[:_NODE_ID_LETTERS]}"


def _import_ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise FailedPreconditionError(
            "engine='ray' needs the package ray, which is not installed: "
            "pip install 'sagemaker-tensorflow[ray]'"
        ) from error
    return ray


def _connect(ray: Any, address: str | None) -> None:
    try:
        _reach(address or os.environ.get("RAY_ADDRESS", ""))
        with _signals_as_they_are():
            ray.init(
                address=address or "auto",
                # What actors have to say comes with their reports.
                log_to_driver=False,
                # In other threads than the main one Ray warns that it leaves SIGTERM alone.
                logging_level=logging.WARNING if _in_main_thread() else logging.ERROR,
            )
    except (OSError, RuntimeError, ValueError) as error:
        where = f"at {address}" if address else "on this machine, and RAY_ADDRESS names none"
        raise UnavailableError(
            f"cannot connect to a Ray cluster {where}: {' '.join(str(error).split())}; start one "
            "by `ray start --head`, or give the address of a head"
        ) from error


def _reach(address: str) -> None:
    """Makes sure that somebody listens at the address of a head."""
    head = _HEAD.fullmatch(address)
    if head is not None:
        place = head["host"].strip("[]"), int(head["port"])
        socket.create_connection(place, timeout=_REACH_SECONDS).close()


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextlib.contextmanager
def _signals_as_they_are() -> Iterator[None]:
    """Keeps the handler of SIGTERM, which ``ray.init`` replaces in a main thread."""
    if not _in_main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None:  # one that Python did not set cannot be set by it
            signal.signal(signal.SIGTERM, before)
