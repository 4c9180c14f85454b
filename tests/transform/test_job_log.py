from __future__ import annotations

import io
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sagemaker_tensorflow.transform.job_log import JobLog
from sagemaker_tensorflow.transform.output_store import OutputStore, open_output_store

NAME = ".smtf-transform/nightly-1/job.log"
LOGGER = logging.getLogger("sagemaker_tensorflow.transform.something")


def test_lines(store: OutputStore) -> None:
    level = logging.getLogger("sagemaker_tensorflow").level
    with JobLog(store, "nightly-1") as log:
        assert log.uri == store.uri_of(NAME)
        LOGGER.info("größe %d", 3)
        LOGGER.debug("too much")
        logging.getLogger("somebody.else").error("not ours")
    LOGGER.info("afterwards")
    [line] = store.read_small(NAME).decode().splitlines()
    assert line.endswith(f"INFO MainThread {LOGGER.name}: größe 3")
    assert line[:4].isdecimal()
    assert line.split()[0].endswith("Z")
    assert logging.getLogger("sagemaker_tensorflow").level == level


def test_other_logs_get_what_they_got(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "level", logging.WARNING)
    with JobLog(open_output_store(str(tmp_path)), "nightly-1"):
        LOGGER.info("for the file")
        LOGGER.warning("for both")
    LOGGER.info("for nobody")
    LOGGER.warning("for the other")
    assert caplog.messages == ["for both", "for the other"]
    assert "for the file" in (tmp_path / NAME).read_text()


def test_quiet_terminals_stay_quiet(tmp_path: Path) -> None:
    """A handler of the package's own logger, as the command line has it; two jobs at a time."""
    package, shown = logging.getLogger("sagemaker_tensorflow"), io.StringIO()
    handler = logging.StreamHandler(shown)
    package.addHandler(handler)
    package.setLevel(logging.ERROR)
    before = (package.handlers[:], package.level, package.propagate)
    store = open_output_store(str(tmp_path))
    try:
        first, second = JobLog(store, "a"), JobLog(store, "b")
        first.__enter__()
        second.__enter__()
        LOGGER.info("for the files")
        LOGGER.error("for all")
        first.__exit__(None, None, None)
        LOGGER.error("for the second")
        second.__exit__(None, None, None)
        assert (package.handlers, package.level, package.propagate) == before
    finally:
        package.removeHandler(handler)
        package.setLevel(logging.NOTSET)
    assert shown.getvalue() == "for all\nfor the second\n"
    lines = {
        name: [line.rpartition(": ")[2] for line in path.read_text().splitlines()]
        for name in "ab"
        for path in [tmp_path / f".smtf-transform/{name}/job.log"]
    }
    assert lines["a"] == ["for the files", "for all"]
    assert lines["b"] == ["for the files", "for all", "for the second"]


def test_warnings_of_a_program_that_set_up_nothing(tmp_path: Path) -> None:
    """logging itself shows them on stderr, once."""
    script = """
import logging, sys
from sagemaker_tensorflow.transform.job_log import JobLog
from sagemaker_tensorflow.transform.output_store import open_output_store
with JobLog(open_output_store(sys.argv[1]), "job"):
    logging.getLogger("sagemaker_tensorflow.x").warning("look here")
    logging.getLogger("sagemaker_tensorflow.x").info("not here")
"""
    run = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert run.stderr == "look here\n"


def test_the_error_that_ends_a_job(store: OutputStore, caplog: pytest.LogCaptureFixture) -> None:
    """Who started the job gets the error itself, and no traceback on a terminal."""
    with pytest.raises(ZeroDivisionError), JobLog(store, "nightly-1"):
        raise ZeroDivisionError
    text = store.read_small(NAME).decode()
    assert "the job ends with an error" in text
    assert "Traceback" in text
    assert "ends with an error" not in caplog.text


def test_local_logs_are_there_at_once(tmp_path: Path) -> None:
    store = open_output_store(str(tmp_path))
    with JobLog(store, "nightly-1"):
        LOGGER.warning("now")
        assert (tmp_path / NAME).read_text().endswith(": now\n")


def test_log_that_cannot_be_uploaded_is_kept(
    aws: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with JobLog(open_output_store("s3://no-such-bucket-here/x"), "nightly-1"):
        LOGGER.warning("kept")
    [path] = tmp_path.rglob("job.log")
    assert path.read_text().endswith(": kept\n")
    assert str(path) in caplog.text


def test_what_a_killed_job_did_not_upload_goes_with_the_next(
    aws: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    script = """
import os, signal, sys
from sagemaker_tensorflow.transform.job_log import JobLog
from sagemaker_tensorflow.transform.output_store import open_output_store
with JobLog(open_output_store("s3://no-such-bucket-here/x"), "nightly-1"):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    killed = subprocess.run([sys.executable, "-c", script], env=environment)
    assert killed.returncode == -signal.SIGKILL
    [left] = tmp_path.rglob("job.log")
    with JobLog(open_output_store("s3://no-such-bucket-here/x"), "nightly-1"):
        assert not left.exists()
