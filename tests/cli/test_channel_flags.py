from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.cli.channel_flags import (
    add_channel_flags,
    channels_from_flags,
    describe_channels,
)
from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.training_input import ShuffleConfig, TrainingInput


def parse(*argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_channel_flags(parser)
    return parser.parse_args(argv)


def channels(*argv: str) -> tuple[Channel, ...]:
    return channels_from_flags(parse(*argv))


def test_every_option_is_about_the_channel_before_it() -> None:
    made = channels(
        *("--channel", "train=s3://bkt/day=1,2/lines"),
        *("--s3-data-type", "AugmentedManifestFile", "--attribute-names", "a-ref", "b"),
        *("--record-wrapping", "RecordIO", "--shuffle-seed", "-7"),
        *("--distribution", "ShardedByS3Key", "--content-type", "text/csv"),
        *("--channel", "test=/x", "--compression", "Gzip", "--pipes-per-channel", "2"),
        *("--channel", "more=/y"),
    )
    train = TrainingInput(
        "s3://bkt/day=1,2/lines",
        s3_data_type="AugmentedManifestFile",
        attribute_names=["a-ref", "b"],
        record_wrapping="RecordIO",
        shuffle_config=ShuffleConfig(-7),
        distribution="ShardedByS3Key",
        content_type="text/csv",
    )
    test = TrainingInput("/x", compression="Gzip", pipes_per_channel=2)
    more = TrainingInput("/y")
    assert made == (Channel("train", train), Channel("test", test), Channel("more", more))


def test_parsing_twice_begins_anew() -> None:
    parser = argparse.ArgumentParser()
    add_channel_flags(parser)
    for _ in range(2):
        args = parser.parse_args(["--channel", "a=/x"])
        assert channels_from_flags(args) == (Channel("a", TrainingInput("/x")),)
        assert describe_channels(args) == "a=/x"


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ([], "one of the arguments --channel --job is required"),
        (["--compression", "Gzip", "--channel", "a=/x"], "--compression stands behind"),
        (["--job", "x", "--channel", "a=/x"], "not allowed with"),
        (["--job", "x", "--compression", "Gzip"], "--compression stands behind"),
        (["--channel", "a=/x", "--compression", "Gzip", "--compression", "None"], "twice"),
        (["--channel", "a=/x", "--shuffle-seed", "x"], "--shuffle-seed"),
    ],
)
def test_wrong_usage(argv: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(*argv)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def test_values_are_checked() -> None:
    with pytest.raises(InvalidArgumentError, match="compression='zip'"):
        channels("--channel", "a=/x", "--compression", "zip")
    with pytest.raises(InvalidArgumentError, match="NAME=URI"):
        channels("--channel", "/x")


def test_job(tmp_path: Path) -> None:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bkt/x"}}
    job = {"InputDataConfig": [{"ChannelName": "train", "DataSource": source}]}
    path = tmp_path / "job.json"
    path.write_text(json.dumps(job))
    assert channels("--job", str(path)) == (Channel("train", TrainingInput("s3://bkt/x")),)
    assert describe_channels(parse("--job", str(path))) == str(path)
