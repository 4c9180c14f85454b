"""What `TensorFlow` makes of its arguments."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.training_input import TrainingInput

_log = logging.getLogger(__name__)

_Input: TypeAlias = str | os.PathLike[str] | TrainingInput
Inputs: TypeAlias = _Input | Mapping[str, _Input] | None

# The channel of an input that is given without one.
_CHANNEL = "training"
# As the SDK has it of a model_uri.
_MODEL_CONTENT_TYPE = "application/x-sagemaker-model"
_LOG_LEVEL = "sagemaker_container_log_level"
_LOGS = ("All", "None", "Training", "Rules")

# Of the estimator: what is about machines, rights, keys and networks of an AWS account.
_WITHOUT_MEANING = (
    *("role", "framework_version", "py_version", "image_uri", "volume_size", "volume_kms_key"),
    *("output_kms_key", "use_spot_instances", "max_wait", "keep_alive_period_in_seconds"),
    *("sagemaker_session", "code_location", "subnets", "security_group_ids"),
    *("enable_network_isolation", "encrypt_inter_container_traffic", "enable_sagemaker_metrics"),
    *("debugger_hook_config", "profiler_config", "disable_profiler", "rules", "tags"),
    *("compiler_config", "enable_infra_check", "enable_remote_debug"),
    *("enable_session_tag_chaining", "training_plan", "instance_placement_config"),
    *("training_repository_access_mode", "training_repository_credentials_provider_arn"),
)
# What would change what a job does, and what to do instead.
_NOT_DONE = MappingProxyType(
    {
        "git_config": "nothing is cloned; check it out, and give source_dir",
        "instance_groups": "hosts are alike; give instance_count",
        "container_entry_point": "there is no container; give the script as entry_point",
        "container_arguments": "there is no container; give hyperparameters",
        "disable_output_compression": "a model is stored as model.tar.gz; have the script write "
        "it where it should be",
        "tensorboard_output_config": "only checkpoints are stored while the script runs; have it "
        "write below checkpoint_local_path, with checkpoint_s3_uri",
    }
)
_TRANSFORMER_WITHOUT_MEANING = (
    *("output_kms_key", "tags", "role", "volume_kms_key", "vpc_config_override"),
    *("enable_network_isolation", "model_name"),
)
_TRANSFORMER_NOT_DONE = MappingProxyType(
    {
        "entry_point": "have the training script put inference.py into code beside the model in "
        "SM_MODEL_DIR",
    }
)


def channels_of(inputs: Inputs) -> tuple[Channel, ...]:
    """The channels of ``fit(inputs)``.

    Raises:
        InvalidArgumentError: An input is something else, such as the SDK's FileSystemInput.
    """
    if inputs is None:
        return ()
    given = inputs if isinstance(inputs, Mapping) else {_CHANNEL: inputs}
    return tuple(Channel(name, _training_input(name, value)) for name, value in given.items())


def _training_input(name: str, given: object) -> TrainingInput:
    if isinstance(given, TrainingInput):
        return given
    if isinstance(given, str | os.PathLike):
        return TrainingInput(str(given))
    raise InvalidArgumentError(
        f"input {name} is a {type(given).__module__}.{type(given).__qualname__}: give a URI, a "
        "path, or a TrainingInput of this package"
    )


def model_channel(uri: str | None, name: str) -> tuple[Channel, ...]:
    """The channel, in File mode, that the SDK makes of ``model_uri`` and ``model_channel_name``."""
    if uri is None:
        return ()
    given = TrainingInput(uri, input_mode="File", content_type=_MODEL_CONTENT_TYPE)
    return (Channel(name, given),)


def log_level_hyperparameter(level: int) -> dict[str, int]:
    """What tells a container its ``container_log_level``, where that is not the usual.

    Raises:
        InvalidArgumentError: It is no number.
    """
    if not isinstance(level, int) or isinstance(level, bool):
        raise InvalidArgumentError(
            f"container_log_level={level!r} is no number; give one of logging's, such as "
            "logging.DEBUG"
        )
    return {} if level == logging.INFO else {_LOG_LEVEL: level}


def shows_script(logs: object) -> bool:
    """Whether ``fit(logs=...)``, a text, a list of texts or a bool, shows what the script prints.

    Raises:
        InvalidArgumentError: It is nothing that the SDK takes.
    """
    if isinstance(logs, bool):
        return logs
    given = logs if isinstance(logs, Sequence) and not isinstance(logs, str) else [logs]
    if any(each not in _LOGS for each in given):
        raise InvalidArgumentError(f"logs={logs!r} is not one of {', '.join(_LOGS)}")
    return "All" in given or "Training" in given


def check_estimator_arguments(arguments: Mapping[str, Any]) -> None:
    """Logs which of the estimator's arguments do nothing here, and refuses what cannot be done.

    Args:
        arguments: All, by name.

    Raises:
        InvalidArgumentError: Names those that cannot be done, and what to do instead.
    """
    say_without_meaning("TensorFlow", {name: arguments[name] for name in _WITHOUT_MEANING})
    _refuse({name: arguments[name] for name in _NOT_DONE}, _NOT_DONE)


def check_transformer_arguments(arguments: Mapping[str, Any], on_ray: bool) -> None:
    """The same for the arguments of ``estimator.transformer``.

    Args:
        arguments: All, by name.
        on_ray: `instance_count` has a meaning.

    Raises:
        InvalidArgumentError: As for `check_estimator_arguments`.
    """
    given = {
        "instance_count": arguments["instance_count"] > 1 and not on_ray,
        "instance_type": arguments["instance_type"] not in (None, "local"),
        **{name: arguments[name] for name in _TRANSFORMER_WITHOUT_MEANING},
    }
    say_without_meaning("transformer", given)
    _refuse({name: arguments[name] for name in _TRANSFORMER_NOT_DONE}, _TRANSFORMER_NOT_DONE)


def _refuse(arguments: Mapping[str, object], advice: Mapping[str, str]) -> None:
    """Refuses arguments that are neither None nor False; `advice` is what to do instead."""
    given = [name for name, value in arguments.items() if value not in (None, False)]
    if given:
        raise InvalidArgumentError(
            "; ".join(f"{name} is not done here: {advice[name]}" for name in given)
        )


def say_without_meaning(what: str, arguments: Mapping[str, object]) -> None:
    """Logs which arguments of the SDK were given that do nothing here.

    Args:
        what: Takes them.
        arguments: Their values; None and False are not given.
    """
    given = [name for name, value in arguments.items() if value not in (None, False)]
    if given:
        _log.info("%s: %s: without meaning on this machine", what, ", ".join(given))
