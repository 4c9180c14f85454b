from __future__ import annotations

from sagemaker_tensorflow.cli import make_parser
from sagemaker_tensorflow.cli.training_flags import spec_from_flags
from sagemaker_tensorflow.training.spec import TrainingSpec


def spec(*argv: str) -> TrainingSpec:
    return spec_from_flags(make_parser().parse_args(["train", "--entry-point", "t.py", *argv]))


def test_every_flag_has_its_field() -> None:
    channels = [
        "--channel",
        "a=s3://bucket/a",
        "--channel-input-mode",
        "Pipe",
        "--channel",
        "b=s3://bucket/b",
    ]
    hosts = ["--instance-count", "2", "--strategy", "multi_worker_mirrored_strategy"]
    checkpoints = ["--checkpoint-s3-uri", "s3://bucket/c", "--checkpoint-local-path", "/opt/ml/c"]
    found = spec(
        *channels,
        *hosts,
        *checkpoints,
        *("--source-dir", "src", "--dependency", "x", "--dependency", "y", "--job-name", "one"),
        *("--hp", "epochs=2", "--env", "COLOUR=blue", "--metric", r"loss=loss: (\S+)"),
        *("--output-path", "s3://bucket/models", "--max-run", "60", "--max-retry-attempts", "3"),
    )
    assert {channel.name: channel.input.input_mode for channel in found.channels} == {
        "a": "Pipe",
        "b": "File",
    }
    assert found.dependencies == ("x", "y")
    assert dict(found.hyperparameters) == {
        "sagemaker_multi_worker_mirrored_strategy_enabled": "true",
        "epochs": "2",
    }
    assert dict(found.environment) == {"COLOUR": "blue"}
    assert found.metric_definitions == (("loss", r"loss: (\S+)"),)
    assert (found.instance_count, found.max_run, found.max_retry_attempts) == (2, 60, 3)
    assert (found.checkpoint_s3_uri, found.checkpoint_local_path) == ("s3://bucket/c", "/opt/ml/c")
    assert (found.source_dir, found.output_path, found.job_name) == (
        "src",
        "s3://bucket/models",
        "one",
    )


def test_what_is_not_given_is_the_specs_default() -> None:
    assert spec("--job-name", "one") == TrainingSpec(entry_point="t.py", job_name="one")
