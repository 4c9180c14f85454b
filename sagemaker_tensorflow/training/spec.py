"""What a training job is to do, as a value: the fields of CreateTrainingJob in Python's names."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sagemaker_tensorflow.channels import Channel, check_names
from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.training.spec_problems import spec_problems
from sagemaker_tensorflow.training_input import TrainingInput

DEFAULT_MAX_RUN_SECONDS = 86_400


@dataclass(frozen=True)
class TrainingSpec:
    """One job. What it says is checked when it is made.

    Attributes:
        entry_point: The script, relative to `source_dir`; without one, the path of a file.
        job_name: 1 to 63 letters, digits, and hyphens between them.
        channels: What the script reads. Their ``input_mode`` is filled in from this one's.
        source_dir: A folder or a ``.tar.gz``: a path, ``file://``, or ``s3://`` of an archive.
        dependencies: Files and folders that are put beside the script.
        hyperparameters: Texts, as in a request: what is JSON in them is read as such.
        input_mode: ``Pipe``, ``File`` or ``FastFile``, for channels that do not say.
        instance_count: Hosts.
        instance_type: What the script is told that it runs on; chooses nothing.
        output_path: ``s3://bucket/prefix`` or a folder; None keeps results beside the job's log.
        environment: Variables for the script.
        max_run: Seconds that the script may run before it is stopped.
        checkpoint_s3_uri: ``s3://bucket/prefix`` or a folder, where the script's checkpoints are
            kept while it runs, and whence it gets them when it starts.
        checkpoint_local_path: Where the script writes them, below ``/opt/ml``; None is
            ``/opt/ml/checkpoints``.
        metric_definitions: Names of metrics, and the regular expressions that find their values in
            what the script prints.
        max_retry_attempts: How often the job is begun anew after an InternalServerError, which is
            the loss of a host and not a failure of the script.

    Raises:
        InvalidArgumentError: Names every value that is wrong, and what is allowed.
    """

    entry_point: str
    job_name: str
    channels: tuple[Channel, ...] = ()
    source_dir: str | None = None
    dependencies: tuple[str, ...] = ()
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    input_mode: str = "File"
    instance_count: int = 1
    instance_type: str = "local"
    output_path: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    max_run: int = DEFAULT_MAX_RUN_SECONDS
    checkpoint_s3_uri: str | None = None
    checkpoint_local_path: str | None = None
    metric_definitions: tuple[tuple[str, str], ...] = ()
    max_retry_attempts: int = 0

    def __post_init__(self) -> None:
        problems = list(spec_problems(self))
        if problems:
            raise InvalidArgumentError(f"the training job cannot run: {'; '.join(problems)}")
        check_names(self.channels)
        put = object.__setattr__
        put(self, "channels", tuple(_with_mode(c, self.input_mode) for c in self.channels))
        put(self, "hyperparameters", MappingProxyType(dict(self.hyperparameters)))
        put(self, "environment", MappingProxyType(dict(self.environment)))

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle, which has no way with the mappings' proxies."""
        values = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        plain = {
            name: dict(value) if isinstance(value, Mapping) else value
            for name, value in values.items()
        }
        return _unpickled, (plain,)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts' names, sorted as SageMaker sorts them: as texts."""
        return tuple(sorted(f"algo-{n + 1}" for n in range(self.instance_count)))

    def channels_in(self, mode: str) -> tuple[Channel, ...]:
        """The channels of one input mode."""
        return tuple(channel for channel in self.channels if channel.input.input_mode == mode)


def _with_mode(channel: Channel, mode: str) -> Channel:
    given = channel.input
    if not isinstance(given, TrainingInput) or given.input_mode is not None:
        return channel
    return Channel(channel.name, dataclasses.replace(given, input_mode=mode))


def _unpickled(values: dict[str, Any]) -> TrainingSpec:
    return TrainingSpec(**values)
