"""CreateTransformJob requests as jobs."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.spec import UNBOUNDED_PAYLOAD, DataProcessing, TransformSpec
from sagemaker_tensorflow.transform.transform_request import check_spec, spec_from_request

# Of AWS's TFRecord example (amazon-sagemaker-examples, tensorflow_open-images_tfrecord).
TFRECORD_REQUEST: dict[str, Any] = {
    "TransformJobName": "open-images",
    "ModelName": "resnet",
    "MaxConcurrentTransforms": 64,
    "MaxPayloadInMB": 1,
    "BatchStrategy": "SingleRecord",
    "Environment": {"SAGEMAKER_TFS_ENABLE_BATCHING": "true"},
    "TransformInput": {
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/tfrecord"}},
        "ContentType": "application/x-tfexample",
        "SplitType": "TFRecord",
    },
    "TransformOutput": {"S3OutputPath": "s3://b/out", "AssembleWith": "Line"},
    "TransformResources": {"InstanceType": "ml.p3.2xlarge", "InstanceCount": 1},
}


def test_awss_tfrecord_example() -> None:
    assert spec_from_request(TFRECORD_REQUEST, "s3://b/model.tar.gz") == TransformSpec(
        model="s3://b/model.tar.gz",
        job_name="open-images",
        input_uri="s3://b/tfrecord",
        output_uri="s3://b/out",
        content_type="application/x-tfexample",
        split_type="TFRecord",
        strategy="SingleRecord",
        max_payload_bytes=1 << 20,
        max_concurrent_transforms=64,
        assemble_with="Line",
        instance_count=1,
        environment=(("SAGEMAKER_TFS_ENABLE_BATCHING", "true"),),
    )


def test_data_processing_and_the_clients_configuration() -> None:
    request = TFRECORD_REQUEST | {
        "DataProcessing": {
            "InputFilter": "$.features",
            "OutputFilter": "$['id','SageMakerOutput']",
            "JoinSource": "Input",
        },
        "ModelClientConfig": {"InvocationsTimeoutInSeconds": 30, "InvocationsMaxRetries": 0},
    }
    spec = spec_from_request(request, "m")
    assert spec.data_processing == DataProcessing(
        "$.features", "$['id','SageMakerOutput']", "Input"
    )
    assert (spec.timeout_seconds, spec.max_retries) == (30, 0)


def test_a_payload_of_zero_has_no_bound() -> None:
    request = TFRECORD_REQUEST | {"MaxPayloadInMB": 0}
    assert spec_from_request(request, "m").max_payload_bytes == UNBOUNDED_PAYLOAD


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"MaxPayloadInMB": 101, "MaxConcurrentTransforms": 1}, "101 MB, allowed is 0 to 100"),
        ({"MaxPayloadInMB": 2}, "64 x 2 MB, allowed are 100 MB together"),
    ],
)
def test_limits_that_are_in_no_model(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidArgumentError, match=words):
        spec_from_request(TFRECORD_REQUEST | changes, "m")


def test_an_augmented_manifest_is_not_for_transform_jobs() -> None:
    source = {"S3DataType": "AugmentedManifestFile", "S3Uri": "s3://b/m"}
    request = TFRECORD_REQUEST | {"TransformInput": {"DataSource": {"S3DataSource": source}}}
    with pytest.raises(InvalidArgumentError, match="S3DataType='AugmentedManifestFile'"):
        spec_from_request(request, "m")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("split_type", "Lines"),
        ("strategy", "MULTI_RECORD"),
        ("assemble_with", "line"),
        ("compression", "gzip"),
        ("on_error", "skip"),
        ("batch_size", -1),
        ("timeout_seconds", 0),
        ("max_retries", 4),
        ("output_uri", ""),
    ],
)
def test_values_that_no_job_has(field: str, value: Any) -> None:
    spec = TransformSpec(model="m", input_uri="s3://b/i", output_uri="s3://b/o")
    check_spec(spec)
    with pytest.raises(InvalidArgumentError, match=field):
        check_spec(dataclasses.replace(spec, **{field: value}))


def test_values_are_called_what_their_writer_calls_them() -> None:
    spec = TransformSpec("m", "", "s3://b/o", strategy="One", batch_size=-1, max_retries=4)
    names = {"input_uri": "--input", "strategy": "--strategy", "max_retries": "--max-retries"}
    with pytest.raises(InvalidArgumentError) as raised:
        check_spec(spec, names)
    assert str(raised.value) == (
        "the transform job cannot run: --input is missing; "
        "--strategy='One' is not one of MultiRecord, SingleRecord; "
        "--max-retries is 4, allowed is 0 to 3; batch_size is -1, allowed is 0 to 1048576"
    )
