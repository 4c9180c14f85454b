"""One host of a job as its driver sees it: an actor of a Ray cluster."""

from __future__ import annotations

import logging
import tarfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sagemaker_tensorflow.errors import (
    CancelledError,
    DeadlineExceededError,
    FailedPreconditionError,
    InternalError,
    PipeModeDatasetException,
    UnavailableError,
)
from sagemaker_tensorflow.ray_cluster import RayCluster
from sagemaker_tensorflow.ray_words import words_of
from sagemaker_tensorflow.system_errors import translated_os_errors
from sagemaker_tensorflow.training.distribution import requested_distribution, tf_configs
from sagemaker_tensorflow.training.failure import error_reason
from sagemaker_tensorflow.training.host import HostEnd, HostListener, HostOrders, HostResults
from sagemaker_tensorflow.training.on_ray.ray_host_actor import Cluster, Place

_log = logging.getLogger(__name__)

# A cluster that grows by itself takes some minutes for a new machine.
_PLACE_SECONDS = 600.0
_WARN_SECONDS = 15.0
_TICK_SECONDS = 0.5
# An actor answers within a second. Ray tells of one that is gone in up to half a minute.
_SILENT_SECONDS = 120.0


class Meeting:
    """Where hosts learn of each other's places. From any thread."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self._hosts = hosts
        self._condition = threading.Condition()
        self._places: dict[str, Place] = {}

    def come(self, host: str, place: Place) -> None:
        """Says where a host is."""
        with self._condition:
            self._places[host] = place
            self._condition.notify_all()

    def others(self, seconds: float) -> list[Place] | None:
        """Where all are, in their order; None if some are missing after so many seconds."""
        with self._condition:
            if not self._condition.wait_for(lambda: len(self._places) == len(self._hosts), seconds):
                return None
            return [self._places[host] for host in self._hosts]


class RayHost:
    """A `Host` that is an actor.

    Args:
        cluster: Where it is.
        actor: Its handle.
        orders: Of the host, with the driver's paths.
        listener: Is told how far it is.
        meeting: Of the job's hosts.
        fetched: A folder of the driver's for what the script leaves.
        asks: What it asks the cluster for, for messages.
    """

    def __init__(
        self,
        cluster: RayCluster,
        actor: Any,
        orders: HostOrders,
        listener: HostListener,
        meeting: Meeting,
        fetched: Path,
        asks: str,
    ) -> None:
        self._cluster = cluster
        self._ray = cluster.ray
        self._actor = actor
        self._orders = orders
        self._listener = listener
        self._meeting = meeting
        self._fetched = fetched
        self._asks = asks
        self._lock = threading.Lock()
        self._stopped = False
        self._begun = False
        self._node = "no node yet"

    @property
    def name(self) -> str:
        """As in ``resourceconfig.json``."""
        return self._orders.host

    def stop(self) -> None:
        """Has the script stopped, or what comes before it. Returns at once."""
        with self._lock:
            self._stopped = True
            if self._begun:
                self._actor.stop.remote()

    def kill(self) -> None:
        """Has the script killed. Returns at once."""
        with self._lock:
            if self._begun:
                self._actor.kill.remote()

    def run(self) -> HostEnd:
        """Does its work, once; the errors are in what it returns."""
        errors = self._ray.exceptions
        try:
            place = self._wait_for_place()
            self._begin(place, self._wait_for_others(place))
            return self._follow()
        except CancelledError:
            return HostEnd(self.name, "Stopped")
        except PipeModeDatasetException as error:  # an actor's, too
            return self._failed(error_reason(error), lost=isinstance(error, InternalError))
        except errors.RayTaskError as error:  # a bug in the actor
            _log.exception("job %s, %s", self._orders.spec.job_name, self.name)
            return self._failed(f"InternalServerError: {error.cause!r}", lost=True)
        except errors.RayError as error:
            return self._lost(error)
        except Exception as error:  # a bug; a thread has nobody to raise it to
            _log.exception("job %s, %s", self._orders.spec.job_name, self.name)
            return self._failed(f"InternalServerError: {error!r}", lost=True)

    def results(self) -> HostResults:
        """Fetches what the script left.

        Raises:
            UnavailableError: Its actor is gone.
        """
        archive = self._fetched / "results.tar"
        try:
            self._ray.get(self._actor.pack_results.remote())
            with translated_os_errors(f"writing {archive}"), archive.open("wb") as file:
                while piece := self._ray.get(self._actor.read_results.remote(file.tell())):
                    file.write(piece)
        except self._ray.exceptions.RayError as error:
            if isinstance(error, PipeModeDatasetException):
                raise
            raise UnavailableError(
                f"what {self.name} on {self._node} left cannot be fetched: {words_of(error)}"
            ) from error
        with translated_os_errors(f"unpacking {archive}"), tarfile.open(archive) as packed:
            packed.extractall(self._fetched, filter="tar")
        archive.unlink()
        return HostResults(self._fetched / "model", self._fetched / "output_data")

    def close(self) -> Any:
        """Has the actor end what it has on its node, if it has begun. Returns at once.

        Returns:
            What to wait for; None for nothing.
        """
        return self._actor.close.remote() if self._begun else None

    def _wait_for_place(self) -> Place:
        call = self._actor.place.remote()
        began, warned = time.monotonic(), False
        while True:
            self._check_stopped()
            ready, _ = self._ray.wait([call], timeout=_TICK_SECONDS)
            if ready:
                place: Place = self._ray.get(call)
                self._node = place.node
                return place
            waited = time.monotonic() - began
            if waited > _PLACE_SECONDS:
                raise DeadlineExceededError(
                    f"{self.name} got no place within {_PLACE_SECONDS:.0f} s: each host asks for "
                    f"{self._asks}, the cluster is {self._cluster.resources()}; ask for less, end "
                    "what else runs there, or add nodes"
                )
            if waited > _WARN_SECONDS and not warned:
                warned = True
                _log.warning(
                    "%s has no place yet: each host asks for %s, the cluster is %s; waiting",
                    self.name,
                    self._asks,
                    self._cluster.resources(),
                )

    def _wait_for_others(self, place: Place) -> list[Place]:
        self._meeting.come(self.name, place)
        while (places := self._meeting.others(_TICK_SECONDS)) is None:
            self._check_stopped()
        return places

    def _begin(self, place: Place, places: Sequence[Place]) -> None:
        orders = self._orders
        addresses = [each.address for each in places]
        index = orders.resources.index
        ips = [each.ip for each in addresses]
        distribution = requested_distribution(orders.spec.hyperparameters)
        cluster = Cluster(
            addresses=dict(zip(orders.resources.hosts, ips, strict=True)),
            tf_configs=tf_configs(distribution, addresses, index),
            interface=place.interface,
        )
        _log.info("job %s: %s is on %s", orders.spec.job_name, self.name, self._node)
        with self._lock:
            self._check_stopped()
            call = self._actor.begin.remote(cluster)
            self._begun = True
        self._ray.get(call)

    def _follow(self) -> HostEnd:
        """Writes the log and tells of stages, until the host has ended."""
        stages = offset = 0
        with translated_os_errors("writing the log"), self._orders.log.open("ab") as log:
            while True:
                news = self._ray.get(
                    self._actor.news.remote(stages, offset), timeout=_SILENT_SECONDS
                )
                log.write(news.log)
                log.flush()
                offset += len(news.log)
                for line in news.lines:
                    logging.getLogger(line.logger).log(line.level, "%s: %s", self._node, line.text)
                for stage in news.stages[stages:]:
                    self._listener.entered(self.name, stage)
                stages = len(news.stages)
                if news.end is not None:
                    end: HostEnd = news.end
                    return end

    def _lost(self, error: Exception) -> HostEnd:
        try:
            words = words_of(error)
        except FailedPreconditionError as advice:
            return self._failed(f"ClientError: {advice}")
        reason = f"InternalServerError: {self.name}, on {self._node}, is lost: {words}"
        return self._failed(reason, lost=True)

    def _failed(self, reason: str, lost: bool = False) -> HostEnd:
        return HostEnd(self.name, "Failed", reason, lost=lost)

    def _check_stopped(self) -> None:
        if self._stopped:
            raise CancelledError(f"job {self._orders.spec.job_name} was stopped")
