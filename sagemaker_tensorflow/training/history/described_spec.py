"""A `TrainingSpec` as DescribeTrainingJob answers it, and CreateTrainingJob asks for it."""

from __future__ import annotations

from typing import Any

from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.training.history.metric_definitions import metrics_to_sdk
from sagemaker_tensorflow.training.spec import TrainingSpec
from sagemaker_tensorflow.training_input import TrainingInput


def described_spec(spec: TrainingSpec) -> dict[str, Any]:
    """The members that a spec says all about: not the name, hyperparameters and the output path."""
    algorithm: dict[str, Any] = {"TrainingInputMode": spec.input_mode}
    if spec.metric_definitions:
        algorithm["MetricDefinitions"] = metrics_to_sdk(spec.metric_definitions)
    described: dict[str, Any] = {
        "AlgorithmSpecification": algorithm,
        "InputDataConfig": [_described_channel(channel) for channel in spec.channels],
        "ResourceConfig": {
            "InstanceType": spec.instance_type,
            "InstanceCount": spec.instance_count,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": spec.max_run},
        "Environment": dict(spec.environment),
    }
    if spec.checkpoint_s3_uri is not None:
        checkpoints = {"S3Uri": spec.checkpoint_s3_uri, "LocalPath": spec.checkpoint_local_path}
        described["CheckpointConfig"] = _without_none(checkpoints)
    if spec.max_retry_attempts:
        described["RetryStrategy"] = {"MaximumRetryAttempts": spec.max_retry_attempts}
    return described


def _described_channel(channel: Channel) -> dict[str, Any]:
    """The reverse of what `job_description` reads."""
    given = channel.input
    assert isinstance(given, TrainingInput)  # noqa: S101 - for mypy: others are not for scripts
    source = {
        "S3DataType": given.s3_data_type,
        "S3Uri": given.s3_data,
        "S3DataDistributionType": given.distribution,
        "AttributeNames": list(given.attributes) or None,
    }
    seed = given.shuffle_config and {"Seed": given.shuffle_config.seed}
    return _without_none(
        {
            "ChannelName": channel.name,
            "DataSource": {"S3DataSource": _without_none(source)},
            "ContentType": given.content_type,
            "CompressionType": given.compression,
            "RecordWrapperType": given.record_wrapping,
            "InputMode": given.input_mode,
            "ShuffleConfig": seed,
        }
    )


def _without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
