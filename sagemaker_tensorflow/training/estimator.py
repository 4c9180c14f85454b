"""`TensorFlow`, with the argument names of the SageMaker SDK's estimator."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.errors import (
    FailedPreconditionError,
    TrainingJobFailedError,
)
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.ray_cluster import ray_options
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.training.distribution import distribution_hyperparameters
from sagemaker_tensorflow.training.estimator_arguments import (
    Inputs,
    channels_of,
    check_estimator_arguments,
    check_transformer_arguments,
    log_level_hyperparameter,
    model_channel,
    say_without_meaning,
    shows_script,
)
from sagemaker_tensorflow.training.history.metric_definitions import metrics_from_sdk
from sagemaker_tensorflow.training.hyperparameters import encoded
from sagemaker_tensorflow.training.job import TrainingJob
from sagemaker_tensorflow.training.job_directory import JobDirectory
from sagemaker_tensorflow.training.spec import DEFAULT_MAX_RUN_SECONDS, TrainingSpec
from sagemaker_tensorflow.transform.transformer import Transformer, make_job_name

if TYPE_CHECKING:
    from sagemaker_tensorflow.training.history.analytics import TrainingJobAnalytics

_log = logging.getLogger(__name__)


class TensorFlow:
    """Trains with a script, on this machine.

    The arguments up to `tensorboard_output_config` are those of the SageMaker SDK's ``TensorFlow``.

    >>> estimator = TensorFlow("train.py", input_mode="Pipe", output_path="s3://bucket/models")
    >>> estimator.fit({"training": "s3://bucket/train/"})

    Args:
        entry_point: The script: a path, or a path within `source_dir`.
        source_dir: A folder, or a ``.tar.gz`` here or in S3, with the script and what it imports.
        hyperparameters: The script's arguments: ``{"epochs": 2}`` is ``--epochs 2``.
        instance_count: Hosts.
        instance_type: What the script is told; chooses nothing.
        input_mode: ``File`` or ``Pipe``, for channels that do not say.
        output_path: ``s3://bucket/prefix`` or a folder; ``<job>/output/model.tar.gz`` is made in
            it. None keeps it beside the job's log.
        environment: Variables for the script.
        max_run: Seconds that the script may run.
        dependencies: Files and folders that are put beside the script.
        model_dir: The argument ``--model_dir`` of the script; None is ``<output_path>/<job>/model``
            as with the SDK, False is no such argument.
        base_job_name: What names of jobs begin with.
        checkpoint_s3_uri: ``s3://bucket/prefix`` or a folder, where what the script writes to
            `checkpoint_local_path` is kept while it runs, and whence the next job gets it.
        checkpoint_local_path: Below ``/opt/ml``; None is ``/opt/ml/checkpoints``.
        metric_definitions: ``[{"Name": ..., "Regex": ...}]``: what to find in the script's output.
        distribution: ``{"multi_worker_mirrored_strategy": {"enabled": True}}`` or
            ``{"parameter_server": {"enabled": True}}``: what TF_CONFIG is for.
        max_retry_attempts: How often the job is begun anew when a host is lost.
        container_log_level: SM_LOG_LEVEL of the script, a number of `logging`.
        model_uri: Of a model to begin with, which the script finds in a File channel.
        model_channel_name: Of that channel.
        role: As the following up to `training_repository_credentials_provider_arn`: what is about
            the machines, rights, keys and networks of an AWS account, or about the SDK's compiler,
            debugger and profiler, means nothing here. It is taken, and a log line says so.
        git_config: As the following up to `tensorboard_output_config`: is not done here.
        engine: ``local``, or ``ray`` for hosts in a Ray cluster.
        ray_address: Of the cluster, as ``ray.init`` takes it. None for the one that RAY_ADDRESS
            names, that this machine is a node of, or that this process is connected to.
        num_cpus: CPUs that Ray keeps for each host; None keeps one.
        num_gpus: GPUs for each host; None for none.
        s3_options: How to reach S3.
        prefetch: The prefetcher's numbers.
        jobs_dir: See `TrainingJob`.

    Raises:
        InvalidArgumentError: An argument makes no sense.
    """

    def __init__(
        self,
        entry_point: str | os.PathLike[str],
        *,
        source_dir: str | os.PathLike[str] | None = None,
        hyperparameters: Mapping[str, Any] | None = None,
        instance_count: int = 1,
        instance_type: str = "local",
        input_mode: str = "File",
        output_path: str | os.PathLike[str] | None = None,
        environment: Mapping[str, str] | None = None,
        max_run: int = DEFAULT_MAX_RUN_SECONDS,
        dependencies: Sequence[str | os.PathLike[str]] = (),
        model_dir: str | bool | None = None,
        base_job_name: str | None = None,
        checkpoint_s3_uri: str | os.PathLike[str] | None = None,
        checkpoint_local_path: str | None = None,
        metric_definitions: Sequence[Mapping[str, str]] | None = None,
        distribution: Mapping[str, Any] | None = None,
        max_retry_attempts: int | None = None,
        container_log_level: int = logging.INFO,
        model_uri: str | None = None,
        model_channel_name: str = "model",
        role: str | None = None,
        framework_version: str | None = None,
        py_version: str | None = None,
        image_uri: str | None = None,
        volume_size: int | None = None,
        volume_kms_key: str | None = None,
        output_kms_key: str | None = None,
        use_spot_instances: bool = False,
        max_wait: int | None = None,
        keep_alive_period_in_seconds: int | None = None,
        sagemaker_session: object = None,
        code_location: str | None = None,
        subnets: Sequence[str] | None = None,
        security_group_ids: Sequence[str] | None = None,
        enable_network_isolation: bool = False,
        encrypt_inter_container_traffic: bool = False,
        enable_sagemaker_metrics: bool | None = None,
        debugger_hook_config: object = None,
        profiler_config: object = None,
        disable_profiler: bool = False,
        rules: Sequence[object] | None = None,
        tags: Sequence[Any] | None = None,
        compiler_config: object = None,
        enable_infra_check: bool | None = None,
        enable_remote_debug: bool | None = None,
        enable_session_tag_chaining: bool | None = None,
        training_plan: str | None = None,
        instance_placement_config: Mapping[str, Any] | None = None,
        training_repository_access_mode: str | None = None,
        training_repository_credentials_provider_arn: str | None = None,
        git_config: Mapping[str, str] | None = None,
        instance_groups: Sequence[object] | None = None,
        container_entry_point: Sequence[str] | None = None,
        container_arguments: Sequence[str] | None = None,
        disable_output_compression: bool = False,
        tensorboard_output_config: object = None,
        engine: str = "local",
        ray_address: str | None = None,
        num_cpus: float | None = None,
        num_gpus: float | None = None,
        s3_options: S3Options | None = None,
        prefetch: PrefetchConfig | None = None,
        jobs_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        check_estimator_arguments(locals())
        self._entry_point = os.fspath(entry_point)
        self._source_dir = None if source_dir is None else os.fspath(source_dir)
        self._hyperparameters = dict(hyperparameters or {})
        self._instance_count = instance_count
        self._instance_type = instance_type
        self._input_mode = input_mode
        self._output_path = None if output_path is None else os.fspath(output_path)
        self._environment = dict(environment or {})
        self._max_run = max_run
        self._dependencies = tuple(os.fspath(path) for path in dependencies)
        self._model_dir = model_dir
        self._base_job_name = base_job_name or "tensorflow-training"
        self._checkpoint_s3_uri = (
            None if checkpoint_s3_uri is None else os.fspath(checkpoint_s3_uri)
        )
        self._checkpoint_local_path = checkpoint_local_path
        self._metric_definitions = metrics_from_sdk(metric_definitions)
        self._sdk_hyperparameters = {
            **distribution_hyperparameters(distribution),
            **log_level_hyperparameter(container_log_level),
        }
        self._model_channel = model_channel(model_uri, model_channel_name)
        self._max_retry_attempts = max_retry_attempts or 0
        self._ray = ray_options(engine, ray_address, num_cpus, num_gpus)
        self._s3_options = s3_options or S3Options()
        self._prefetch = prefetch or PrefetchConfig()
        self._jobs_dir = jobs_dir
        self._latest: TrainingJob | None = None
        self._spec(make_job_name(self._base_job_name), ())  # raises now what it would raise in fit

    def fit(
        self,
        inputs: Inputs = None,
        wait: bool = True,
        logs: str | Sequence[str] | bool = "All",
        job_name: str | None = None,
        experiment_config: Mapping[str, str] | None = None,
    ) -> None:
        """Starts a job.

        Args:
            inputs: ``{channel: URI or TrainingInput}``; one without a name is ``training``.
            wait: Until it has ended. A job that is not waited for ends with this process.
            logs: ``All`` or ``Training`` shows what the script prints, also in a list; only while
                waiting.
            job_name: By default `base_job_name` and the time.
            experiment_config: Means nothing here.

        Raises:
            TrainingJobFailedError: The job is Failed; says why.
            InvalidArgumentError: The inputs make no sense, or there was a job of this name.
            NotFoundError: The script, or another file or folder of this machine, is not there.
            KeyboardInterrupt: It was interrupted, and the job is Stopped.
        """
        shown = shows_script(logs)
        say_without_meaning("fit", {"experiment_config": experiment_config})
        spec = self._spec(job_name or make_job_name(self._base_job_name), channels_of(inputs))
        job = TrainingJob(
            spec,
            s3_options=self._s3_options,
            prefetch=self._prefetch,
            jobs_dir=self._jobs_dir,
            ray=self._ray,
        )
        job.start()
        self._latest = job
        if wait:
            self._wait(job, shown)

    @property
    def latest_training_job(self) -> TrainingJob:
        """The job of the last `fit`.

        Raises:
            FailedPreconditionError: There was none.
        """
        if self._latest is None:
            raise FailedPreconditionError("there is no training job yet: call fit()")
        return self._latest

    @property
    def model_data(self) -> str:
        """Where the latest job's ``model.tar.gz`` is.

        Raises:
            FailedPreconditionError: The job has not ended, or made no model.
        """
        result = self.latest_training_job.result()
        if result.model_uri is None:
            raise FailedPreconditionError(
                f"job {result.job_name} is {result.status} and there is no model.tar.gz: "
                + (result.failure_reason or "its script left nothing in SM_MODEL_DIR")
            )
        return result.model_uri

    @property
    def training_job_analytics(self) -> TrainingJobAnalytics:
        """The latest job's metrics, by its `metric_definitions`.

        Raises:
            FailedPreconditionError: There was no job.
        """
        from sagemaker_tensorflow.training.history.analytics import TrainingJobAnalytics
        from sagemaker_tensorflow.training.history.job_store import JobStore

        return TrainingJobAnalytics(
            self.latest_training_job.name, store=JobStore.of_jobs_dir(self._jobs_dir)
        )

    def transformer(
        self,
        instance_count: int = 1,
        instance_type: str = "local",
        strategy: str | None = None,
        assemble_with: str | None = None,
        output_path: str | os.PathLike[str] | None = None,
        output_kms_key: str | None = None,
        accept: str | None = None,
        env: Mapping[str, str] | None = None,
        max_concurrent_transforms: int | None = None,
        max_payload: int | None = None,
        tags: Sequence[Any] | None = None,
        role: str | None = None,
        volume_kms_key: str | None = None,
        entry_point: str | None = None,
        vpc_config_override: object = None,
        enable_network_isolation: bool | None = None,
        model_name: str | None = None,
    ) -> Transformer:
        """A `Transformer` of the latest job's model.

        The arguments are those of the SageMaker SDK's method; that some mean nothing here, a log
        line says.

        Args:
            instance_count: Hosts, for an estimator of ``engine="ray"``; others transform in this
                process.
            instance_type: Of them; chooses nothing.
            strategy: See `Transformer`, as for the others.
            assemble_with: What is put behind every response.
            output_path: Where results go; None is ``transform`` beside the model's folder.
            output_kms_key: Means nothing here.
            accept: MIME type of the results.
            env: Environment of ``inference.py``.
            max_concurrent_transforms: Its calls at a time.
            max_payload: In units of 2**20 bytes.
            tags: Means nothing here.
            role: Means nothing here.
            volume_kms_key: Means nothing here.
            entry_point: Is not done here: the training script puts its ``inference.py`` into
                ``code`` beside the model.
            vpc_config_override: Means nothing here.
            enable_network_isolation: Means nothing here.
            model_name: Means nothing here.

        Raises:
            FailedPreconditionError: There was no job, it has not ended, or it made no model.
            InvalidArgumentError: `entry_point` is given, or an argument makes no sense.
        """
        check_transformer_arguments(locals(), on_ray=self._ray is not None)
        model, ray = self.model_data, self._ray
        beside_model = f"{self._output_of(self.latest_training_job.name)}/transform"
        return Transformer(
            model,
            output_path=beside_model if output_path is None else os.fspath(output_path),
            strategy=strategy,
            assemble_with=assemble_with,
            accept=accept,
            env=env,
            max_concurrent_transforms=max_concurrent_transforms,
            max_payload=max_payload,
            base_transform_job_name=self._base_job_name,
            s3_options=self._s3_options,
            engine="local" if ray is None else "ray",
            instance_count=None if ray is None else instance_count,
            ray_address=None if ray is None else ray.address,
            num_cpus=None if ray is None else ray.num_cpus,
            num_gpus=None if ray is None else ray.num_gpus,
        )

    def logs(self) -> None:
        """Prints what the latest job's script prints, until the job ends."""
        self.latest_training_job.wait(logs=True)

    def _wait(self, job: TrainingJob, logs: bool) -> None:
        result = job.wait(logs)
        if result.status == "Failed":
            raise TrainingJobFailedError(
                f"training job {job.name}: {result.failure_reason} (its log is {result.log_path})"
            )
        if result.status != "Completed":
            _log.warning("job %s is %s: %s", job.name, result.status, result.secondary_status)

    def _spec(self, job_name: str, channels: tuple[Channel, ...]) -> TrainingSpec:
        return TrainingSpec(
            entry_point=self._entry_point,
            job_name=job_name,
            channels=(*channels, *self._model_channel),
            source_dir=self._source_dir,
            dependencies=self._dependencies,
            hyperparameters=encoded(
                {
                    **self._hyperparameters,
                    **self._sdk_hyperparameters,
                    **self._model_dir_of(job_name),
                }
            ),
            input_mode=self._input_mode,
            instance_count=self._instance_count,
            instance_type=self._instance_type,
            output_path=self._output_path,
            environment=self._environment,
            max_run=self._max_run,
            checkpoint_s3_uri=self._checkpoint_s3_uri,
            checkpoint_local_path=self._checkpoint_local_path,
            metric_definitions=self._metric_definitions,
            max_retry_attempts=self._max_retry_attempts,
        )

    def _model_dir_of(self, job_name: str) -> dict[str, Any]:
        if self._model_dir is False:
            return {}
        if self._model_dir is not None:
            return {"model_dir": self._model_dir}
        if self._output_path is None:
            return {"model_dir": str(JobDirectory(job_name, self._jobs_dir).ml.model)}
        return {"model_dir": f"{self._output_of(job_name)}/model"}

    def _output_of(self, job_name: str) -> str:
        """Under which there is what belongs to one job."""
        if self._output_path is None:
            return str(JobDirectory(job_name, self._jobs_dir).path)
        root = self._output_path.rstrip("/")
        if "://" not in root:
            root = str(Path(root).absolute())
        return f"{root}/{job_name}"
