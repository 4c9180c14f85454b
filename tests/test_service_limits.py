"""Requests against botocore's model of SageMaker."""

from __future__ import annotations

from typing import Any

import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.service_limits import check_request


def request(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "TransformJobName": "job-1",
        "ModelName": "model",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in"}}
        },
        "TransformOutput": {"S3OutputPath": "s3://b/out"},
        "TransformResources": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
    }
    for path, value in changes.items():
        inner = made
        *parents, last = path.split("__")
        for parent in parents:
            inner = inner[parent]
        inner[last] = value
    return made


def test_a_plain_request_passes() -> None:
    check_request("CreateTransformJob", request())


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("TransformJobName", "-x", r"TransformJobName='-x' does not match"),
        ("TransformJobName", "a" * 64, "is 64 long, allowed is 1 to 63"),
        ("BatchStrategy", "Multi", "BatchStrategy='Multi' is not one of MultiRecord, SingleRecord"),
        ("MaxPayloadInMB", "6", "MaxPayloadInMB='6' is not of type integer"),
        ("MaxPayloadInMB", True, "MaxPayloadInMB=True is not of type integer"),
        ("MaxPayloadInMB", -1, "allowed is at least 0"),
        ("Environment", {"1": "x"}, "a key of Environment='1' does not match"),
        ("Environment", {f"k{i}": "" for i in range(17)}, "allowed is 0 to 16"),
        ("ModelClientConfig", {"InvocationsMaxRetries": 4}, "InvocationsMaxRetries=4 is 4"),
        ("TransformInput__DataSource", {}, r"TransformInput.DataSource.S3DataSource is missing"),
        (
            "TransformOutput__S3OutputPath",
            "b/out",
            r"TransformOutput.S3OutputPath='b/out' does not",
        ),
        ("Tags", [{"Key": "k"}], r"Tags\[0\].Value is missing"),
        ("Nonsense", 1, "Nonsense is no member; there are TransformJobName"),
    ],
)
def test_what_the_service_would_refuse(path: str, value: Any, words: str) -> None:
    with pytest.raises(InvalidArgumentError, match=words):
        check_request("CreateTransformJob", request(**{path: value}))


def test_everything_wrong_is_named_at_once() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        check_request("CreateTransformJob", request(ModelName="a b", MaxConcurrentTransforms=-1))
    assert "ModelName='a b'" in str(caught.value)
    assert "MaxConcurrentTransforms=-1" in str(caught.value)


def test_local_data_and_instance_types_of_later_years_pass() -> None:
    made = request(TransformOutput__S3OutputPath="file:///tmp/out")
    made["TransformResources"]["InstanceType"] = "ml.z99.xlarge"
    check_request("CreateTransformJob", made)
