from __future__ import annotations

import io
import json
import logging
import tarfile
from pathlib import Path
from typing import Any

import boto3
import pytest

from sagemaker_tensorflow import TrainingJob
from sagemaker_tensorflow.errors import InvalidArgumentError, NotFoundError
from sagemaker_tensorflow.training.request import request_from_file, spec_from_request
from tests.conftest import PutObjects
from tests.dotted_paths import with_value
from tests.training_jobs.conftest import Jobs, printed

# As SageMaker's Python SDK 2.257 makes it for TensorFlow(..., input_mode="Pipe").fit(...).
REQUEST: dict[str, Any] = {
    "TrainingJobName": "job",
    "AlgorithmSpecification": {
        "TrainingImage": "763104351884.dkr.ecr.us-east-1.amazonaws.com/tensorflow-training:2.19",
        "TrainingInputMode": "Pipe",
        "EnableSageMakerMetricsTimeSeries": True,
    },
    "RoleArn": "arn:aws:iam::000000000000:role/nobody",
    "OutputDataConfig": {"S3OutputPath": "s3://bkt/models"},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.c5.xlarge", "VolumeSizeInGB": 30},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    "InputDataConfig": [
        {
            "ChannelName": "training",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": "s3://bkt/train/",
                    "S3DataDistributionType": "FullyReplicated",
                }
            },
        }
    ],
    "HyperParameters": {
        "epochs": "2",
        "sagemaker_program": '"train.py"',
        "sagemaker_submit_directory": '"s3://bkt/job/source/sourcedir.tar.gz"',
        "sagemaker_container_log_level": "20",
        "sagemaker_job_name": '"job"',
        "sagemaker_region": '"us-east-1"',
        "model_dir": '"s3://bkt/models/job/model"',
    },
    "Environment": {"COLOUR": "blue"},
}


def test_reads_what_the_sdk_writes() -> None:
    spec = spec_from_request(REQUEST)
    assert (spec.entry_point, spec.source_dir) == (
        "train.py",
        "s3://bkt/job/source/sourcedir.tar.gz",
    )
    assert (spec.job_name, spec.output_path, spec.max_run) == ("job", "s3://bkt/models", 3600)
    (channel,) = spec.channels_in("Pipe")
    assert (channel.name, channel.input.s3_data) == ("training", "s3://bkt/train/")  # type: ignore[union-attr]
    assert spec.hyperparameters == REQUEST["HyperParameters"]
    assert spec.environment == {"COLOUR": "blue"}
    assert spec.instance_type == "ml.c5.xlarge"


def test_optional_members_and_those_that_are_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    request = with_value(REQUEST, "InputDataConfig", ...)
    del request["Environment"]
    request["StoppingCondition"] = {}
    request["Tags"] = [{"Key": "k", "Value": "v"}]
    with caplog.at_level(logging.WARNING):
        spec = spec_from_request(request)
    assert (spec.channels, spec.max_run) == ((), 86_400)
    assert "Tags: not done by this runner" in caplog.text


def test_hosts_checkpoints_retries_and_metrics() -> None:
    request = with_value(REQUEST, "ResourceConfig.InstanceCount", 2)
    request["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "loss", "Regex": "=(.*)"}]
    request["CheckpointConfig"] = {"S3Uri": "s3://bkt/c", "LocalPath": "/opt/ml/ckpt"}
    request["RetryStrategy"] = {"MaximumRetryAttempts": 3}
    spec = spec_from_request(request)
    assert spec.hosts == ("algo-1", "algo-2")
    assert spec.metric_definitions == (("loss", "=(.*)"),)
    assert (spec.checkpoint_s3_uri, spec.checkpoint_local_path) == ("s3://bkt/c", "/opt/ml/ckpt")
    assert spec.max_retry_attempts == 3


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("TrainingJobName", "a_b", "TrainingJobName='a_b' does not match"),
        ("OutputDataConfig", ..., "OutputDataConfig is missing"),
        ("AlgorithmSpecification.TrainingInputMode", "Tape", "'Tape' is not one of Pipe, File"),
        (
            "AlgorithmSpecification.ContainerEntrypoint",
            ["bash"],
            "ContainerEntrypoint: a container",
        ),
        (
            "InputDataConfig.0.InputMode",
            "Tape",
            "InputDataConfig[0].InputMode='Tape' is not one of",
        ),
        ("InputDataConfig.0.DataSource.S3DataSource.S3DataType", "Converse", "S3DataType='Conv"),
        ("HyperParameters.sagemaker_program", ..., "there is no script to run"),
        ("HyperParameters.sagemaker_submit_directory", '""', "there is no script to run"),
        ("HyperParameters.epochs", 2, "HyperParameters['epochs']=2 is not of type string"),
        ("HyperParameters.sagemaker_mpi_enabled", "true", "(distribution 'mpi') is not done"),
        ("RetryStrategy", {"MaximumRetryAttempts": 31}, "MaximumRetryAttempts=31 is 31, allowed"),
        ("StoppingCondition.MaxRuntimeInSeconds", 0, "MaxRuntimeInSeconds=0"),
        ("Nonsense", 1, "Nonsense is no member"),
    ],
)
def test_says_what_is_wrong(path: str, value: Any, says: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        spec_from_request(with_value(REQUEST, path, value))
    assert says in str(raised.value)


def test_a_request_runs(jobs: Jobs, put_objects: PutObjects, bucket: str) -> None:
    """With its source in S3, as the SDK leaves it there."""
    script = b"import os, sys; open(os.environ['SM_MODEL_DIR'] + '/m', 'w'); print(sys.argv[1:])"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("train.py")
        member.size = len(script)
        tar.addfile(member, io.BytesIO(script))
    uri = put_objects({"sourcedir.tar.gz": packed.getvalue()})
    request = with_value(REQUEST, "InputDataConfig", ...)
    request["OutputDataConfig"]["S3OutputPath"] = f"{uri}/models"
    request["HyperParameters"]["sagemaker_submit_directory"] = f'"{uri}/sourcedir.tar.gz"'
    job = TrainingJob.from_request(request, jobs_dir=jobs.jobs_dir)
    result = job.run()
    assert result.status == "Completed", result
    assert printed(result.log_path) == (
        "['--epochs', '2', '--model_dir', 's3://bkt/models/job/model']\n"
    )
    boto3.client("s3").head_object(Bucket=bucket, Key="models/job/output/model.tar.gz")
    assert job.describe()["ModelArtifacts"] == {"S3ModelArtifacts": result.model_uri}


def test_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    with pytest.raises(NotFoundError, match=str(path)):
        request_from_file(path)
    for text in ("{", "[]"):
        path.write_text(text)
        with pytest.raises(InvalidArgumentError, match="is not"):
            request_from_file(path)
    path.write_text(json.dumps(REQUEST))
    assert request_from_file(path) == REQUEST
