"""Transform jobs out of CreateTransformJob requests, and what no job may ask for."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping
from typing import Any

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.request_fields import RequestFields
from sagemaker_tensorflow.service_limits import check_request
from sagemaker_tensorflow.transform.spec import (
    DEFAULT_MAX_PAYLOAD_MB,
    MOST_PAYLOAD_MB,
    UNBOUNDED_PAYLOAD,
    DataProcessing,
    TransformSpec,
)

_logger = logging.getLogger(__name__)

DATA_TYPES = ("S3Prefix", "ManifestFile")
COMPRESSIONS = ("None", "Gzip")
SPLIT_TYPES = ("None", "Line", "RecordIO", "TFRecord")
STRATEGIES = ("MultiRecord", "SingleRecord")
ASSEMBLIES = ("None", "Line")
JOIN_SOURCES = ("None", "Input")
ON_ERROR = ("object", "record")

_MOST_TIMEOUT_SECONDS = 3600
_MOST_RETRIES = 3
_MOST_BATCH = 1 << 20
# TransformJobName, API_CreateTransformJob.html. It is also a folder's name.
_JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_IGNORED = ("DataCaptureConfig", "ExperimentConfig", "Tags")
# What requests call the fields of a spec.
_MEMBERS = {
    "input_uri": "S3Uri",
    "output_uri": "S3OutputPath",
    "job_name": "TransformJobName",
    "data_type": "S3DataType",
    "compression": "CompressionType",
    "split_type": "SplitType",
    "strategy": "BatchStrategy",
    "assemble_with": "AssembleWith",
    "join_source": "JoinSource",
    "max_payload": "MaxPayloadInMB",
    "max_concurrent_transforms": "MaxConcurrentTransforms",
    "timeout_seconds": "InvocationsTimeoutInSeconds",
    "max_retries": "InvocationsMaxRetries",
    "instance_count": "InstanceCount",
}


def spec_from_request(request: Mapping[str, Any], model: str) -> TransformSpec:
    """Reads a CreateTransformJob request.

    ``InstanceCount`` is the number of actors of a job on Ray; otherwise ``TransformResources`` is
    checked and says nothing, whatever the type and number of instances. ``DataCaptureConfig``,
    ``ExperimentConfig`` and ``Tags`` are checked and left alone, with a warning. ``file://`` is
    taken where the service takes ``s3://``.

    Args:
        request: Its members, as boto3 takes them.
        model: Where the model is that `ModelName` stands for.

    Raises:
        InvalidArgumentError: The service would refuse it; names every member that is wrong.
    """
    check_request("CreateTransformJob", request)
    ignored = [name for name in _IGNORED if request.get(name)]
    if ignored:
        _logger.warning("%s: not done by this runner", ", ".join(ignored))
    fields = RequestFields(request, "")
    given = fields.inner("TransformInput")
    source = given.inner("DataSource").inner("S3DataSource")
    output = fields.inner("TransformOutput")
    client = fields.inner("ModelClientConfig", {})
    payload_mb = fields.optional("MaxPayloadInMB")
    spec = TransformSpec(
        model=model,
        job_name=fields.text("TransformJobName"),
        input_uri=source.text("S3Uri"),
        output_uri=output.text("S3OutputPath"),
        data_type=source.text("S3DataType"),
        content_type=given.optional("ContentType") or "",
        compression=given.optional("CompressionType") or "None",
        split_type=given.optional("SplitType") or "None",
        strategy=fields.optional("BatchStrategy") or "MultiRecord",
        max_payload_bytes=payload_bytes(payload_mb),
        max_concurrent_transforms=fields.optional("MaxConcurrentTransforms") or 0,
        accept=output.optional("Accept") or "",
        assemble_with=output.optional("AssembleWith") or "None",
        data_processing=_data_processing(fields.inner("DataProcessing", {})),
        timeout_seconds=float(client.optional("InvocationsTimeoutInSeconds") or 600),
        max_retries=_or_default(client.optional("InvocationsMaxRetries"), 3),
        instance_count=fields.inner("TransformResources").required("InstanceCount"),
        environment=tuple((fields.optional("Environment") or {}).items()),
    )
    check_spec(spec, _MEMBERS)
    return spec


def payload_bytes(megabytes: int | None) -> int:
    """MaxPayloadInMB in bytes, of 2**20 each; None is the service's default of 6, 0 no bound."""
    megabytes = _or_default(megabytes, DEFAULT_MAX_PAYLOAD_MB)
    return UNBOUNDED_PAYLOAD if megabytes == 0 else megabytes << 20


def _or_default(value: int | None, default: int) -> int:
    return default if value is None else value


def _data_processing(fields: RequestFields) -> DataProcessing:
    return DataProcessing(
        input_filter=fields.optional("InputFilter") or "$",
        output_filter=fields.optional("OutputFilter") or "$",
        join_source=fields.optional("JoinSource") or "None",
    )


def check_spec(spec: TransformSpec, names: Mapping[str, str] | None = None) -> None:
    """Checks the values of a job one by one; how they go together is checked with the model.

    Args:
        spec: The job's settings.
        names: What whoever wrote them calls them, by the names of the fields, which are those of
            the settings that it leaves out. `max_payload_bytes` counts as ``max_payload``, in MB.

    Raises:
        InvalidArgumentError: Names every value that is wrong, and what is allowed.
    """
    called = dict(names or {})
    problems = [
        *_missing(spec, called),
        *_name_problems(spec, called),
        *_choice_problems(spec, called),
        *_number_problems(spec, called),
        *_payload_problems(spec, called),
    ]
    if problems:
        raise InvalidArgumentError(f"the transform job cannot run: {'; '.join(problems)}")


def _missing(spec: TransformSpec, called: Mapping[str, str]) -> list[str]:
    return [
        f"{called.get(name, name)} is missing"
        for name in ("model", "input_uri", "output_uri")
        if not getattr(spec, name)
    ]


def _name_problems(spec: TransformSpec, called: Mapping[str, str]) -> list[str]:
    if not spec.job_name or _JOB_NAME.fullmatch(spec.job_name):
        return []
    name = called.get("job_name", "job_name")
    return [f"{name}={spec.job_name!r} is not 1 to 63 letters, digits and hyphens between them"]


def _choice_problems(spec: TransformSpec, called: Mapping[str, str]) -> list[str]:
    choices = {
        "data_type": (spec.data_type, DATA_TYPES),
        "compression": (spec.compression, COMPRESSIONS),
        "split_type": (spec.split_type, SPLIT_TYPES),
        "strategy": (spec.strategy, STRATEGIES),
        "assemble_with": (spec.assemble_with, ASSEMBLIES),
        "join_source": (spec.data_processing.join_source, JOIN_SOURCES),
        "on_error": (spec.on_error, ON_ERROR),
    }
    return [
        f"{called.get(name, name)}={value!r} is not one of {', '.join(allowed)}"
        for name, (value, allowed) in choices.items()
        if value not in allowed
    ]


def _number_problems(spec: TransformSpec, called: Mapping[str, str]) -> list[str]:
    numbers: dict[str, tuple[float, float, float]] = {
        "max_concurrent_transforms": (spec.max_concurrent_transforms, 0, math.inf),
        "timeout_seconds": (spec.timeout_seconds, 1, _MOST_TIMEOUT_SECONDS),
        "max_retries": (spec.max_retries, 0, _MOST_RETRIES),
        "batch_size": (spec.batch_size, 0, _MOST_BATCH),
        "instance_count": (spec.instance_count, 0, math.inf),
    }
    return [
        f"{called.get(name, name)} is {value:.15g}, allowed is {_bounds(least, most)}"
        for name, (value, least, most) in numbers.items()
        if not least <= value <= most
    ]


def _bounds(least: float, most: float) -> str:
    return f"{least:g} or more" if math.isinf(most) else f"{least:g} to {most:.15g}"


def _payload_problems(spec: TransformSpec, called: Mapping[str, str]) -> list[str]:
    if spec.max_payload_bytes == UNBOUNDED_PAYLOAD:
        return []
    name = called.get("max_payload", "max_payload")
    payload_mb = spec.max_payload_bytes / (1 << 20)
    problems = []
    if not 0 < payload_mb <= MOST_PAYLOAD_MB:
        problems.append(f"{name} is {payload_mb:g} MB, allowed is 0 to {MOST_PAYLOAD_MB}")
    if spec.max_concurrent_transforms * payload_mb > MOST_PAYLOAD_MB:
        calls = called.get("max_concurrent_transforms", "max_concurrent_transforms")
        problems.append(
            f"{calls} x {name} is {spec.max_concurrent_transforms} x {payload_mb:g} MB, allowed "
            f"are {MOST_PAYLOAD_MB} MB together"
        )
    return problems
