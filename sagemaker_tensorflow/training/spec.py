"""What a training job is to do, as a value: the fields of CreateTrainingJob in Python's names."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from types import MappingProxyType

from sagemaker_tensorflow.channels import Channel, check_names
from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.training_input import INPUT_MODES, TrainingInput

ENGINES = ("local", "ray")

# TrainingJobName, HyperParameters, Environment, InputDataConfig and MaxRuntimeInSeconds:
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
_JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_ENVIRONMENT_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_MOST_CHANNELS = 20
_MOST_HYPERPARAMETERS = 100
_MOST_VARIABLES = 100
_MOST_RUN_SECONDS = 28 * 86_400
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
        input_mode: ``Pipe`` or ``File``, for channels that do not say.
        instance_count: Hosts.
        instance_type: What the script is told that it runs on; chooses nothing.
        output_path: ``s3://bucket/prefix`` or a folder; None keeps results beside the job's log.
        environment: Variables for the script.
        max_run: Seconds that the script may run before it is stopped.
        engine: ``local``: the hosts are processes of this machine.

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
    engine: str = "local"

    def __post_init__(self) -> None:
        problems = [
            *_script_problems(self),
            *_channel_problems(self),
            *_mapping_problems(self),
            *_running_problems(self),
        ]
        if problems:
            raise InvalidArgumentError(f"the training job cannot run: {'; '.join(problems)}")
        check_names(self.channels)
        put = object.__setattr__
        put(self, "channels", tuple(_with_mode(c, self.input_mode) for c in self.channels))
        put(self, "hyperparameters", MappingProxyType(dict(self.hyperparameters)))
        put(self, "environment", MappingProxyType(dict(self.environment)))

    def channels_in(self, mode: str) -> tuple[Channel, ...]:
        """The channels of one input mode."""
        return tuple(channel for channel in self.channels if channel.input.input_mode == mode)


def _with_mode(channel: Channel, mode: str) -> Channel:
    given = channel.input
    if not isinstance(given, TrainingInput) or given.input_mode is not None:
        return channel
    return Channel(channel.name, dataclasses.replace(given, input_mode=mode))


def _script_problems(spec: TrainingSpec) -> Iterator[str]:
    if not spec.entry_point:
        yield "entry_point is missing"
    parts = PurePosixPath(spec.entry_point).parts
    if spec.source_dir is not None and (".." in parts or spec.entry_point.startswith("/")):
        yield f"entry_point={spec.entry_point!r} is not a path within source_dir"
    if spec.entry_point.startswith("-"):
        yield f"entry_point={spec.entry_point!r} begins as an option does"
    if not _JOB_NAME.fullmatch(spec.job_name):
        yield (
            f"job_name={spec.job_name!r} is not 1 to 63 letters, digits and hyphens between them"
        )


def _channel_problems(spec: TrainingSpec) -> Iterator[str]:
    if spec.input_mode not in INPUT_MODES:
        yield f"input_mode={spec.input_mode!r} is not one of {', '.join(INPUT_MODES)}"
    if len(spec.channels) > _MOST_CHANNELS:
        yield f"there are {len(spec.channels)} channels, at most {_MOST_CHANNELS} are allowed"
    for channel in spec.channels:
        mode = channel.input.input_mode or spec.input_mode
        given = channel.input
        if mode == "FastFile":
            yield f"channel {channel.name}: FastFile is not there yet; use Pipe or File"
        if mode == "File" and isinstance(given, TrainingInput):
            yield from _file_mode_problems(channel.name, given)


def _file_mode_problems(name: str, given: TrainingInput) -> Iterator[str]:
    """What the service does in Pipe mode only (API_Channel.html, API_S3DataSource.html)."""
    if given.s3_data_type == "AugmentedManifestFile":
        yield f"channel {name}: an AugmentedManifestFile is streamed; use input_mode='Pipe'"
    if given.compression:
        yield (
            f"channel {name}: compression={given.compression!r} is for input_mode='Pipe'; in File "
            "mode the script finds the objects as they are"
        )
    if given.pipes_per_channel > 1:
        yield f"channel {name}: pipes_per_channel={given.pipes_per_channel} in File mode"


def _mapping_problems(spec: TrainingSpec) -> Iterator[str]:
    for name, given, most in (
        ("hyperparameters", spec.hyperparameters, _MOST_HYPERPARAMETERS),
        ("environment", spec.environment, _MOST_VARIABLES),
    ):
        if len(given) > most:
            yield f"{name} has {len(given)} entries, at most {most} are allowed"
        for key, value in given.items():
            if not isinstance(key, str) or not isinstance(value, str):
                yield f"{name}: {key!r}={value!r} are not strings"
    for key, value in spec.environment.items():
        if not _ENVIRONMENT_NAME.fullmatch(str(key)) or "\0" in str(value):
            yield f"environment: {key!r} is not a variable's name, or has a null in its value"


def _running_problems(spec: TrainingSpec) -> Iterator[str]:
    for name in ("instance_count", "max_run"):
        value = getattr(spec, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            yield f"{name}={value!r} is not a whole number of 1 or more"
            return
    if spec.max_run > _MOST_RUN_SECONDS:
        yield f"max_run={spec.max_run} is more than {_MOST_RUN_SECONDS} seconds"
    if spec.instance_count > 1:
        yield f"instance_count={spec.instance_count}: several hosts are not there yet; give 1"
    if spec.engine not in ENGINES:
        yield f"engine={spec.engine!r} is not one of {', '.join(ENGINES)}"
    if spec.engine == "ray":
        yield "engine='ray' is not there yet; leave it out, or give 'local'"
