"""A training job: it is started, watched, stopped and described."""

from __future__ import annotations

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
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.training.environment import job_arn
from sagemaker_tensorflow.training.job_directory import JobDirectory
from sagemaker_tensorflow.training.job_run import JobRun
from sagemaker_tensorflow.training.log_follower import LogFollower
from sagemaker_tensorflow.training.resources import Resources
from sagemaker_tensorflow.training.spec import TrainingSpec
from sagemaker_tensorflow.training.status import JobStatus

_log = logging.getLogger(__name__)

# StopTrainingJob: "This gives the algorithm 120 seconds".
STOP_SECONDS = 120.0
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
        exit_status: Of the script, negative for a signal; None if it was never started.
        model_uri: Of ``model.tar.gz``; None if the script left no model.
        output_uri: Of ``output.tar.gz``; None if the script left no output.
        log_path: What the script printed.
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
    """

    def __init__(
        self,
        spec: TrainingSpec,
        *,
        s3_options: S3Options | None = None,
        prefetch: PrefetchConfig | None = None,
        jobs_dir: str | os.PathLike[str] | None = None,
        stop_seconds: float = STOP_SECONDS,
    ) -> None:
        self._spec = spec
        self._status = JobStatus()
        self._directory = JobDirectory(spec.job_name, jobs_dir)
        self._resources = Resources(instance_type=spec.instance_type)
        self._run = JobRun(
            spec,
            self._directory,
            self._status,
            self._resources,
            s3_options=s3_options or S3Options(),
            prefetch=prefetch or PrefetchConfig(),
            stop_seconds=stop_seconds,
        )
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
    ) -> TrainingJob:
        """A job of a CreateTrainingJob request, as the SageMaker SDK sends it for a script.

        Raises:
            InvalidArgumentError: The service would refuse the request, or it has no script.
        """
        from sagemaker_tensorflow.training.request import spec_from_request

        spec = spec_from_request(request)
        return cls(spec, s3_options=s3_options, prefetch=prefetch, jobs_dir=jobs_dir)

    @property
    def name(self) -> str:
        """Of the job."""
        return self._spec.job_name

    @property
    def log_path(self) -> Path:
        """What the script printed: stdout and stderr, as they came."""
        return self._directory.log(self._resources.current_host)

    def start(self) -> None:
        """Begins the job and returns.

        Raises:
            InvalidArgumentError: There was a job of this name.
            FailedPreconditionError: It was started before.
            PermissionDeniedError: Its directory may not be made.
        """
        if self._thread.ident is not None:
            raise FailedPreconditionError("a TrainingJob is started once; make another")
        self._directory.claim(self._resources.current_host)
        self._thread.start()

    def wait(self, logs: bool = False, stream: TextIO | None = None) -> TrainingResult:
        """Waits for the job's end.

        Ctrl-C stops the job, and a second one kills it; KeyboardInterrupt is raised when it has
        ended.

        Args:
            logs: Show what the script prints.
            stream: Where; None is stdout.

        Raises:
            FailedPreconditionError: It was not started.
        """
        if self._thread.ident is None:
            raise FailedPreconditionError("the job was not started")
        follower = LogFollower(self.log_path, stream or sys.stdout) if logs else None
        interrupted = self._join(follower)
        if follower is not None:
            follower.pump()
        if interrupted:
            raise KeyboardInterrupt
        return self.result()

    def _run_to_the_end(self) -> None:
        try:
            self._run.run()
        finally:
            self._ended.set()

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
            _log.warning("stopping job %s; interrupt again to kill it", self.name)
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
        answer = {
            "TrainingJobName": self.name,
            "TrainingJobArn": job_arn(self.name),
            **self._status.to_json(),
            "HyperParameters": dict(self._run.hyperparameters),
            "OutputDataConfig": {"S3OutputPath": self._run.output_path},
            "ResourceConfig": {
                "InstanceType": self._spec.instance_type,
                "InstanceCount": self._spec.instance_count,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": self._spec.max_run},
        }
        if self._run.model_uri is not None:
            answer["ModelArtifacts"] = {"S3ModelArtifacts": self._run.model_uri}
        return answer
