"""A training job that is about to run: what to do, and with what."""

from __future__ import annotations

from dataclasses import dataclass, field

from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.training.distribution import TfConfigs
from sagemaker_tensorflow.training.host import STOP_SECONDS, HostOrders
from sagemaker_tensorflow.training.job_directory import JobDirectory
from sagemaker_tensorflow.training.job_output import JobOutput
from sagemaker_tensorflow.training.ml_mount import loopback_addresses
from sagemaker_tensorflow.training.resources import Resources
from sagemaker_tensorflow.training.spec import TrainingSpec


@dataclass(frozen=True)
class JobPlan:
    """One job.

    Attributes:
        spec: What to do.
        directory: Of the job, on this machine.
        s3_options: How to reach S3.
        prefetch: The prefetchers' numbers, of each host.
        stop_seconds: Between SIGTERM and SIGKILL.

    Raises:
        InvalidArgumentError: The output path is neither in S3 nor local.
    """

    spec: TrainingSpec
    directory: JobDirectory
    s3_options: S3Options = field(default_factory=S3Options)
    prefetch: PrefetchConfig = field(default_factory=PrefetchConfig)
    stop_seconds: float = STOP_SECONDS

    def __post_init__(self) -> None:
        self.output  # noqa: B018 - raises

    @property
    def output_path(self) -> str:
        """Under which there is a folder for the job."""
        return self.spec.output_path or str(self.directory.path.parent)

    @property
    def output(self) -> JobOutput:
        """Where the archives go."""
        return JobOutput.below(self.output_path, self.spec.job_name, self.s3_options)

    @property
    def hyperparameters(self) -> dict[str, str]:
        """All of the first host's, as texts."""
        return self.orders(self.spec.hosts[0]).hyperparameters()

    def orders(
        self,
        host: str,
        tf_configs: TfConfigs | None = None,
        gpus: tuple[str, ...] | None = None,
    ) -> HostOrders:
        """Those of one host of this machine.

        Args:
            host: Its name.
            tf_configs: TF_CONFIG of its processes.
            gpus: Its GPUs; None for all.
        """
        resources = Resources(host, self.spec.hosts, self.spec.instance_type, gpus=gpus)
        return HostOrders(
            spec=self.spec,
            resources=resources,
            ml=self.directory.ml_of(host),
            log=self.directory.log(host),
            rescue=self.directory.path / f"{host}.checkpoints",
            addresses=loopback_addresses(self.spec.hosts),
            output=self.output,
            s3_options=self.s3_options,
            prefetch=self.prefetch,
            stop_seconds=self.stop_seconds,
            tf_configs=tf_configs or TfConfigs(),
        )
