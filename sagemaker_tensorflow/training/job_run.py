"""What a training job does: it runs its hosts, and keeps what they leave."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TypeAlias

from sagemaker_tensorflow.errors import CancelledError, PipeModeDatasetException
from sagemaker_tensorflow.training.artifacts import Artifact, check_output
from sagemaker_tensorflow.training.failure import error_reason
from sagemaker_tensorflow.training.host import Host, HostEnd, HostListener, HostResults
from sagemaker_tensorflow.training.job_plan import JobPlan
from sagemaker_tensorflow.training.status import JobStatus

_log = logging.getLogger(__name__)

# How often the time that scripts have run is compared with max_run.
_TICK_SECONDS = 0.2
# For how long a job that was stopped, and has not come to its script, may still wait for S3 or copy
# files; and for how long one that was killed may.
_STOP_SECONDS = 30.0
_KILL_SECONDS = 5.0
# In the order in which a host comes to them.
_STAGES = ("Starting", "Downloading", "Training")

# Makes the hosts of one attempt.
HostMaker: TypeAlias = Callable[[JobPlan, HostListener], AbstractContextManager[Sequence[Host]]]


class JobRun:
    """One run, and the listener of its hosts. `run` is for one thread, the other methods for any.

    A job is as far as the host that is furthest behind. A host that fails has the others stopped,
    and its reason is the job's; where a host was lost, that is the reason, as the scripts of others
    fail for it.

    Attributes:
        exit_status: Of the script that decided how the job ended, once it has.
        model_uri: Of ``model.tar.gz``, once it is there.
        output_uri: Of ``output.tar.gz``, once it is there.
        was_left_behind: It was to stop, and something in it did not end, as a request to an S3 that
            does not answer. That, and what the job has on this machine, goes when it ends by
            itself, or with this process.

    Args:
        plan: What to do; its directory is claimed before `run`.
        status: Is kept up to date.
        make_hosts: Makes the hosts.
    """

    def __init__(self, plan: JobPlan, status: JobStatus, make_hosts: HostMaker) -> None:
        self._plan = plan
        self._spec = plan.spec
        self._status = status
        self._make_hosts = make_hosts
        # Of what `stop` has to reach, and of what hosts tell.
        self._lock = threading.RLock()
        self._hosts: Sequence[Host] = ()
        self._over = False
        self._stopped_as = ""  # a secondary status, once it is to stop
        self._stages: dict[str, str] = {}
        self._deadline: float | None = None  # once a script runs
        self._stopped_at = self._killed_at = float("inf")
        self._artifacts: list[Artifact] = []
        self._finished = threading.Event()
        self.exit_status: int | None = None
        self.model_uri: str | None = None
        self.output_uri: str | None = None
        self.was_left_behind = False

    def stop(self) -> None:
        """Has the scripts stopped, or what comes before them. Returns at once."""
        self._stop("Stopped")

    def kill(self) -> None:
        """Has the scripts killed, and what follows them broken off."""
        self.stop()
        with self._lock:
            self._killed_at = min(self._killed_at, time.monotonic())
            for host in self._hosts:
                host.kill()

    def entered(self, host: str, stage: str) -> None:
        """Notes how far a host is."""
        with self._lock:
            before = self._stage()
            self._stages[host] = stage
            if stage == "Training" and self._deadline is None:
                self._deadline = time.monotonic() + self._spec.max_run
            if self._stage() != before and not self._stopped_as:
                self._status.enter(self._stage())

    def run(self) -> None:
        """Does everything, and notes the outcome in the status."""
        worker = f"smtf-{self._spec.job_name}-work"
        threading.Thread(target=self._work, name=worker, daemon=True).start()
        while not self._finished.wait(_TICK_SECONDS):
            if self._is_overdue():
                self._leave_behind()

    def _work(self) -> None:
        end: tuple[str, str, str]
        try:
            check_output(self._plan.output)
            end = self._attempts()
        except CancelledError:
            end = "Stopped", self._stopped_as or "Stopped", ""
        except PipeModeDatasetException as error:
            end = "Failed", "Failed", error_reason(error)
        except Exception as error:  # a bug; a thread has nobody to raise it to
            _log.exception("job %s", self._spec.job_name)
            end = "Failed", "Failed", f"InternalServerError: {error!r}"
        self._finish(*end)

    def _finish(self, status: str, secondary: str, reason: str = "") -> None:
        with self._lock:
            if not self._finished.is_set():
                self._status.finish(status, secondary, reason)
                self._finished.set()

    def _is_overdue(self) -> bool:
        with self._lock:
            now = time.monotonic()
            stopped = self._deadline is None and now > self._stopped_at + _STOP_SECONDS
            return stopped or now > self._killed_at + _KILL_SECONDS

    def _leave_behind(self) -> None:
        """Ends the job without what does not end; nothing can break off a system call."""
        with self._lock:
            if self._finished.is_set():
                return
            for host in self._hosts:
                host.kill()
            kept = [what for artifact in self._unsaved() for what in artifact.put_aside()]
            _log.warning(
                "job %s is Stopped; what it was doing (%s) has not ended, and is left behind%s",
                self._spec.job_name,
                self._status.secondary,
                "".join(f"; {what}" for what in kept),
            )
            self.was_left_behind = True
            self._finish("Stopped", self._stopped_as or "Stopped")

    def _unsaved(self) -> list[Artifact]:
        """What scripts left on this machine and may not be stored, checkpoints too."""
        if self._artifacts or self._deadline is None:
            return self._artifacts  # checkpoints come before them
        directory = self._plan.directory
        ml = {host: directory.ml_of(host) for host in self._spec.hosts}
        folders = {
            "model": {host: of.model for host, of in ml.items()},
            "output": {host: of.output_data for host, of in ml.items()},
        }
        if self._spec.checkpoint_s3_uri is not None:
            path = self._spec.checkpoint_local_path
            folders["checkpoints"] = {
                host: of.checkpoints if path is None else of.place_of(path)
                for host, of in ml.items()
            }
        return [Artifact(name, left, directory.path) for name, left in folders.items()]

    def _attempts(self) -> tuple[str, str, str]:
        """Returns status, secondary status and reason."""
        left = self._spec.max_retry_attempts
        while True:
            with self._make_hosts(self._plan, self) as hosts:
                ends = self._run_hosts(hosts)
                end = min(ends, key=_precedence)
                with self._lock:  # what stops it from here on either counts or comes too late
                    self._over = not (end.lost and left) or bool(self._stopped_as)
                if self._over:
                    self.exit_status = end.exit_status
                    self._keep_what_they_left(hosts, ends, end)
                    secondary = self._stopped_as if end.status == "Stopped" else end.status
                    return end.status, secondary, end.reason
            left -= 1
            _log.warning(
                "job %s is begun anew (%d more times at most) because of %s: %s",
                self._spec.job_name,
                left,
                end.host,
                end.reason,
            )
            self._begin_anew()

    def _run_hosts(self, hosts: Sequence[Host]) -> list[HostEnd]:
        """Runs all to their ends, which it returns in the order in which they came."""
        with self._lock:
            self._check_stopped()
            self._hosts = hosts
            self._stages = {host.name: _STAGES[0] for host in hosts}
        ended: queue.SimpleQueue[HostEnd] = queue.SimpleQueue()
        for host in hosts:
            threading.Thread(
                target=lambda host=host: ended.put(host.run()),
                name=f"smtf-{self._spec.job_name}-{host.name}",
                daemon=True,
            ).start()
        ends: list[HostEnd] = []
        while len(ends) < len(hosts):
            with contextlib.suppress(queue.Empty):
                end = ended.get(timeout=_TICK_SECONDS)
                if end.status == "Failed" and all(each.status != "Failed" for each in ends):
                    self._stop_others(hosts, end)
                ends.append(end)
            if self._deadline is not None and time.monotonic() > self._deadline:
                self._stop("MaxRuntimeExceeded")
        with self._lock:
            self._hosts = ()
        return ends

    def _stop_others(self, hosts: Sequence[Host], failed: HostEnd) -> None:
        others = [host for host in hosts if host.name != failed.host]
        if others:
            _log.warning(
                "job %s: %s failed, and the other hosts are stopped: %s",
                self._spec.job_name,
                failed.host,
                failed.reason,
            )
        for host in others:
            host.stop()

    def _begin_anew(self) -> None:
        with self._lock:
            self._check_stopped()
            self._status.enter(_STAGES[0])

    def _keep_what_they_left(
        self, hosts: Sequence[Host], ends: Sequence[HostEnd], end: HostEnd
    ) -> None:
        ran = {each.host for each in ends if each.exit_status is not None}
        if not ran:
            return
        with self._lock:
            self._check_left_behind()
            self._status.enter("Uploading")
        try:
            results = {host.name: host.results() for host in hosts if host.name in ran}
            self._keep_artifacts(results, with_model=end.status != "Failed" or end.has_model)
        except PipeModeDatasetException as error:
            _log.error("job %s: %s", self._spec.job_name, error)
            if end.status != "Failed":  # else why it failed is the reason
                raise

    def _keep_artifacts(self, results: Mapping[str, HostResults], with_model: bool) -> None:
        """As in SageMaker, a script that failed has output, and a model only if it was stopped.

        The model comes first, and each is tried whatever becomes of the other.
        """
        directory = self._plan.directory.path
        models = {host: left.model for host, left in results.items()} if with_model else {}
        outputs = {host: left.output_data for host, left in results.items()}
        model = Artifact("model", models, directory)
        output = Artifact("output", outputs, directory)
        with self._lock:
            self._check_left_behind()
            self._artifacts = [model, output]
        errors: list[PipeModeDatasetException] = []
        try:
            self.model_uri = self._upload(model) if with_model else None
        except PipeModeDatasetException as error:
            errors.append(error)
        try:
            self.output_uri = self._upload(output)
        except PipeModeDatasetException as error:
            errors.append(error)
        if errors:
            raise type(errors[0])("; ".join(map(str, errors)))
        if with_model and self.model_uri is None:
            _log.warning(
                "job %s: the script left nothing in SM_MODEL_DIR, so there is no model.tar.gz",
                self._spec.job_name,
            )

    def _upload(self, artifact: Artifact) -> str | None:
        return artifact.upload(self._plan.output, self._is_killed)

    def _is_killed(self) -> bool:
        return self._killed_at < float("inf")

    def _check_left_behind(self) -> None:
        if self._finished.is_set():
            raise CancelledError(f"job {self._spec.job_name} was left behind")

    def _stop(self, secondary: str) -> None:
        with self._lock:
            if self._stopped_as or self._over:
                return
            self._stopped_as = secondary
            self._stopped_at = time.monotonic()
            self._status.begin_stopping()
            for host in self._hosts:
                host.stop()

    def _check_stopped(self) -> None:
        if self._stopped_as:
            raise CancelledError(f"job {self._spec.job_name} was stopped")

    def _stage(self) -> str:
        """That of the host that is furthest behind."""
        return min(self._stages.values(), key=_STAGES.index, default=_STAGES[0])


def _precedence(end: HostEnd) -> int:
    """The least is how the job ends; of several the one that came first."""
    if end.lost:
        return 0
    return ("Failed", "Stopped", "Completed").index(end.status) + 1
