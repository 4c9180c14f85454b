"""One host of a training job, wherever it is: what it is told, and what is heard of it.

A host is described by a value, `HostOrders`, and says how far it is to a `HostListener`, so that it
may be in another process, or on another machine, than the job that it belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sagemaker_tensorflow.hosts import HostPlace
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.training.distribution import TfConfigs
from sagemaker_tensorflow.training.environment import region
from sagemaker_tensorflow.training.hyperparameters import of_container
from sagemaker_tensorflow.training.job_directory import MlDirectory
from sagemaker_tensorflow.training.job_output import JobOutput
from sagemaker_tensorflow.training.resources import Resources
from sagemaker_tensorflow.training.script_files import script_name
from sagemaker_tensorflow.training.spec import TrainingSpec

# StopTrainingJob: "This gives the algorithm 120 seconds".
STOP_SECONDS = 120.0


@dataclass(frozen=True)
class HostOrders:
    """What one host is to do. Can be pickled.

    Attributes:
        spec: Of the job.
        resources: Which host it is.
        ml: Its ``/opt/ml``; made by the host and removed at its end.
        log: Gets what the script prints.
        rescue: Gets checkpoints that cannot be stored where they should; not there yet.
        addresses: Of all hosts by name, for the script to find.
        output: Of the job; cleaned of what is half-written there if the host's process dies.
        s3_options: How to reach S3.
        prefetch: The prefetcher's numbers.
        stop_seconds: Between SIGTERM and SIGKILL.
        tf_configs: TF_CONFIG of the host's processes.
    """

    spec: TrainingSpec
    resources: Resources
    ml: MlDirectory
    log: Path
    rescue: Path
    addresses: Mapping[str, str]
    output: JobOutput
    s3_options: S3Options = field(default_factory=S3Options)
    prefetch: PrefetchConfig = field(default_factory=PrefetchConfig)
    stop_seconds: float = STOP_SECONDS
    tf_configs: TfConfigs = field(default_factory=TfConfigs)

    @property
    def host(self) -> str:
        """The host's name."""
        return self.resources.current_host

    @property
    def place(self) -> HostPlace:
        """The host among all."""
        return HostPlace.among(self.resources.hosts, self.host)

    def hyperparameters(self, seen: MlDirectory | None = None) -> dict[str, str]:
        """All that are in ``hyperparameters.json``, as texts.

        Args:
            seen: `ml` as the script finds it, if that is another path.
        """
        spec, code = self.spec, (seen or self.ml).code
        own = of_container(spec.job_name, script_name(spec), str(code), region())
        return {**own, **spec.hyperparameters}


@dataclass(frozen=True)
class HostEnd:
    """How a host ended.

    Attributes:
        host: Its name.
        status: ``Completed``, ``Failed`` or ``Stopped``.
        reason: Why it failed, as a FailureReason; "" if it did not.
        exit_status: Of the script, negative for a signal; None if it was never started.
        lost: It failed for no fault of the script or the request: an InternalServerError. Another
            attempt may go well.
        has_model: What the script left as its model is to be kept, although the host failed.
    """

    host: str
    status: str
    reason: str = ""
    exit_status: int | None = None
    lost: bool = False
    has_model: bool = False


@dataclass(frozen=True)
class HostResults:
    """What a host's script left, in folders of this machine.

    Attributes:
        model: What it saved as the model.
        output_data: What else it saved.
    """

    model: Path
    output_data: Path


class HostListener(Protocol):
    """Is told how far hosts are. Its methods are called from any thread."""

    def entered(self, host: str, stage: str) -> None:
        """A host begins a stage: ``Downloading`` or ``Training``."""


class Host(Protocol):
    """One host, wherever it is, as its job sees it: `run` is for one thread, `stop` for any."""

    @property
    def name(self) -> str:
        """As in ``resourceconfig.json``."""

    def run(self) -> HostEnd:
        """Does its work, once; never raises."""

    def stop(self) -> None:
        """Has the script stopped, or what comes before it. Returns at once."""

    def kill(self) -> None:
        """Has the script killed. Returns at once."""

    def results(self) -> HostResults:
        """What the script left, after `run`.

        Raises:
            PipeModeDatasetException: It cannot be had any more.
        """
