from __future__ import annotations

import json

import pytest

from sagemaker_tensorflow.channels import Channel, as_channels, pipe_count
from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.training_input import ShuffleConfig, TrainingInput

X = TrainingInput("/x")


@pytest.mark.parametrize("name", ["a", "training", "A-b_c.9", "x" * 64])
def test_good_name(name: str) -> None:
    assert Channel(name, X).pipe_names == (name,)


@pytest.mark.parametrize("name", ["", "a/b", "a b", "x" * 65, "train\n", "é"])
def test_bad_name(name: str) -> None:
    with pytest.raises(InvalidArgumentError, match="channel's name"):
        Channel(name, X)


def test_several_pipes_have_numbers() -> None:
    channel = Channel("train", TrainingInput("/x", pipes_per_channel=3))
    assert channel.pipe_names == ("train-0", "train-1", "train-2")
    assert pipe_count([channel, Channel("test", X)]) == 4


def test_name_must_leave_room_for_the_number() -> None:
    with pytest.raises(InvalidArgumentError, match="x-0' is not a channel's name"):
        Channel("x" * 63, TrainingInput("/x", pipes_per_channel=2))


def test_parse_keeps_equals_signs_and_commas_of_the_uri() -> None:
    channel = Channel.parse("train=s3://bkt/day=1,2/", compression="Gzip")
    assert channel == Channel("train", TrainingInput("s3://bkt/day=1,2/", compression="Gzip"))


@pytest.mark.parametrize("text", ["train", "s3://bkt/x", "=s3://bkt/x"])
def test_parse_needs_name_and_uri(text: str) -> None:
    with pytest.raises(InvalidArgumentError):
        Channel.parse(text)


def test_json_there_and_back() -> None:
    given = TrainingInput(
        "s3://bkt/m",
        s3_data_type="AugmentedManifestFile",
        attribute_names=["a-ref", "b"],
        shuffle_config=ShuffleConfig(-1),
        record_wrapping="RecordIO",
    )
    for channel in (Channel("a", X), Channel("b", given)):
        assert Channel.from_json(json.loads(json.dumps(channel.to_json()))) == channel


def test_as_channels_takes_mappings_and_sequences() -> None:
    made = as_channels({"a": "/x", "b": TrainingInput("/y", compression="Gzip")})
    assert made == (Channel("a", X), Channel("b", TrainingInput("/y", compression="Gzip")))
    assert as_channels(list(made)) == made


def test_as_channels_wants_one_of_each_name() -> None:
    with pytest.raises(InvalidArgumentError, match="no channel"):
        as_channels([])
    with pytest.raises(InvalidArgumentError, match="twice: a"):
        as_channels([Channel("a", X), Channel("b", X), Channel("a", X)])
    with pytest.raises(InvalidArgumentError, match="twice: a-1"):
        as_channels({"a": TrainingInput("/x", pipes_per_channel=2), "a-1": "/x"})
