from __future__ import annotations

import contextlib
import gzip
import json
import os
import pty
import signal
import socket
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from sagemaker_tensorflow.cli import main
from tests.conftest import ACCESS_KEY, FOLDER_BYTES, SECRET_KEY, PutObjects
from tests.pipes import outcome, read_epoch, wait_until
from tests.streams import streaming


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_streams_until_a_signal(folder: Path, tmp_path: Path, number: signal.Signals) -> None:
    with streaming(tmp_path, "--channel", f"train={folder}") as stream:
        for epoch in range(2):
            assert read_epoch(stream.pipe_dir, "train", epoch) == FOLDER_BYTES
        config = json.loads((stream.config_dir / "inputdataconfig.json").read_text())
        assert config["train"]["TrainingInputMode"] == "Pipe"
        assert stream.stop(number) == 0
        assert not any(path.is_fifo() for path in stream.pipe_dir.iterdir())
        assert "\x1b" not in stream.stderr(), "progress line where there is no terminal"
        assert len(stream.stderr().splitlines()) == 1


def test_streams_two_channels_from_s3(put_objects: PutObjects, tmp_path: Path) -> None:
    uri = put_objects({"train/1": b"a" * 3_000_000, "train/2": b"b", "test/1": b"c"})
    channels = ["--channel", f"train={uri}/train/", "--channel", f"test={uri}/test/"]
    numbers = ["--part-bytes", "1MiB", "--memory-bytes", "8MiB", "--connections", "2", "-v"]
    with streaming(tmp_path, *channels, *numbers) as stream:
        assert read_epoch(stream.pipe_dir, "test", 0) == b"c"
        assert read_epoch(stream.pipe_dir, "train", 0) == b"a" * 3_000_000 + b"b"
        argv = Path(f"/proc/{stream.process.pid}/cmdline").read_text()
        assert stream.stop() == 0
        for text in (argv, stream.stderr()):
            assert SECRET_KEY not in text
            assert ACCESS_KEY not in text


def test_job_of_a_host_with_all_options(put_objects: PutObjects, tmp_path: Path) -> None:
    uri = put_objects({f"x/{n}": gzip.compress(bytes([n])) for n in range(5)})
    job = {
        "AlgorithmSpecification": {"TrainingInputMode": "Pipe"},
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"{uri}/x/",
                        "S3DataDistributionType": "ShardedByS3Key",
                    }
                },
                "CompressionType": "Gzip",
                "ShuffleConfig": {"Seed": 3},
            }
        ],
        "ResourceConfig": {"InstanceCount": 2},
    }
    (tmp_path / "job.json").write_text(json.dumps(job))
    seen = b""
    for host in ("algo-1", "algo-2"):
        args = ["--job", str(tmp_path / "job.json"), "--hosts", "algo-1,algo-2"]
        args += ["--current-host", host, "--cache-dir", str(tmp_path / "cache")]
        args += ["--cache-bytes", "10MB", "--no-hedging", "--no-checksums", "--connections", "auto"]
        with streaming(tmp_path / host, *args) as stream:
            seen += read_epoch(stream.pipe_dir, "train", 0)
            assert stream.stop() == 0
    assert sorted(seen) == list(range(5))
    assert any((tmp_path / "cache").iterdir())


def test_channel_options(folder: Path, tmp_path: Path) -> None:
    args = ["--channel", f"train={folder}", "--pipes-per-channel", "2"]
    with streaming(tmp_path, *args, "--channel", f"test={folder}") as stream:
        parts = [read_epoch(stream.pipe_dir, f"train-{k}", 0) for k in range(2)]
        assert sum(map(len, parts)) == len(FOLDER_BYTES)
        assert read_epoch(stream.pipe_dir, "test", 0) == FOLDER_BYTES
        assert stream.stop() == 0


def test_stops_in_the_middle_of_an_epoch(folder: Path, tmp_path: Path) -> None:
    with streaming(tmp_path, "--channel", f"train={folder}") as stream:
        fifo = stream.pipe_dir / "train_0"
        wait_until(fifo.exists, "the pipe is made")
        with fifo.open("rb") as reader:
            assert reader.read(5) == FOLDER_BYTES[:5]
            assert stream.stop() == 0
            assert len(reader.read()) < len(FOLDER_BYTES)
        assert outcome(stream.pipe_dir, "train", 0)["state"] == "error"


def test_stops_while_it_lists(aws: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        args = ["--channel", "train=s3://bkt/x", "--endpoint-url", url]
        with streaming(tmp_path, *args) as stream, silent.accept()[0]:
            assert stream.stop() == 0


def test_goes_on_after_an_error(put_objects: PutObjects, bucket: str, tmp_path: Path) -> None:
    body = os.urandom(8 << 20)
    uri = put_objects({"1": body, "2": b"last"})
    small = ["--part-bytes", "1MiB", "--memory-bytes", "2MiB"]  # so that "2" is not fetched ahead
    with streaming(tmp_path, "--channel", f"train={uri}/", *small) as stream:
        wait_until((stream.pipe_dir / "train_0").exists, "the pipe is made")
        boto3.client("s3").delete_object(Bucket=bucket, Key="2")
        assert read_epoch(stream.pipe_dir, "train", 0) == body
        told = outcome(stream.pipe_dir, "train", 0)
        assert told["state"] == "error"
        assert f"s3://{bucket}/2" in json.dumps(told)
        wait_until(lambda: f"s3://{bucket}/2" in stream.stderr(), "the error is logged")
        put_objects({"2": b"last"})
        epoch = 1
        while read_epoch(stream.pipe_dir, "train", epoch) != body + b"last":
            epoch += 1
        assert stream.stop() == 0


def test_progress_on_a_terminal(folder: Path, tmp_path: Path) -> None:
    terminal, theirs = pty.openpty()
    with streaming(tmp_path, "--channel", f"train={folder}", stderr=theirs) as stream:
        os.close(theirs)
        assert read_epoch(stream.pipe_dir, "train", 0) == FOLDER_BYTES
        shown = b""
        while b"train: epoch 1" not in shown:
            shown += os.read(terminal, 4096)
        assert stream.stop() == 0
    with contextlib.suppress(OSError):  # a terminal whose other side is closed says EIO
        while data := os.read(terminal, 4096):
            shown += data
    os.close(terminal)
    assert shown.endswith(b"\r\x1b[K"), "the line was left behind"


def test_quiet(folder: Path, tmp_path: Path) -> None:
    terminal, theirs = pty.openpty()
    with streaming(tmp_path, "--channel", f"train={folder}", "-q", stderr=theirs) as stream:
        os.close(theirs)
        assert read_epoch(stream.pipe_dir, "train", 0) == FOLDER_BYTES
        assert stream.stop() == 0
    with pytest.raises(OSError, match="Input/output"):  # nothing but the end
        os.read(terminal, 4096)
    os.close(terminal)


def test_channel_that_is_fed_already(folder: Path, tmp_path: Path) -> None:
    with streaming(tmp_path, "--channel", f"train={folder}") as stream:
        wait_until((stream.pipe_dir / "train_0").exists, "the pipe is made")
        ran = subprocess.run(stream.argv, capture_output=True, text=True)
        assert ran.returncode == 1
        assert "train" in ran.stderr
        assert read_epoch(stream.pipe_dir, "train", 0) == FOLDER_BYTES


def one_line(stderr: str) -> str:
    assert stderr.count("\n") == 1, stderr
    return stderr


@pytest.mark.parametrize(
    ("channel", "says"),
    [
        ("train=gs://bkt/x", "gs://bkt/x"),
        ("train", "NAME=URI"),
        ("a b=/x", "'a b'"),
        ("train=/no/such/folder", "/no/such/folder"),
        ("train=s3://no-such-bucket-at-all/x", "NoSuchBucket"),
        ("train=s3://{bucket}/nothing", "nothing"),
    ],
)
def test_errors_at_start(bucket: str, tmp_path: Path, channel: str, says: str) -> None:
    with streaming(tmp_path, "--channel", channel.format(bucket=bucket)) as stream:
        assert stream.end() == 1
        line = one_line(stream.stderr())
    assert line.startswith("smtf: error: ")
    assert says in line


def test_no_credentials(clean_aws: None, tmp_path: Path) -> None:
    args = ["--channel", "train=s3://bkt/x", "--region", "us-east-1"]
    with streaming(tmp_path, *args) as stream:
        assert stream.end() == 1
        assert "no AWS credentials" in one_line(stream.stderr())


def test_directory_that_cannot_be_made(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "pipes").write_text("a file")
    with streaming(tmp_path, "--channel", f"train={folder}") as stream:
        assert stream.end() == 1
        assert str(stream.pipe_dir) in one_line(stream.stderr())


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--connections", "0"], "connections=0"),
        (["--part-bytes", "0"], "part_bytes=0"),
        (["--memory-bytes", "1MB"], "memory_bytes=1000000"),
    ],
)
def test_numbers_out_of_bounds(folder: Path, tmp_path: Path, args: list[str], says: str) -> None:
    with streaming(tmp_path, "--channel", f"train={folder}", *args) as stream:
        assert stream.end() == 1
        assert says in one_line(stream.stderr())


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["nothing"],
        ["stream"],
        ["stream", "--channel", "a=/x"],
        ["stream", "--channel", "a=/x", "--pipe-dir", "p", "--config-dir", "c", "-v", "-q"],
    ],
)
def test_wrong_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    assert "usage: smtf" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("smtf 3.")


def test_help_loads_nothing_big() -> None:
    check = (
        "import sys; from sagemaker_tensorflow.cli import make_parser; make_parser().format_help();"
        "names = {'boto3', 'tensorflow', 'numpy', 'logging'} & set(sys.modules); "
        "sys.exit(str(names) if names else 0)"
    )
    subprocess.run([sys.executable, "-c", check], check=True)
