"""What the constructor takes, defaults to and refuses."""

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import sagemaker_tensorflow
from sagemaker_tensorflow import PipeModeDataset, PipeModeDatasetException
from tests.pipe_mode_dataset.conftest import Channel, framed


def test_the_positional_arguments_are_the_original_extensions() -> None:
    parameters = inspect.signature(PipeModeDataset).parameters.values()
    positional = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == [
        "channel",
        "record_format",
        "state_dir",
        "pipe_dir",
        "config_dir",
        "benchmark",
        "benchmark_records_interval",
        "max_corrupted_records_to_skip",
    ]


def test_the_directories_default_to_sagemakers_and_to_its_variables(
    channel: Channel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = channel.directory / "config"
    config.mkdir()
    (channel.directory / "inputdataconfig.json").rename(config / "inputdataconfig.json")
    monkeypatch.setenv("SM_INPUT_DIR", str(tmp_path / "ml" / "input"))
    monkeypatch.setenv("SM_INPUT_CONFIG_DIR", str(config))
    dataset = PipeModeDataset("training")
    assert dataset.pipe_dir == str(tmp_path / "ml" / "input" / "data")
    assert dataset.state_dir == str(tmp_path / "ml" / "pipe_state")
    assert dataset.config_dir == str(config)
    assert dataset.record_format == "RecordIO"
    assert Path(dataset.state_dir).is_dir()


def test_without_variables_the_container_paths_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SM_INPUT_DIR", raising=False)
    monkeypatch.delenv("SM_INPUT_CONFIG_DIR", raising=False)
    with pytest.raises(FileNotFoundError, match=r"/opt/ml/input/config/inputdataconfig\.json"):
        PipeModeDataset("training")


def test_a_missing_channel_is_an_error_that_lists_those_there(channel: Channel) -> None:
    with pytest.raises(
        PipeModeDatasetException, match=r"'trainin' is not in .*, which has training"
    ):
        PipeModeDataset("trainin", **channel.dirs())


def test_who_has_a_uri_and_no_channel_is_told_of_from_uri(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'s3://b/train/' is a URI.*from_uri"):
        PipeModeDataset("s3://b/train/")
    with pytest.raises(FileNotFoundError, match=r"inputdataconfig\.json.*feed\.dirs.*from_uri"):
        PipeModeDataset("training", config_dir=tmp_path)


@pytest.mark.parametrize("mode", ["File", "FastFile"])
def test_a_channel_in_another_mode_is_an_error_that_says_which(channel: Channel, mode: str) -> None:
    channel.configure({"training": {"TrainingInputMode": mode}})
    with pytest.raises(PipeModeDatasetException, match=f"TrainingInputMode '{mode}'"):
        channel.dataset()


def test_the_mode_is_read_without_regard_to_case(channel: Channel) -> None:
    channel.configure({"training": {"TrainingInputMode": "pipe"}})
    channel.feed(framed([b"a"]))
    assert channel.records() == [b"a"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"record_format": "tfrecord"}, "RecordIO, TFRecord, TextLine"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": -3}, "batch_size"),
        ({"batch_size": "32"}, r"batch_size must be a whole number, not '32' \(str\)"),
        ({"batch_size": 32.0}, "batch_size must be a whole number"),
        ({"max_record_bytes": None}, "max_record_bytes must be a whole number, not None"),
        ({"stall_timeout": "60"}, "stall_timeout must be a number"),
        ({"timeout": -1}, "timeout"),
        ({"timeout": float("inf")}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"stall_timeout": 0}, "stall_timeout"),
        ({"stall_timeout": float("inf")}, "stall_timeout"),
    ],
)
def test_arguments_out_of_bounds_are_value_errors(
    channel: Channel, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        channel.dataset(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"max_record_bytes": 0},
        {"batch_size": 2**40},
        {"max_corrupted_records_to_skip": -1},
        {"benchmark_records_interval": -1},
    ],
)
def test_the_op_refuses_what_only_it_checks(channel: Channel, options: dict[str, object]) -> None:
    (name,) = options
    with pytest.raises(tf.errors.InvalidArgumentError, match=name):
        channel.dataset(**options)


def test_numbers_of_numpy_are_numbers(channel: Channel) -> None:
    channel.feed(framed([b"a", b"b"]))
    options = {"batch_size": np.int32(2), "timeout": np.float32(60), "first_epoch": np.int64(0)}
    assert [batch.tolist() for batch in channel.records(**options)] == [[b"a", b"b"]]


def test_the_largest_number_is_no_bound(channel: Channel) -> None:
    channel.feed(framed([b"a"]))
    assert channel.records(max_record_bytes=sys.maxsize) == [b"a"]


def test_a_batch_that_memory_does_not_hold_is_an_error(channel: Channel) -> None:
    code = """
import resource, sys
import tensorflow as tf
from sagemaker_tensorflow import PipeModeDataset
d = sys.argv[1]
dataset = PipeModeDataset(
    "training", "TFRecord", pipe_dir=d, state_dir=d, config_dir=d, batch_size=2**31 - 1
)
limit = 24 << 30
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    next(iter(dataset))
except tf.errors.InternalError as error:
    print(error.message)
"""
    channel.feed(framed([b"a"]))
    command = [sys.executable, "-c", code, str(channel.directory)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "lower batch_size" in result.stdout


def test_without_descriptors_an_iterator_is_an_error_and_no_crash(channel: Channel) -> None:
    code = """
import os, resource, sys
import tensorflow as tf
from sagemaker_tensorflow import PipeModeDataset
d = sys.argv[1]
dataset = PipeModeDataset("training", "TFRecord", pipe_dir=d, state_dir=d, config_dir=d)
iter(tf.data.Dataset.range(1))
used = len(os.listdir("/proc/self/fd"))
resource.setrlimit(resource.RLIMIT_NOFILE, (used - 1, used - 1))
try:
    iter(dataset)
except tf.errors.OpError as error:
    print(error.message)
"""
    command = [sys.executable, "-c", code, str(channel.directory)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Too many open files" in result.stdout


def test_a_state_dir_that_cannot_be_made_is_an_error_with_the_remedy(channel: Channel) -> None:
    blocked = channel.directory / "file"
    blocked.touch()
    with pytest.raises(PermissionError, match="state_dir"):
        channel.dataset(state_dir=blocked / "state")


def test_importing_the_package_does_not_import_tensorflow() -> None:
    code = "import sys, sagemaker_tensorflow as s; s.Prefetcher; print('tensorflow' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"
    assert set(sagemaker_tensorflow.__all__) <= set(dir(sagemaker_tensorflow))
    with pytest.raises(AttributeError, match="nothing_of_that_name"):
        sagemaker_tensorflow.nothing_of_that_name  # noqa: B018
