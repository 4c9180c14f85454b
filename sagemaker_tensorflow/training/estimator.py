"""`TensorFlow`, with the argument names of the SageMaker SDK's estimator."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    TrainingJobFailedError,
)
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.training.hyperparameters import encoded
from sagemaker_tensorflow.training.job import TrainingJob
from sagemaker_tensorflow.training.job_directory import JobDirectory
from sagemaker_tensorflow.training.spec import DEFAULT_MAX_RUN_SECONDS, TrainingSpec
from sagemaker_tensorflow.training_input import TrainingInput
from sagemaker_tensorflow.transform.transformer import make_job_name

_log = logging.getLogger(__name__)

Inputs: TypeAlias = str | TrainingInput | Mapping[str, str | TrainingInput] | None

# The channel of an input that is given without one.
_CHANNEL = "training"
_LOGS = ("All", "None", "Training", "Rules")


class TensorFlow:
    """Trains with a script, on this machine.

    The arguments up to `tags` are those of the SageMaker SDK's ``TensorFlow``.

    >>> estimator = TensorFlow("train.py", input_mode="Pipe", output_path="s3://bucket/models")
    >>> estimator.fit({"training": "s3://bucket/train/"})

    Args:
        entry_point: The script: a path, or a path within `source_dir`.
        source_dir: A folder, or a ``.tar.gz`` here or in S3, with the script and what it imports.
        hyperparameters: The script's arguments: ``{"epochs": 2}`` is ``--epochs 2``.
        instance_count: Hosts; 1.
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
        role: Means nothing here, as do the next five; they are taken and a log line says so.
        framework_version: TensorFlow is the one that is installed.
        py_version: Python is the one that runs.
        image_uri: There is no container.
        volume_size: The disk is this machine's.
        tags: There is nothing to attach them to.
        engine: ``local``.
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
        role: str | None = None,
        framework_version: str | None = None,
        py_version: str | None = None,
        image_uri: str | None = None,
        volume_size: int | None = None,
        tags: Sequence[Any] | None = None,
        engine: str = "local",
        s3_options: S3Options | None = None,
        prefetch: PrefetchConfig | None = None,
        jobs_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        without_meaning = {
            "role": role,
            "framework_version": framework_version,
            "py_version": py_version,
            "image_uri": image_uri,
            "volume_size": volume_size,
            "tags": tags,
        }
        if given := [name for name, value in without_meaning.items() if value is not None]:
            _log.info("%s: without meaning on this machine", ", ".join(given))
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
        self._engine = engine
        self._s3_options = s3_options or S3Options()
        self._prefetch = prefetch or PrefetchConfig()
        self._jobs_dir = jobs_dir
        self._latest: TrainingJob | None = None
        self._spec(make_job_name(self._base_job_name), ())  # raises now what it would raise in fit

    def fit(
        self,
        inputs: Inputs = None,
        wait: bool = True,
        logs: str | bool = "All",
        job_name: str | None = None,
    ) -> None:
        """Starts a job.

        Args:
            inputs: ``{channel: URI or TrainingInput}``; one without a name is ``training``.
            wait: Until it has ended. A job that is not waited for ends with this process.
            logs: ``All`` shows what the script prints, ``None`` does not; only while waiting.
            job_name: By default `base_job_name` and the time.

        Raises:
            TrainingJobFailedError: The job is Failed; says why.
            InvalidArgumentError: The inputs make no sense, or there was a job of this name.
            KeyboardInterrupt: It was interrupted, and the job is Stopped.
        """
        if not isinstance(logs, bool) and logs not in _LOGS:
            raise InvalidArgumentError(f"logs={logs!r} is not one of {', '.join(_LOGS)}")
        spec = self._spec(job_name or make_job_name(self._base_job_name), _channels(inputs))
        self._latest = TrainingJob(
            spec, s3_options=self._s3_options, prefetch=self._prefetch, jobs_dir=self._jobs_dir
        )
        self._latest.start()
        if wait:
            self._wait(self._latest, logs in (True, "All", "Training"))

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
            channels=channels,
            source_dir=self._source_dir,
            dependencies=self._dependencies,
            hyperparameters=encoded({**self._hyperparameters, **self._model_dir_of(job_name)}),
            input_mode=self._input_mode,
            instance_count=self._instance_count,
            instance_type=self._instance_type,
            output_path=self._output_path,
            environment=self._environment,
            max_run=self._max_run,
            engine=self._engine,
        )

    def _model_dir_of(self, job_name: str) -> dict[str, Any]:
        if self._model_dir is False:
            return {}
        if self._model_dir is not None:
            return {"model_dir": self._model_dir}
        if self._output_path is None:
            return {"model_dir": str(JobDirectory(job_name, self._jobs_dir).ml.model)}
        root = self._output_path.rstrip("/")
        if "://" not in root:
            root = str(Path(root).absolute())
        return {"model_dir": f"{root}/{job_name}/model"}


def _channels(inputs: Inputs) -> tuple[Channel, ...]:
    if inputs is None:
        return ()
    given = inputs if isinstance(inputs, Mapping) else {_CHANNEL: inputs}
    return tuple(
        Channel(name, value if isinstance(value, TrainingInput) else TrainingInput(str(value)))
        for name, value in given.items()
    )
