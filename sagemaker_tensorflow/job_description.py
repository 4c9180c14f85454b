"""Channels out of a CreateTrainingJob request.

Read are ``InputDataConfig`` and ``AlgorithmSpecification.TrainingInputMode``; the names, values and
limits are those of botocore's service model of SageMaker. Every other field is for someone else.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sagemaker_tensorflow.channels import Channel, as_channels
from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.json_file import json_from_file
from sagemaker_tensorflow.request_fields import RequestFields
from sagemaker_tensorflow.training_input import (
    COMPRESSIONS,
    DISTRIBUTIONS,
    INPUT_MODES,
    RECORD_WRAPPINGS,
    S3_DATA_TYPES,
    ShuffleConfig,
    TrainingInput,
    check_pipe_mode,
)

# CreateTrainingJob's InputDataConfig.
_MAX_CHANNELS = 20


def channels_from_job(job: Mapping[str, Any]) -> tuple[Channel, ...]:
    """Makes the channels of a CreateTrainingJob request.

    A channel's ``InputMode`` has the last word over the job's ``TrainingInputMode``, as with
    SageMaker; where neither says anything the mode is Pipe.

    Raises:
        InvalidArgumentError: A field is missing or has a value that is not allowed; names the
            field, as in ``InputDataConfig[0].DataSource.S3DataSource.S3Uri``.
    """
    mode = RequestFields(job, "").inner("AlgorithmSpecification", {}).optional("TrainingInputMode")
    fields = _channel_fields(job)
    for channel in fields:
        own_mode = channel.optional("InputMode")
        if own_mode is not None:
            check_pipe_mode(f"{channel.path}InputMode", own_mode)
        else:
            check_pipe_mode("AlgorithmSpecification.TrainingInputMode", mode)
    return as_channels([_channel(channel) for channel in fields])


def channels_of_any_mode(job: Mapping[str, Any]) -> tuple[Channel, ...]:
    """The same for a training job: a channel's ``input_mode`` is what its ``InputMode`` says.

    Raises:
        InvalidArgumentError: As for `channels_from_job`, but for the modes.
    """
    return tuple(
        _channel(channel, channel.choice("InputMode", INPUT_MODES))
        for channel in _channel_fields(job)
    )


def channels_from_file(path: Path) -> tuple[Channel, ...]:
    """`channels_from_job` of a JSON file.

    Raises:
        NotFoundError: There is no such file.
        PermissionDeniedError: It may not be read.
        InvalidArgumentError: It is not JSON, or not such a request.
    """
    job = json_from_file(path)
    try:
        return channels_from_job(job)
    except InvalidArgumentError as error:
        raise InvalidArgumentError(f"{path}: {error}") from error


def _channel_fields(job: Mapping[str, Any]) -> list[RequestFields]:
    channels = RequestFields(job, "").items("InputDataConfig")
    if not 1 <= len(channels) <= _MAX_CHANNELS:
        raise InvalidArgumentError(
            f"InputDataConfig has {len(channels)} channels, 1 to {_MAX_CHANNELS} are allowed"
        )
    return channels


def _channel(channel: RequestFields, input_mode: str | None = None) -> Channel:
    source = channel.inner("DataSource").inner("S3DataSource")
    arguments = {
        "s3_data": source.text("S3Uri"),
        "s3_data_type": source.choice("S3DataType", S3_DATA_TYPES, required=True),
        "distribution": source.choice("S3DataDistributionType", DISTRIBUTIONS),
        "attribute_names": source.optional("AttributeNames"),
        "compression": channel.choice("CompressionType", COMPRESSIONS),
        "record_wrapping": channel.choice("RecordWrapperType", RECORD_WRAPPINGS),
        "content_type": channel.optional("ContentType"),
        "input_mode": input_mode,
    }
    name = channel.text("ChannelName")
    seed = None
    if channel.optional("ShuffleConfig") is not None:
        seed = channel.inner("ShuffleConfig").required("Seed")
    try:
        shuffle = None if seed is None else ShuffleConfig(seed)
        return Channel(name, TrainingInput(shuffle_config=shuffle, **arguments))
    except InvalidArgumentError as error:
        raise InvalidArgumentError(f"{channel.path.rstrip('.')}: {error}") from error
