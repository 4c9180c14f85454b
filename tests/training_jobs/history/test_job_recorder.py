from __future__ import annotations

import logging
from pathlib import Path

import pytest

from sagemaker_tensorflow.errors import DeadlineExceededError, InvalidArgumentError
from sagemaker_tensorflow.training.history import job_store
from sagemaker_tensorflow.training.history.job_recorder import JobRecorder
from sagemaker_tensorflow.training.history.job_store import JobStore
from sagemaker_tensorflow.training.status import JobStatus
from tests.pipes import wait_until
from tests.training_jobs.conftest import Jobs, wait_for_line
from tests.training_jobs.recorded import description


def test_what_changes_is_written_and_requests_are_obeyed(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.db")
    status = JobStatus()
    recorder = JobRecorder(store, lambda: description("one", status), status.begin_stopping)
    status.subscribe(recorder.wake)
    store.add(description("one", status), tmp_path)
    with recorder:
        status.enter("Training")
        wait_until(lambda: bool(store.job("one").description.get("TrainingStartTime")), "a stage")
        assert store.stop("one", wait=False) == "InProgress"
        wait_until(lambda: status.primary == "Stopping", "the request is obeyed")
        status.finish("Stopped")
    assert store.job("one").status == "Stopped"


def test_a_process_that_does_not_react(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job's process is this one, and nothing here looks for requests."""
    monkeypatch.setattr(job_store, "_ANSWER_SECONDS", 0.3)
    store = JobStore(tmp_path / "jobs.db")
    store.add(description("one", JobStatus()), tmp_path)
    with pytest.raises(DeadlineExceededError, match=r"process \d+ on host .* has not reacted"):
        store.stop("one")
    assert store.job("one").stop_requested


def test_a_job_goes_on_without_its_record(jobs: Jobs, caplog: pytest.LogCaptureFixture) -> None:
    job = jobs.make(
        """
        import os, sys, time
        print("begun")
        while not os.path.exists(sys.argv[2]):
            time.sleep(0.01)
    """,
        hyperparameters={"until": str(jobs.root / "go-on")},
    )
    with caplog.at_level(logging.WARNING):
        job.start()
        wait_for_line(job, "begun")
        job.store.path.write_text("no database any more\n" * 1000)
        (jobs.root / "go-on").touch()
        assert job.wait().status == "Completed"
    warnings = [record.getMessage() for record in caplog.records if "recorded" in record.message]
    assert len(warnings) == 1, caplog.text
    assert "job job cannot be recorded: " in warnings[0]
    assert "not a database; move it away" in warnings[0]


def test_a_job_that_cannot_begin_is_not_recorded(jobs: Jobs) -> None:
    """Its directory is that of a job of before there was a record."""
    jobs.ml().parent.mkdir(parents=True)
    job = jobs.make("pass")
    with pytest.raises(InvalidArgumentError, match=r"job_name='job' is taken: .*/job is there"):
        job.start()
    assert job.store.list_jobs() == []
    jobs.ml().parent.rmdir()
