"""What a job makes of the ends of its hosts; whole jobs of several are in test_local_hosts."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sagemaker_tensorflow.training.host import Host, HostEnd, HostListener, HostResults
from sagemaker_tensorflow.training.job_directory import JobDirectory
from sagemaker_tensorflow.training.job_plan import JobPlan
from sagemaker_tensorflow.training.job_run import JobRun
from sagemaker_tensorflow.training.spec import TrainingSpec
from sagemaker_tensorflow.training.status import JobStatus


class ScriptedHost:
    """A host that does what a function says, which gets the host."""

    def __init__(
        self, name: str, listener: HostListener, act: Callable[[ScriptedHost], HostEnd]
    ) -> None:
        self.name = name
        self.listener = listener
        self.stopped = threading.Event()
        self._act = act

    def run(self) -> HostEnd:
        return self._act(self)

    def stop(self) -> None:
        self.stopped.set()

    def kill(self) -> None:
        raise AssertionError("nobody asked for it")

    def results(self) -> HostResults:
        raise AssertionError("no script ran")


def until_stopped(host: ScriptedHost) -> HostEnd:
    assert host.stopped.wait(60)
    return HostEnd(host.name, "Stopped")


def failed(host: ScriptedHost) -> HostEnd:
    return HostEnd(host.name, "Failed", f"AlgorithmError: {host.name}")


def lost_when_stopped(host: ScriptedHost) -> HostEnd:
    assert host.stopped.wait(60)
    return HostEnd(host.name, "Failed", f"InternalServerError: {host.name}", lost=True)


def lost(host: ScriptedHost) -> HostEnd:
    return HostEnd(host.name, "Failed", f"InternalServerError: {host.name}", lost=True)


def completed(host: ScriptedHost) -> HostEnd:
    return HostEnd(host.name, "Completed")


def run(
    directory: Path, *attempts: Sequence[Callable[[ScriptedHost], HostEnd]], retries: int = 0
) -> tuple[JobRun, JobStatus]:
    left = list(attempts)
    spec = TrainingSpec("train.py", "job", instance_count=3, max_retry_attempts=retries)

    @contextlib.contextmanager
    def make_hosts(plan: JobPlan, listener: HostListener) -> Iterator[Sequence[Host]]:
        acts = left.pop(0)
        yield [
            ScriptedHost(name, listener, act)
            for name, act in zip(plan.spec.hosts, acts, strict=True)
        ]

    status = JobStatus()
    job = JobRun(JobPlan(spec, JobDirectory("job", directory)), status, make_hosts)
    job.run()
    assert not left
    return job, status


def stages(status: JobStatus) -> list[str]:
    return [stage["Status"] for stage in status.to_json()["SecondaryStatusTransitions"]]


def test_who_failed_first_has_the_word(tmp_path: Path) -> None:
    _, status = run(tmp_path, [until_stopped, failed, until_stopped])
    assert (status.primary, status.failure_reason) == ("Failed", "AlgorithmError: algo-2")


def test_a_lost_host_is_why_the_scripts_of_others_fail(tmp_path: Path) -> None:
    _, status = run(tmp_path, [failed, lost_when_stopped, until_stopped])
    assert (status.primary, status.failure_reason) == ("Failed", "InternalServerError: algo-2")


def test_only_a_lost_host_is_a_reason_to_begin_anew(tmp_path: Path) -> None:
    attempt = [failed, lost_when_stopped, until_stopped]
    _, status = run(tmp_path, attempt, attempt, [completed] * 3, retries=2)
    assert stages(status) == ["Starting", "Starting", "Starting", "Completed"]
    _, status = run(tmp_path, attempt, [failed, until_stopped, until_stopped], retries=2)
    assert status.failure_reason == "AlgorithmError: algo-1"


def test_a_job_is_as_far_as_its_last_host(tmp_path: Path) -> None:
    first_is_far = threading.Event()

    def first(host: ScriptedHost) -> HostEnd:
        host.listener.entered(host.name, "Downloading")
        host.listener.entered(host.name, "Training")
        first_is_far.set()
        return completed(host)

    def second(host: ScriptedHost) -> HostEnd:
        assert first_is_far.wait(60)
        host.listener.entered(host.name, "Downloading")
        host.listener.entered(host.name, "Training")
        return completed(host)

    _, status = run(tmp_path, [first, first, second])
    assert stages(status) == ["Starting", "Downloading", "Training", "Completed"]


def test_a_job_that_is_stopped_is_not_begun_anew(tmp_path: Path) -> None:
    """Also while what is left of the attempt before is taken away."""
    made: list[JobRun] = []

    @contextlib.contextmanager
    def make_hosts(plan: JobPlan, listener: HostListener) -> Iterator[Sequence[Host]]:
        yield [ScriptedHost("algo-1", listener, lost)]
        made[0].stop()

    status = JobStatus()
    spec = TrainingSpec("train.py", "job", max_retry_attempts=1)
    made.append(JobRun(JobPlan(spec, JobDirectory("job", tmp_path)), status, make_hosts))
    made[0].run()
    assert stages(status) == ["Starting", "Stopping", "Stopped"]
