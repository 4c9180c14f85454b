from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.errors import DataLossError, NotFoundError, PermissionDeniedError
from sagemaker_tensorflow.input_data_config import (
    FILE_NAME,
    add_input_channels,
    read_input_data_config,
)
from sagemaker_tensorflow.training_input import TrainingInput

A = Channel("a", TrainingInput("/x"))
PIPE = {
    "TrainingInputMode": "Pipe",
    "S3DistributionType": "FullyReplicated",
    "RecordWrapperType": "None",
}


def test_writes_what_sagemaker_writes(tmp_path: Path) -> None:
    add_input_channels(tmp_path, [A, Channel("b", TrainingInput("/y", content_type="text/csv"))])
    assert json.loads((tmp_path / FILE_NAME).read_text()) == {
        "a": PIPE,
        "b": {"ContentType": "text/csv", **PIPE},
    }
    assert list(tmp_path.iterdir()) == [tmp_path / FILE_NAME], "a temporary file is left"


def test_writes_what_the_channel_says_and_an_entry_for_each_pipe(tmp_path: Path) -> None:
    given = TrainingInput(
        "/x", distribution="ShardedByS3Key", record_wrapping="RecordIO", pipes_per_channel=2
    )
    add_input_channels(tmp_path, [Channel("a", given)])
    entry = {**PIPE, "S3DistributionType": "ShardedByS3Key", "RecordWrapperType": "RecordIO"}
    assert read_input_data_config(tmp_path) == {"a-0": entry, "a-1": entry}


def test_keeps_channels_of_others(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text('{"a": {"TrainingInputMode": "File"}, "b": {"x": "y"}}')
    add_input_channels(tmp_path, [A])
    assert read_input_data_config(tmp_path) == {"a": PIPE, "b": {"x": "y"}}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}'])
def test_what_is_not_a_config_is_an_error_and_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(DataLossError, match=FILE_NAME):
        add_input_channels(tmp_path, [A])
    assert (tmp_path / FILE_NAME).read_text() == text


def test_no_config(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=FILE_NAME):
        read_input_data_config(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_directory_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionDeniedError, match=str(tmp_path)):
        add_input_channels(tmp_path, [A])
