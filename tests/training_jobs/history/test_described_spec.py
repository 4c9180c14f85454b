from __future__ import annotations

from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.job_description import channels_of_any_mode
from sagemaker_tensorflow.service_limits import check_request
from sagemaker_tensorflow.training.history.described_spec import described_spec
from sagemaker_tensorflow.training.request import spec_from_request
from sagemaker_tensorflow.training.spec import TrainingSpec
from sagemaker_tensorflow.training_input import ShuffleConfig, TrainingInput


def test_what_is_described_can_be_requested_again() -> None:
    """Within the service's limits, and it is the same job then."""
    augmented = TrainingInput(
        "s3://bucket/list.manifest",
        s3_data_type="AugmentedManifestFile",
        attribute_names=["image-ref", "label"],
        record_wrapping="RecordIO",
        shuffle_config=ShuffleConfig(7),
        input_mode="Pipe",
    )
    plain = TrainingInput("s3://bucket/x", distribution="ShardedByS3Key", content_type="text/csv")
    spec = TrainingSpec(
        entry_point="train.py",
        source_dir="src",
        job_name="one",
        channels=(Channel("images", augmented), Channel("table", plain)),
        hyperparameters={
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": '"src"',
        },
        input_mode="File",
        output_path="s3://bucket/models",
        environment={"COLOUR": "blue"},
        max_run=60,
        checkpoint_s3_uri="s3://bucket/checkpoints",
        metric_definitions=(("loss", r"loss=(\S+)"),),
        max_retry_attempts=2,
    )
    described = described_spec(spec)
    assert channels_of_any_mode(described) == spec.channels
    request = {
        **described,
        "TrainingJobName": spec.job_name,
        "RoleArn": "arn:aws:iam::000000000000:role/any",
        "HyperParameters": dict(spec.hyperparameters),
        "OutputDataConfig": {"S3OutputPath": spec.output_path},
        "AlgorithmSpecification": {**described["AlgorithmSpecification"], "TrainingImage": "any"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 1,
        },
    }
    check_request("CreateTrainingJob", request)
    again = described_spec(spec_from_request(request))
    assert again["ResourceConfig"].pop("InstanceType") == "ml.m5.large"
    assert described["ResourceConfig"].pop("InstanceType") == "local"
    assert again == described
