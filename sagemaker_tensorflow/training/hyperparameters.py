"""Hyperparameters: texts in a request and in ``hyperparameters.json``, arguments of the script.

The rules are those of SageMaker's training toolkit (``environment`` and ``mapping`` of
sagemaker-training 5.1) and of the SDK's framework estimators, which write every value as JSON.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from sagemaker_tensorflow.errors import InvalidArgumentError

# Of the SDK for the container, and never arguments of the script.
SAGEMAKER_PREFIX = "sagemaker_"
# Those of them that the toolkit keeps from SM_FRAMEWORK_PARAMS.
_TOOLKIT_OWN = frozenset(
    {
        "sagemaker_program",
        "sagemaker_submit_directory",
        "sagemaker_enable_cloudwatch_metrics",
        "sagemaker_region",
        "sagemaker_container_log_level",
        "sagemaker_job_name",
        "sagemaker_s3_output",
    }
)
_OWN_WITHOUT_PREFIX = frozenset({"default_user_module_name", "_tuning_objective_metric"})


def encoded(hyperparameters: Mapping[str, Any]) -> dict[str, str]:
    """Texts of values, as the SDK's framework estimators make them: JSON.

    Raises:
        InvalidArgumentError: A value cannot be written as JSON.
    """
    try:
        return {str(name): json.dumps(value) for name, value in hyperparameters.items()}
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(
            f"hyperparameters={dict(hyperparameters)!r}: {error}; give what JSON has"
        ) from error


def of_container(job_name: str, script: str, code: str, region: str) -> dict[str, str]:
    """Those that the SDK adds for the container of a script: texts."""
    return encoded(
        {
            "sagemaker_program": script,
            "sagemaker_submit_directory": code,
            "sagemaker_job_name": job_name,
            "sagemaker_region": region,
            "sagemaker_container_log_level": logging.INFO,
        }
    )


def decoded(texts: Mapping[str, str]) -> dict[str, Any]:
    """Values of texts: what is JSON is read, everything else is itself."""
    return {name: _value(text) for name, text in texts.items()}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def of_script(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those that are the script's."""
    return {
        name: value
        for name, value in values.items()
        if not name.startswith(SAGEMAKER_PREFIX) and name not in _OWN_WITHOUT_PREFIX
    }


def of_framework(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those that the SDK gives a framework's container: SM_FRAMEWORK_PARAMS."""
    return {
        name: value
        for name, value in values.items()
        if name.startswith(SAGEMAKER_PREFIX) and name not in _TOOLKIT_OWN
    }


def script_arguments(values: Mapping[str, Any]) -> list[str]:
    """``--name value`` for each, sorted by name; ``-n value`` for names of one letter."""
    arguments = []
    for name in sorted(values):
        arguments += [f"--{name}" if len(name) > 1 else f"-{name}", _argument(values[name])]
    return arguments


def _argument(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{key}={inner}" for key, inner in sorted(value.items()))
    return "" if value is None else str(value)
