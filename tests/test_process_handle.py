from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.prefetcher import Prefetcher
from sagemaker_tensorflow.process_handle import ProcessHandle
from tests.pipes import read_epoch


def test_a_process_that_gets_no_orders_ends_in_silence(capfd: pytest.CaptureFixture[str]) -> None:
    process = ProcessHandle()
    process.start()
    assert process.alive
    process.end()
    assert process._popen is not None
    assert process._popen.returncode == 0
    process.end()
    assert capfd.readouterr() == ("", "")


def test_it_ends_when_it_is_asked_to() -> None:
    process = ProcessHandle()
    process.start()
    process.ask_to_end()
    process.wait_and_clean_up()
    assert process._popen is not None
    assert process._popen.returncode == 0
    process.ask_to_end()  # there is nobody to hear it


def test_one_that_died_before_its_orders_is_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "data").write_bytes(b"content")
    process = ProcessHandle()
    process.start()
    assert process._popen is not None
    assert process.ended() is None
    process._popen.kill()
    process._popen.wait()
    feed = Prefetcher({"train": str(tmp_path)})
    feed.start(process)
    try:
        assert read_epoch(feed.dirs["pipe_dir"], "train", 0) == b"content"
    finally:
        feed.close()
    assert "killed by SIGKILL" in caplog.text


def test_descriptors_for_a_process_that_runs_already_are_refused(tmp_path: Path) -> None:
    process = ProcessHandle()
    feed = Prefetcher({"train": str(tmp_path)}, pass_fds=[0])
    with pytest.raises(InvalidArgumentError, match="pass_fds"):
        feed.start(process)
    assert not feed.alive
