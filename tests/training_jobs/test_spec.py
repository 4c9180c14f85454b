from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import pytest

from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.training.spec import TrainingSpec
from sagemaker_tensorflow.training_input import TrainingInput

AUGMENTED = TrainingInput("s3://bkt/m", s3_data_type="AugmentedManifestFile", attribute_names=["a"])

MANIFEST = TrainingInput("s3://bkt/m", s3_data_type="ManifestFile", input_mode="FastFile")


def channels(given: TrainingInput) -> dict[str, Any]:
    return {"channels": (Channel("train", given),)}


def test_a_channels_mode_has_the_last_word() -> None:
    given = (
        Channel("a", TrainingInput("s3://bkt/a")),
        Channel("b", TrainingInput("s3://bkt/b", input_mode="File")),
    )
    spec = TrainingSpec("train.py", "job", given, input_mode="Pipe")
    assert [channel.name for channel in spec.channels_in("Pipe")] == ["a"]
    assert [channel.name for channel in spec.channels_in("File")] == ["b"]
    assert spec.channels[0].input.input_mode == "Pipe"


def test_can_be_pickled() -> None:
    given = (Channel("a", TrainingInput("s3://bkt/a")),)
    spec = TrainingSpec("train.py", "job", given, hyperparameters={"a": "1"}, instance_count=11)
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert spec.hosts[:3] == ("algo-1", "algo-10", "algo-11")


def test_cannot_be_changed() -> None:
    spec = TrainingSpec("train.py", "job", hyperparameters={"a": "1"})
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.max_run = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        spec.hyperparameters["a"] = "2"  # type: ignore[index]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"entry_point": ""}, "entry_point is missing"),
        ({"entry_point": "-c"}, "entry_point='-c' begins as an option does"),
        ({"entry_point": "../x.py", "source_dir": "s"}, "is not a path within source_dir"),
        ({"job_name": "a_b"}, "job_name='a_b' is not 1 to 63 letters"),
        ({"job_name": "../x"}, "is not 1 to 63 letters"),
        ({"job_name": "x" * 64}, "is not 1 to 63 letters"),
        (channels(MANIFEST), "s3_data_type='ManifestFile' in FastFile mode, which is for S3Prefix"),
        (channels(AUGMENTED), "an AugmentedManifestFile is streamed; use input_mode='Pipe'"),
        (channels(TrainingInput("/x", compression="Gzip")), "compression='Gzip' is for input_mode"),
        (
            channels(TrainingInput("/x", record_wrapping="RecordIO", input_mode="FastFile")),
            "channel train: record_wrapping='RecordIO' is for input_mode='Pipe'; in FastFile mode",
        ),
        (channels(TrainingInput("/x", pipes_per_channel=2)), "pipes_per_channel=2 in File mode"),
        ({"channels": (Channel("a", TrainingInput("/x")),) * 2}, "channels named twice: a"),
        (
            {"channels": tuple(Channel(f"c{n}", TrainingInput("/x")) for n in range(21))},
            "there are 21 channels, at most 20",
        ),
        ({"hyperparameters": {"epochs": 1}}, "'epochs'=1 are not strings"),
        ({"hyperparameters": {str(n): "" for n in range(101)}}, "has 101 entries, at most 100"),
        ({"environment": {"1": "x"}}, "'1' is not a variable's name"),
        ({"max_run": 28 * 86_400 + 1}, "is more than 2419200 seconds"),
        ({"max_run": True}, "max_run=True is not a whole number"),
        ({"instance_count": 0}, "instance_count=0 is not a whole number of 1 or more"),
        ({"instance_count": 100_000}, "instance_count=100000 is more than 1000 hosts"),
        ({"max_retry_attempts": 31}, "max_retry_attempts=31 is not a whole number of 0 to 30"),
        (
            {"hyperparameters": {"sagemaker_mpi_enabled": "true"}},
            "(distribution 'mpi') is not done",
        ),
        ({"checkpoint_s3_uri": "gs://b/x"}, "checkpoint_s3_uri: "),
        (
            {"checkpoint_s3_uri": "/x", "checkpoint_local_path": "/opt/ml/../x"},
            "checkpoint_local_path='/opt/ml/../x' is not below /opt/ml",
        ),
        ({"checkpoint_local_path": "/opt/ml/c"}, "is given without checkpoint_s3_uri"),
        ({"metric_definitions": (("a", "(x)"),) * 41}, "has 41 entries, at most 40"),
        ({"metric_definitions": (("a", "x("),)}, "metric 'a': regex 'x(': missing )"),
        ({"metric_definitions": (("a", "x"),)}, "regex 'x' has no group (...) around the value"),
    ],
)
def test_says_what_is_wrong(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        TrainingSpec(**{"entry_point": "train.py", "job_name": "job", **fields})
    assert says in str(raised.value)
