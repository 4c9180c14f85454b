from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.errors import InvalidArgumentError, NotFoundError
from sagemaker_tensorflow.job_description import channels_from_file, channels_from_job
from sagemaker_tensorflow.training_input import ShuffleConfig, TrainingInput
from tests.dotted_paths import with_value

# The shape of a request of the SageMaker SDK, with fields that are none of our business.
JOB: dict[str, Any] = {
    "TrainingJobName": "job",
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "Pipe"},
    "ResourceConfig": {"InstanceCount": 2, "InstanceType": "ml.c5.xlarge", "VolumeSizeInGB": 30},
    "InputDataConfig": [
        {
            "ChannelName": "train",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "AugmentedManifestFile",
                    "S3Uri": "s3://bkt/lines.jsonl",
                    "S3DataDistributionType": "ShardedByS3Key",
                    "AttributeNames": ["source-ref", "label"],
                    "SomethingNew": {},
                }
            },
            "ContentType": "application/x-recordio",
            "CompressionType": "None",
            "RecordWrapperType": "RecordIO",
            "InputMode": "Pipe",
            "ShuffleConfig": {"Seed": 0},
        },
        {
            "ChannelName": "test",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bkt/test"}},
        },
    ],
}


def test_reads_every_field() -> None:
    train = TrainingInput(
        "s3://bkt/lines.jsonl",
        distribution="ShardedByS3Key",
        content_type="application/x-recordio",
        record_wrapping="RecordIO",
        s3_data_type="AugmentedManifestFile",
        attribute_names=["source-ref", "label"],
        shuffle_config=ShuffleConfig(0),
    )
    test = TrainingInput("s3://bkt/test")
    assert channels_from_job(JOB) == (Channel("train", train), Channel("test", test))


def test_a_channels_mode_has_the_last_word() -> None:
    job = with_value(JOB, "AlgorithmSpecification.TrainingInputMode", "File")
    with pytest.raises(InvalidArgumentError, match=r"TrainingInputMode='File'.*Use Pipe"):
        channels_from_job(job)
    job["InputDataConfig"][1]["InputMode"] = "Pipe"
    assert len(channels_from_job(job)) == 2
    del job["AlgorithmSpecification"]
    assert len(channels_from_job(job)) == 2


S3 = "InputDataConfig.0.DataSource.S3DataSource"


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("InputDataConfig", ..., "InputDataConfig is missing"),
        ("InputDataConfig", {}, "InputDataConfig={} is not a list"),
        ("InputDataConfig", [], "has 0 channels, 1 to 20"),
        ("InputDataConfig", [{}] * 21, "has 21 channels"),
        ("InputDataConfig.0.ChannelName", ..., r"InputDataConfig[0].ChannelName is missing"),
        ("InputDataConfig.0.ChannelName", "a/b", "InputDataConfig[0]: 'a/b'"),
        ("InputDataConfig.1.ChannelName", "train", "twice: train"),
        (
            "InputDataConfig.0.DataSource",
            {},
            "InputDataConfig[0].DataSource.S3DataSource is missing",
        ),
        ("InputDataConfig.0.DataSource", 7, "InputDataConfig[0].DataSource=7 is not a JSON object"),
        (f"{S3}.S3Uri", ..., "InputDataConfig[0].DataSource.S3DataSource.S3Uri is missing"),
        (f"{S3}.S3Uri", "gs://b", "InputDataConfig[0]: 'gs://b'"),
        (
            f"{S3}.S3DataType",
            "Prefix",
            "InputDataConfig[0].DataSource.S3DataSource.S3DataType='Prefix' is not allowed: "
            "give S3Prefix or ManifestFile or AugmentedManifestFile",
        ),
        (f"{S3}.S3DataDistributionType", "x", "S3DataDistributionType='x' is not allowed"),
        (f"{S3}.AttributeNames", ..., "needs attribute_names"),
        (f"{S3}.AttributeNames", "label", "give a list"),
        ("InputDataConfig.0.CompressionType", "zip", "[0].CompressionType='zip' is not allowed"),
        ("InputDataConfig.0.RecordWrapperType", 1, "[0].RecordWrapperType=1 is not allowed"),
        ("InputDataConfig.0.InputMode", "FastFile", "InputDataConfig[0].InputMode='FastFile'"),
        ("InputDataConfig.0.ShuffleConfig", {}, "InputDataConfig[0].ShuffleConfig.Seed is missing"),
        ("InputDataConfig.0.ShuffleConfig", {"Seed": "1"}, "seed='1'"),
        ("AlgorithmSpecification", [], "AlgorithmSpecification=[] is not a JSON object"),
    ],
)
def test_errors_name_the_field(path: str, value: Any, says: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        channels_from_job(with_value(JOB, path, value))
    assert says in str(raised.value)


def test_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    with pytest.raises(NotFoundError, match=str(path)):
        channels_from_file(path)
    path.write_text(json.dumps(JOB))
    assert channels_from_file(path) == channels_from_job(JOB)
    path.write_text("{")
    with pytest.raises(InvalidArgumentError, match=rf"{path} is not JSON"):
        channels_from_file(path)
    path.write_text("[]")
    with pytest.raises(InvalidArgumentError, match=rf"{path}: the job=\[\] is not a JSON object"):
        channels_from_file(path)
