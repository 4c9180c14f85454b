"""What is wrong with a `TrainingSpec`, in words: the service's limits, and what fits together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.locations import parse_location
from sagemaker_tensorflow.training.distribution import requested_distribution
from sagemaker_tensorflow.training.ml_mount import ML_PATH
from sagemaker_tensorflow.training_input import INPUT_MODES, TrainingInput

if TYPE_CHECKING:
    from sagemaker_tensorflow.training.spec import TrainingSpec

# TrainingJobName, HyperParameters, Environment, InputDataConfig, MaxRuntimeInSeconds,
# MetricDefinitions and MaximumRetryAttempts:
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
_JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_ENVIRONMENT_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_MOST_CHANNELS = 20
_MOST_HYPERPARAMETERS = 100
_MOST_VARIABLES = 100
_MOST_RUN_SECONDS = 28 * 86_400
_MOST_METRICS = 40
_MOST_METRIC_NAME = 255
_MOST_METRIC_REGEX = 500
_MOST_RETRIES = 30
# The service's model has no bound for InstanceCount, and accounts have quotas (20 and the like).
# Here each host is a thread, a process and folders; so many are a slip of the hand.
_MOST_HOSTS = 1_000


def spec_problems(spec: TrainingSpec) -> Iterator[str]:
    """A text for everything that is wrong; nothing if nothing is."""
    yield from _script_problems(spec)
    yield from _channel_problems(spec)
    yield from _mapping_problems(spec)
    yield from _running_problems(spec)
    yield from _host_problems(spec)
    yield from _checkpoint_problems(spec)
    yield from _metric_problems(spec)


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
        if mode in ("File", "FastFile") and isinstance(given, TrainingInput):
            yield from _folder_problems(channel.name, given, mode)


def _folder_problems(name: str, given: TrainingInput, mode: str) -> Iterator[str]:
    """What the service does in Pipe mode only (API_Channel.html, API_S3DataSource.html)."""
    if given.s3_data_type == "AugmentedManifestFile":
        yield f"channel {name}: an AugmentedManifestFile is streamed; use input_mode='Pipe'"
    elif mode == "FastFile" and given.s3_data_type != "S3Prefix":
        yield (
            f"channel {name}: s3_data_type={given.s3_data_type!r} in FastFile mode, which is for "
            "S3Prefix; use input_mode='File' or 'Pipe'"
        )
    for setting in ("compression", "record_wrapping"):
        value = getattr(given, setting)
        if value:
            yield (
                f"channel {name}: {setting}={value!r} is for input_mode='Pipe'; in {mode} mode the "
                "script finds the objects as they are"
            )
    if given.pipes_per_channel > 1:
        yield f"channel {name}: pipes_per_channel={given.pipes_per_channel} in {mode} mode"


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
    if spec.instance_count > _MOST_HOSTS:
        yield f"instance_count={spec.instance_count} is more than {_MOST_HOSTS} hosts"
    if spec.max_run > _MOST_RUN_SECONDS:
        yield f"max_run={spec.max_run} is more than {_MOST_RUN_SECONDS} seconds"


def _host_problems(spec: TrainingSpec) -> Iterator[str]:
    retries = spec.max_retry_attempts
    if (
        not isinstance(retries, int)
        or isinstance(retries, bool)
        or not 0 <= retries <= _MOST_RETRIES
    ):
        yield f"max_retry_attempts={retries!r} is not a whole number of 0 to {_MOST_RETRIES}"
    try:
        requested_distribution(spec.hyperparameters)
    except InvalidArgumentError as error:
        yield str(error)


def _checkpoint_problems(spec: TrainingSpec) -> Iterator[str]:
    if spec.checkpoint_s3_uri is not None:
        try:
            parse_location(spec.checkpoint_s3_uri)
        except InvalidArgumentError as error:
            yield f"checkpoint_s3_uri: {error}"
    path = spec.checkpoint_local_path
    if path is None:
        return
    if spec.checkpoint_s3_uri is None:
        yield f"checkpoint_local_path={path!r} is given without checkpoint_s3_uri"
    if ML_PATH not in Path(path).parents or ".." in path.split("/"):
        yield f"checkpoint_local_path={path!r} is not below {ML_PATH}, as {ML_PATH}/checkpoints is"


def _metric_problems(spec: TrainingSpec) -> Iterator[str]:
    if len(spec.metric_definitions) > _MOST_METRICS:
        yield (
            f"metric_definitions has {len(spec.metric_definitions)} entries, at most "
            f"{_MOST_METRICS} are allowed"
        )
    names = [name for name, _ in spec.metric_definitions]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"metric_definitions: {name!r} is there more than once"
    for name, regex in spec.metric_definitions:
        yield from _text_problems("a metric's name", name, _MOST_METRIC_NAME)
        yield from _text_problems(f"metric {name!r}: its regex", regex, _MOST_METRIC_REGEX)
        try:
            compiled = re.compile(regex)
        except re.error as error:
            yield f"metric {name!r}: regex {regex!r}: {error}"
        else:
            if compiled.groups < 1:
                yield f"metric {name!r}: regex {regex!r} has no group (...) around the value"


def _text_problems(what: str, text: str, most: int) -> Iterator[str]:
    """MetricName and MetricRegex: one line of so many characters."""
    if not 1 <= len(text) <= most or "\n" in text:
        yield f"{what} is {text!r}, allowed are 1 to {most} characters of one line"
