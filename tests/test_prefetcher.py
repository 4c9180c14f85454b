from __future__ import annotations

import gc
import json
import logging
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sagemaker_tensorflow import process_handle
from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    UnavailableError,
)
from sagemaker_tensorflow.hosts import HostPlace
from sagemaker_tensorflow.input_data_config import read_input_data_config
from sagemaker_tensorflow.outlets import PipeOutlet
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.prefetch_orders import PrefetchOrders
from sagemaker_tensorflow.prefetcher import Prefetcher
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.training_input import TrainingInput
from tests.conftest import ACCESS_KEY, FOLDER_BYTES, SECRET_KEY, PutObjects
from tests.pipes import has_ended, outcome, read_epoch, wait_until
from tests.servers import free_port


def pid_of(feed: Prefetcher) -> int:
    assert feed._process is not None
    assert feed._process._popen is not None
    return feed._process._popen.pid


def test_folder_epoch_after_epoch(folder: Path) -> None:
    with Prefetcher({"train": str(folder)}) as feed:
        assert feed.alive
        for epoch in range(3):
            assert read_epoch(feed.dirs["pipe_dir"], "train", epoch) == FOLDER_BYTES
        assert outcome(feed.dirs["pipe_dir"], "train", 1)["state"] == "done"
        stats = feed.stats()["train"]
        assert stats.bytes_written >= 3 * len(FOLDER_BYTES)
        assert stats.listed_objects == 3
        assert stats.listed_bytes == len(FOLDER_BYTES)
        assert stats.error == ""


def test_s3_prefix_and_folder_side_by_side(put_objects: PutObjects, folder: Path) -> None:
    uri = put_objects({"x/1": b"one" * 300_000, "x/2": b"", "x/3": b"three", "y": b"no"})
    channels = [
        Channel("train", TrainingInput(f"{uri}/x/", content_type="text/plain")),
        Channel("test", TrainingInput(folder.as_uri())),
    ]
    with Prefetcher(channels) as feed:
        config = read_input_data_config(Path(feed.dirs["config_dir"]))
        assert config["train"]["ContentType"] == "text/plain"
        assert config["test"]["TrainingInputMode"] == "Pipe"
        for epoch in range(2):
            train = read_epoch(feed.dirs["pipe_dir"], "train", epoch)
            assert train == b"one" * 300_000 + b"three"
            assert read_epoch(feed.dirs["pipe_dir"], "test", epoch) == FOLDER_BYTES
        assert set(feed.stats()) == {"train", "test"}


def test_one_s3_object(put_objects: PutObjects) -> None:
    uri = put_objects({"a b/é+%41": b"odd key"})
    with Prefetcher({"train": f"{uri}/a b/é+%41"}) as feed:
        assert read_epoch(feed.dirs["pipe_dir"], "train", 0) == b"odd key"


def test_given_directories_are_made_and_kept(folder: Path, tmp_path: Path) -> None:
    dirs = {kind: str(tmp_path / "job" / kind) for kind in ("pipe_dir", "state_dir", "config_dir")}
    for _ in range(2):
        with Prefetcher({"train": str(folder)}, **dirs) as feed:
            assert feed.dirs == dirs
            assert read_epoch(dirs["pipe_dir"], "train", 0) == FOLDER_BYTES
        assert not any(stat.S_ISFIFO(p.stat().st_mode) for p in Path(dirs["pipe_dir"]).iterdir())
        assert "train" in read_input_data_config(Path(dirs["config_dir"]))


def test_temporary_directories_are_removed(folder: Path) -> None:
    with Prefetcher({"train": str(folder)}) as feed:
        roots = {Path(path).parent for path in feed.dirs.values()}
        assert all(Path(path).is_dir() for path in feed.dirs.values())
        pid = pid_of(feed)
    assert not any(root.exists() for root in roots)
    assert has_ended(pid)
    assert not feed.alive
    feed.close()
    with pytest.raises(FailedPreconditionError):
        feed.stats()
    with pytest.raises(FailedPreconditionError):
        feed.start()


def test_before_start(folder: Path) -> None:
    feed = Prefetcher({"train": str(folder)})
    assert not feed.alive
    with pytest.raises(FailedPreconditionError):
        feed.stats()
    with pytest.raises(FailedPreconditionError):
        _ = feed.dirs
    feed.close()


def test_forgotten_prefetcher_ends(folder: Path) -> None:
    feed = Prefetcher({"train": str(folder)})
    feed.start()
    pid = pid_of(feed)
    root = Path(feed.dirs["pipe_dir"]).parent
    del feed
    gc.collect()
    assert has_ended(pid)
    assert not root.exists()


def test_second_prefetcher_of_a_channel_is_refused(folder: Path) -> None:
    with Prefetcher({"train": str(folder)}) as feed:
        pipe_dir = feed.dirs["pipe_dir"]
        second = Prefetcher({"train": str(folder)}, pipe_dir=pipe_dir)
        with pytest.raises(FailedPreconditionError, match="train"):
            second.start()
        assert not second.alive
        assert read_epoch(pipe_dir, "train", 0) == FOLDER_BYTES


@pytest.mark.parametrize(
    ("uri", "kind", "says"),
    [
        ("s3://no-such-bucket-at-all/x", NotFoundError, "no-such-bucket-at-all.*NoSuchBucket"),
        ("s3://{bucket}/nothing", NotFoundError, "{bucket}.*'nothing'"),
        ("/no/such/folder", NotFoundError, "/no/such/folder"),
    ],
)
def test_channel_that_is_not_there(bucket: str, uri: str, kind: type, says: str) -> None:
    feed = Prefetcher({"train": uri.format(bucket=bucket)})
    with pytest.raises(kind, match=says.format(bucket=bucket)):
        feed.start()
    assert not feed.alive


def test_no_credentials(clean_aws: None) -> None:
    with pytest.raises(PermissionDeniedError, match="no AWS credentials"):
        Prefetcher({"train": "s3://bkt/x"}, region="us-east-1").start()


def test_no_server(aws: str) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(UnavailableError, match=endpoint):
        Prefetcher({"train": "s3://bkt/x"}, endpoint_url=endpoint).start()


def test_arguments_are_checked_at_once() -> None:
    with pytest.raises(InvalidArgumentError):
        Prefetcher({})
    with pytest.raises(InvalidArgumentError):
        Prefetcher({"a/b": "/x"})
    with pytest.raises(InvalidArgumentError, match="memory_bytes"):
        config = PrefetchConfig(memory_bytes=16 << 20, part_bytes=8 << 20)
        Prefetcher({"a": "/x", "b": "/y"}, config=config)
    with pytest.raises(InvalidArgumentError, match="over 3 pipe"):
        config = PrefetchConfig(memory_bytes=2 << 20)
        Prefetcher({"a": TrainingInput("/x", pipes_per_channel=3)}, config=config)
    with pytest.raises(InvalidArgumentError, match="current_host='c'"):
        Prefetcher({"a": "/x"}, hosts=["a", "b"], current_host="c")


def test_killed_reader_costs_only_its_epoch(tmp_path: Path) -> None:
    body = os.urandom(1 << 22)
    (tmp_path / "data").write_bytes(body)
    slow = (
        "import sys, time; f = open(sys.argv[1], 'rb'); f.read(9); print(flush=True); "
        "time.sleep(600)"
    )
    with Prefetcher({"train": str(tmp_path / "data")}) as feed:
        fifo = Path(feed.dirs["pipe_dir"], "train_0")
        process = subprocess.Popen([sys.executable, "-c", slow, fifo], stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"\n"
        process.kill()
        process.wait()
        process.stdout.close()
        assert read_epoch(feed.dirs["pipe_dir"], "train", 1) == body
        assert outcome(feed.dirs["pipe_dir"], "train", 0)["state"] == "abandoned"
        assert feed.alive


def test_killed_process_is_reported(folder: Path) -> None:
    with Prefetcher({"train": str(folder)}) as feed:
        os.kill(pid_of(feed), signal.SIGKILL)
        with pytest.raises(UnavailableError, match="SIGKILL"):
            feed.stats()
        assert not feed.alive


def test_terminated_process_ends_cleanly(folder: Path) -> None:
    with Prefetcher({"train": str(folder)}) as feed:
        os.kill(pid_of(feed), signal.SIGTERM)
        wait_until(lambda: not feed.alive, "the process ends")
        with pytest.raises(UnavailableError, match="status 0"):
            feed.stats()
        assert not Path(feed.dirs["pipe_dir"], "train_0").exists()


def test_process_ignores_ctrl_c(folder: Path) -> None:
    with Prefetcher({"train": str(folder)}) as feed:
        os.kill(pid_of(feed), signal.SIGINT)
        assert read_epoch(feed.dirs["pipe_dir"], "train", 0) == FOLDER_BYTES
        assert feed.alive


def executable(tmp_path: Path, script: str) -> str:
    """A program that stands where Python is expected."""
    path = tmp_path / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return str(path)


def test_process_that_cannot_start(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "executable", executable(tmp_path, "echo no engine >&2; exit 7"))
    with pytest.raises(UnavailableError, match=r"status 7.*\n.*no engine"):
        Prefetcher({"train": str(folder)}).start()
    assert "no engine" in capsys.readouterr().err, "stderr was not passed on"


def test_process_that_does_not_end_is_killed(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    deaf = "trap '' TERM; echo '{\"started\": true}'; while :; do sleep 0.1; done"
    monkeypatch.setattr(sys, "executable", executable(tmp_path, deaf))
    monkeypatch.setattr(process_handle, "_GRACE_SECONDS", 0.1)
    with Prefetcher({"train": str(folder)}) as feed:
        pid = pid_of(feed)
    assert has_ended(pid)
    assert "killed" in caplog.text


def test_no_secret_leaves_the_environment(
    put_objects: PutObjects, capfd: pytest.CaptureFixture[str]
) -> None:
    uri = put_objects({"x": b"body"})
    logging.getLogger("sagemaker_tensorflow").setLevel(logging.DEBUG)
    try:
        with Prefetcher({"train": f"{uri}/x"}) as feed:
            assert read_epoch(feed.dirs["pipe_dir"], "train", 0) == b"body"
            argv = Path(f"/proc/{pid_of(feed)}/cmdline").read_text()
            left = [
                path.read_text()
                for directory in feed.dirs.values()
                for path in Path(directory).rglob("*")
                if path.is_file()
            ]
    finally:
        logging.getLogger("sagemaker_tensorflow").setLevel(logging.NOTSET)
    output = capfd.readouterr()
    for text in (argv, output.out, output.err, *left):
        assert SECRET_KEY not in text
        assert ACCESS_KEY not in text
    assert output.out == ""
    assert len(left) >= 2


def test_process_has_the_engine_and_no_tensorflow(folder: Path) -> None:
    with Prefetcher({"train": str(folder)}) as feed:
        maps = Path(f"/proc/{pid_of(feed)}/maps").read_text()
    assert "libcurl" in maps, "this test looks at the wrong process"
    assert "tensorflow_framework" not in maps
    assert "_pipe_op" not in maps


def test_owner_does_not_load_the_engine_or_tensorflow() -> None:
    check = (
        "import sys; from sagemaker_tensorflow import Prefetcher; "
        "names = {'tensorflow', 'boto3', 'sagemaker_tensorflow._prefetch'} & set(sys.modules); "
        "sys.exit(str(names) if names else 0)"
    )
    subprocess.run([sys.executable, "-c", check], check=True)


OWNER = """
import os, sys, time
from sagemaker_tensorflow import Prefetcher
feed = Prefetcher({"train": sys.argv[1]})
feed.start()
child = os.fork() if sys.argv[2] == "forks" else 0
if sys.argv[2] == "forks" and child == 0:
    time.sleep(600)
print(feed._process._popen.pid, child, feed.dirs["pipe_dir"], flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("forks", ["forks", "does not fork"])
def test_killed_owner_takes_the_process_with_it(folder: Path, forks: str) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", OWNER, str(folder), forks], stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    words = owner.stdout.readline().split()
    pid, child, pipe_dir = int(words[0]), int(words[1]), Path(words[2].decode())
    try:
        assert not has_ended(pid)
        owner.kill()
        owner.wait()
        wait_until(lambda: has_ended(pid), "the prefetcher's process ends")
        assert not pipe_dir.parent.exists(), "the temporary directory is left"
    finally:
        owner.stdout.close()
        if child:
            os.kill(child, signal.SIGKILL)


FORKING = """
import os, sys
from sagemaker_tensorflow import Prefetcher
with Prefetcher({"train": sys.argv[1]}) as feed:
    child = os.fork()
    if child == 0:
        feed.close()
        sys.exit(5)  # with its exit handlers
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
    assert feed.alive and "train" in feed.stats()
    assert os.path.exists(os.path.join(feed.dirs["pipe_dir"], "train_0"))
    child = os.fork()
    if child == 0:
        os._exit(6)
    os.waitpid(child, 0)
assert not feed.alive
"""


def test_forked_children_leave_it_alone(folder: Path) -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKING, str(folder)], check=True)


def test_exit_without_close(folder: Path) -> None:
    script = (
        "import sys; from sagemaker_tensorflow import Prefetcher; "
        "feed = Prefetcher({'train': sys.argv[1]}); feed.start(); "
        "print(feed._process._popen.pid, feed.dirs['pipe_dir'])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(folder)], check=True, capture_output=True, text=True
    )
    pid, pipe_dir = ran.stdout.split()
    assert has_ended(int(pid))
    assert not Path(pipe_dir).exists()
    assert ran.stderr == ""


def test_close_while_it_lists(aws: str, tmp_path: Path) -> None:
    """A server that accepts and never answers holds up the listing, but not the end."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        orders = PrefetchOrders(
            channels=(Channel("train", TrainingInput("s3://bkt/x")),),
            outlet=PipeOutlet(tmp_path, tmp_path),
            config=PrefetchConfig(),
            s3_options=S3Options(endpoint_url=f"http://127.0.0.1:{port}"),
            host=HostPlace(),
            temporary_dir=tmp_path / "none",
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "sagemaker_tensorflow.prefetch_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(orders.to_json()).encode() + b"\n")
        process.stdin.flush()
        with silent.accept()[0]:
            out, _ = process.communicate()
    assert process.returncode == 0
    assert out == b""
