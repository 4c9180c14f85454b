"""A training job: it is started, watched, stopped and described."""

from __future__ import annotations

import functools
import logging
import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from sagemaker_tensorflow.errors import FailedPreconditionError
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.ray_cluster import RayOptions
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.training.environment import job_arn
from sagemaker_tensorflow.training.history.described_spec import described_spec
from sagemaker_tensorflow.training.history.job_recorder import JobRecorder
from sagemaker_tensorflow.training.history.job_store import JobStore
from sagemaker_tensorflow.training.history.metric_definitions import MetricMatcher
from sagemaker_tensorflow.training.history.metric_watcher import MetricWatcher
from sagemaker_tensorflow.training.host import STOP_SECONDS
from sagemaker_tensorflow.training.job_directory import JobDirectory
from sagemaker_tensorflow.training.job_plan import JobPlan
from sagemaker_tensorflow.training.job_run import HostMaker, JobRun
from sagemaker_tensorflow.training.local_hosts import local_hosts
from sagemaker_tensorflow.training.local_inputs import check_local_inputs
from sagemaker_tensorflow.training.log_follower import LogFollower
from sagemaker_tensorflow.training.spec import TrainingSpec
from sagemaker_tensorflow.training.status import JobStatus

_log = logging.getLogger(__name__)

# How often a log that is being shown is looked at.
_FOLLOW_SECONDS = 0.1


@dataclass(frozen=True)
class TrainingResult:
    """What came of a job.

    Attributes:
        status: ``Completed``, ``Failed`` or ``Stopped``.
        secondary_status: The same, or ``MaxRuntimeExceeded``.
        job_name: Of the job.
        failure_reason: Why it failed; "" if it did not.
        exit_status: Of the script, negative for a signal; None if it was never started. Of several
            hosts that of the one that decided how the job ended.
        model_uri: Of ``model.tar.gz``; None if the script left no model.
        output_uri: Of ``output.tar.gz``; None if the script left no output.
        log_path: What the script printed, on the first host.
    """

    status: str
    secondary_status: str
    job_name: str
    failure_reason: str
    exit_status: int | None
    model_uri: str | None
    output_uri: str | None
    log_path: Path


class TrainingJob:
    """Runs a script over channels of data, once, as SageMaker's training containers do.

    It runs in a thread of this process and in processes of its own, and ends with this process.
    Methods may be called from any thread.

    Args:
        spec: What to do.
        s3_options: How to reach S3.
        prefetch: The prefetcher's numbers.
        jobs_dir: Where the directory of each job is; None is ``~/.sagemaker-tensorflow/jobs``, or
            ``jobs`` in ``$SAGEMAKER_TENSORFLOW_HOME``.
        stop_seconds: Between SIGTERM and SIGKILL when the job is stopped.
        store: Where the job is recorded; None is the one that goes with `jobs_dir`.
        ray: Run the hosts on this cluster; None runs them on this machine.
    """

    def __init__(
        self,
        spec: TrainingSpec,
        *,
        s3_options: S3Options | None = None,
        prefetch: PrefetchConfig | None = None,
        jobs_dir: str | os.PathLike[str] | None = None,
        stop_seconds: float = STOP_SECONDS,
        store: JobStore | None = None,
        ray: RayOptions | None = None,
    ) -> None:
        self._spec = spec
        self._status = JobStatus()
        self._hosts_are_here = ray is None
        self._directory = JobDirectory(spec.job_name, jobs_dir)
        self._plan = JobPlan(
            spec,
            self._directory,
            s3_options or S3Options(),
            prefetch or PrefetchConfig(),
            stop_seconds,
        )
        self._run = JobRun(self._plan, self._status, _host_maker(ray))
        self._store = store or JobStore.of_jobs_dir(jobs_dir)
        self._recorder = JobRecorder(self._store, self._described, self.stop, self._watcher())
        self._status.subscribe(self._recorder.wake)
        # Not Thread.join: a KeyboardInterrupt in it can make a thread that runs count as ended
        # (CPython 3.11, Thread._wait_for_tstate_lock).
        self._ended = threading.Event()
        self._thread = threading.Thread(
            target=self._run_to_the_end, name=f"smtf-{spec.job_name}", daemon=True
        )

    @classmethod
    def from_request(
        cls,
        request: Mapping[str, Any],
        *,
        s3_options: S3Options | None = None,
        prefetch: PrefetchConfig | None = None,
        jobs_dir: str | os.PathLike[str] | None = None,
        store: JobStore | None = None,
        ray: RayOptions | None = None,
    ) -> TrainingJob:
        """A job of a CreateTrainingJob request, as the SageMaker SDK sends it for a script.

        Raises:
            InvalidArgumentError: The service would refuse the request, or it has no script.
        """
        from sagemaker_tensorflow.training.request import spec_from_request

        spec = spec_from_request(request)
        return cls(
            spec,
            s3_options=s3_options,
            prefetch=prefetch,
            jobs_dir=jobs_dir,
            store=store,
            ray=ray,
        )

    @property
    def name(self) -> str:
        """Of the job."""
        return self._spec.job_name

    @property
    def store(self) -> JobStore:
        """Where it is recorded."""
        return self._store

    @property
    def log_path(self) -> Path:
        """What the first host's script printed: stdout and stderr, as they came."""
        return self._directory.log(self._spec.hosts[0])

    @property
    def was_left_behind(self) -> bool:
        """Whether it is Stopped although something in it has not ended.

        So it is 5 s after a second Ctrl-C, or 30 s after `stop` if there is no script yet, when S3
        accepts a request and does not answer it, for example. What the job has on this machine goes
        when that has ended, or with this process, whose normal end may wait for it.
        """
        return self._run.was_left_behind

    @property
    def logs(self) -> dict[str, Path]:
        """What the script printed on each host, by the host's name."""
        return {host: self._directory.log(host) for host in self._spec.hosts}

    def start(self) -> None:
        """Begins the job and returns.

        Raises:
            InvalidArgumentError: There was a job of this name.
            NotFoundError: Its script, or another file or folder of this machine, is not there.
            FailedPreconditionError: It was started before.
            PermissionDeniedError: Its directory may not be made, or it may not be recorded.
            PipeModeDatasetException: The record of jobs cannot be used; see `JobDatabase`.
        """
        if self._thread.ident is not None:
            raise FailedPreconditionError("a TrainingJob is started once; make another")
        check_local_inputs(self._spec, channels=self._hosts_are_here)
        self._store.add(self._described(), self._directory.path)
        try:
            self._directory.claim(self._spec.hosts)
        except BaseException:
            self._store.forget(self.name)
            raise
        self._thread.start()

    def wait(self, logs: bool = False, stream: TextIO | None = None) -> TrainingResult:
        """Waits for the job's end.

        Ctrl-C stops the job, and a second one kills it, and breaks off what follows the script;
        KeyboardInterrupt is raised when it has ended. See also `was_left_behind`.

        Args:
            logs: Show what the script prints.
            stream: Where; None is stdout.

        Raises:
            FailedPreconditionError: It was not started.
        """
        if self._thread.ident is None:
            raise FailedPreconditionError("the job was not started")
        follower = LogFollower(self.logs, stream or sys.stdout) if logs else None
        interrupted = self._join(follower)
        if follower is not None:
            follower.finish()
        if interrupted:
            raise KeyboardInterrupt
        return self.result()

    def _run_to_the_end(self) -> None:
        try:
            with self._recorder:
                self._run.run()
        finally:
            self._ended.set()

    def _watcher(self) -> MetricWatcher | None:
        definitions = self._spec.metric_definitions
        return MetricWatcher(self.logs, MetricMatcher(definitions)) if definitions else None

    def _join(self, follower: LogFollower | None) -> int:
        """Returns how often it was interrupted."""
        interrupted = 0
        while True:
            try:  # around all of it, as a second Ctrl-C comes at any point
                if interrupted:
                    self._interrupt(interrupted)
                while not self._ended.wait(_FOLLOW_SECONDS):
                    if follower is not None:
                        follower.pump()
            except KeyboardInterrupt:
                interrupted += 1
            else:
                return interrupted

    def _interrupt(self, times: int) -> None:
        if times == 1:
            self.stop()
            if self._status.secondary == "Uploading":  # which is no use to stop
                text = "job %s stores what its script left; interrupt again to break that off"
            else:
                text = "stopping job %s; interrupt again to kill it"
            _log.warning(text, self.name)
        else:
            self._run.kill()

    def run(self, logs: bool = False) -> TrainingResult:
        """`start` and `wait`."""
        self.start()
        return self.wait(logs)

    def stop(self) -> None:
        """Has the job stopped: SIGTERM, and SIGKILL after 120 s. Returns at once.

        What the script left of a model by then is kept.
        """
        self._run.stop()

    def result(self) -> TrainingResult:
        """What came of it.

        Raises:
            FailedPreconditionError: It has not ended.
        """
        if not self._ended.is_set():
            raise FailedPreconditionError(f"job {self.name} has not ended")
        return TrainingResult(
            status=self._status.primary,
            secondary_status=self._status.secondary,
            job_name=self.name,
            failure_reason=self._status.failure_reason,
            exit_status=self._run.exit_status,
            model_uri=self._run.model_uri,
            output_uri=self._run.output_uri,
            log_path=self.log_path,
        )

    def describe(self) -> dict[str, Any]:
        """The job in the members of DescribeTrainingJob's answer."""
        answer = self._described()
        last = self._store.final_metrics(self.name) if self._spec.metric_definitions else ()
        if last:
            answer["FinalMetricDataList"] = [point.to_json() for point in last]
        return answer

    def _described(self) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "TrainingJobName": self.name,
            "TrainingJobArn": job_arn(self.name),
            **self._status.to_json(),
            "HyperParameters": self._plan.hyperparameters,
            "OutputDataConfig": {"S3OutputPath": self._plan.output_path},
            **described_spec(self._spec),
        }
        if self._run.model_uri is not None:
            answer["ModelArtifacts"] = {"S3ModelArtifacts": self._run.model_uri}
        return answer


def _host_maker(ray: RayOptions | None) -> HostMaker:
    if ray is None:
        return local_hosts
    from sagemaker_tensorflow.training.on_ray.ray_hosts import ray_hosts

    return functools.partial(ray_hosts, ray)
