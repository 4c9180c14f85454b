"""Training jobs out of CreateTrainingJob requests."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.job_description import channels_of_any_mode
from sagemaker_tensorflow.json_file import json_from_file
from sagemaker_tensorflow.request_fields import RequestFields
from sagemaker_tensorflow.service_limits import check_request
from sagemaker_tensorflow.training.hyperparameters import decoded
from sagemaker_tensorflow.training.spec import DEFAULT_MAX_RUN_SECONDS, TrainingSpec

_log = logging.getLogger(__name__)

# What the SDK's framework estimators say about the script.
_PROGRAM = "sagemaker_program"
_SOURCE = "sagemaker_submit_directory"
_READ = frozenset(
    {
        "TrainingJobName",
        "AlgorithmSpecification",
        "HyperParameters",
        "InputDataConfig",
        "OutputDataConfig",
        "ResourceConfig",
        "StoppingCondition",
        "Environment",
        "CheckpointConfig",
        "RetryStrategy",
        # Whose rights a job has is decided by the credentials that it finds.
        "RoleArn",
    }
)


def spec_from_request(request: Mapping[str, Any]) -> TrainingSpec:
    """Reads a CreateTrainingJob request, as the SageMaker SDK's framework estimators make it.

    The script is what the hyperparameters ``sagemaker_program`` and ``sagemaker_submit_directory``
    name; ``TrainingImage`` is no container's here. ``file://`` is taken where the service takes
    ``s3://``. Members that nothing is done about are left alone, with a warning.

    Args:
        request: Its members, as boto3 takes them.

    Raises:
        InvalidArgumentError: The service would refuse it, or it names no script; names every member
            that is wrong.
    """
    check_request("CreateTrainingJob", request)
    left_alone = sorted(name for name in set(request) - _READ if request[name])
    if left_alone:
        _log.warning("%s: not done by this runner", ", ".join(left_alone))
    fields = RequestFields(request, "")
    algorithm = fields.inner("AlgorithmSpecification")
    if algorithm.optional("ContainerEntrypoint"):
        raise InvalidArgumentError(
            "AlgorithmSpecification.ContainerEntrypoint: a container's command is not run here; "
            f"name a script with the hyperparameters {_PROGRAM} and {_SOURCE}"
        )
    hyperparameters = dict(fields.optional("HyperParameters") or {})
    resources = fields.inner("ResourceConfig")
    if resources.optional("InstanceGroups"):
        raise InvalidArgumentError("ResourceConfig.InstanceGroups: give InstanceCount instead")
    stopping = fields.inner("StoppingCondition", {})
    checkpoints = fields.inner("CheckpointConfig", {})
    metrics = algorithm.optional("MetricDefinitions") or ()
    return TrainingSpec(
        entry_point=_text(hyperparameters, _PROGRAM),
        source_dir=_text(hyperparameters, _SOURCE),
        job_name=fields.text("TrainingJobName"),
        channels=channels_of_any_mode(request) if fields.optional("InputDataConfig") else (),
        hyperparameters=hyperparameters,
        input_mode=algorithm.text("TrainingInputMode"),
        instance_count=resources.optional("InstanceCount") or 1,
        instance_type=resources.optional("InstanceType") or "local",
        output_path=fields.inner("OutputDataConfig").text("S3OutputPath"),
        environment=fields.optional("Environment") or {},
        max_run=stopping.optional("MaxRuntimeInSeconds") or DEFAULT_MAX_RUN_SECONDS,
        checkpoint_s3_uri=checkpoints.optional("S3Uri"),
        checkpoint_local_path=checkpoints.optional("LocalPath"),
        metric_definitions=tuple((each["Name"], each["Regex"]) for each in metrics),
        max_retry_attempts=fields.inner("RetryStrategy", {}).optional("MaximumRetryAttempts") or 0,
    )


def request_from_file(path: Path) -> dict[str, Any]:
    """Reads a request that was written as JSON.

    Raises:
        NotFoundError: There is no such file.
        InvalidArgumentError: It is not a JSON object.
    """
    request = json_from_file(path)
    if not isinstance(request, dict):
        raise InvalidArgumentError(f"{path} is not a JSON object")
    return request


def _text(hyperparameters: Mapping[str, str], name: str) -> str:
    value = decoded(hyperparameters).get(name)
    if not isinstance(value, str) or not value:
        raise InvalidArgumentError(
            f"HyperParameters[{name!r}]={hyperparameters.get(name)!r}: there is no script to run; "
            f"the SageMaker SDK's framework estimators name one with {_PROGRAM} and {_SOURCE}"
        )
    return value
