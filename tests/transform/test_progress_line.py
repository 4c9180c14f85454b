from __future__ import annotations

import io
import logging
import threading

import pytest

from sagemaker_tensorflow.errors import UnavailableError
from sagemaker_tensorflow.progress import TerminalLine
from sagemaker_tensorflow.transform.job_progress import JobProgress, ProgressSnapshot
from sagemaker_tensorflow.transform.progress_line import LiveProgress, describe_progress
from tests.transform.inputs import make_object
from tests.transform.jobs import some_progress


def test_the_line() -> None:
    """Rates are of the last ten seconds: 1,650 records and 5,000 bytes."""
    assert describe_progress(some_progress()) == (
        "3/4 objects, 1,860 records, 165 records/s, 500 B/s, 8 s left, 1 finished before, "
        "1 object failed, 1 record failed"
    )


def test_the_line_of_a_job_that_begins() -> None:
    line = describe_progress(JobProgress(lambda: 0.0).snapshot())
    assert line == "0/? objects, 0 records, 0 records/s, 0 B/s"


class Lines(io.StringIO):
    """Says when something is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def flush(self) -> None:
        self.written.set()


def test_lines_without_a_terminal() -> None:
    progress, stream = JobProgress(), Lines()
    progress.object_done(make_object("a"))
    with LiveProgress(progress, stream, line_seconds=0.01):
        assert stream.written.wait(30)
    assert stream.getvalue().startswith("1/? objects, ")
    assert "\x1b" not in stream.getvalue()


def test_line_of_a_terminal_is_rewritten_and_cleared() -> None:
    progress, stream = JobProgress(), Lines()
    with LiveProgress(progress, stream, TerminalLine(stream), line_seconds=0.01):
        assert stream.written.wait(30)
    assert "\n" not in stream.getvalue()
    assert "0/? objects" in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_what_cannot_be_published_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    tries = threading.Semaphore(0)

    def publish(now: ProgressSnapshot) -> None:
        tries.release()
        raise UnavailableError("no network")

    with LiveProgress(JobProgress(), None, publish=publish, line_seconds=0.01):
        assert tries.acquire(timeout=30)
        assert tries.acquire(timeout=30)
    assert [record.levelno for record in caplog.records][:1] == [logging.WARNING]
    assert "no network" in caplog.text
