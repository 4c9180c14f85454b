from __future__ import annotations

import datetime
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sagemaker_tensorflow.errors import (
    DataLossError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    PipeModeDatasetException,
)
from sagemaker_tensorflow.training.history import job_store
from sagemaker_tensorflow.training.history.job_store import JobStore
from sagemaker_tensorflow.training.status import JobStatus
from tests.training_jobs.recorded import description, point


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path / "home" / "jobs.db")


def test_a_job_from_its_beginning_to_its_end(store: JobStore) -> None:
    status = JobStatus()
    store.add(description("one", status), Path("/jobs/one"))
    status.enter("Training")
    store.update(description("one", status), [point("loss", 2.0), point("loss", 1.0)])
    store.update(description("one", status), [point("accuracy", 0.5)])
    (job,) = store.list_jobs("InProgress")
    assert (job.name, job.logs) == ("one", {"algo-1": Path("/jobs/one/algo-1.log")})

    status.finish("Failed", reason="no luck")
    store.update(description("one", status))
    described = store.describe("one")
    final = described.pop("FinalMetricDataList")
    assert [(one["MetricName"], one["Value"]) for one in final] == [("accuracy", 0.5), ("loss", 1)]
    expected = description("one", status)
    assert described.keys() == expected.keys()
    assert described["FailureReason"] == "no luck"
    for name in ("CreationTime", "TrainingStartTime", "TrainingEndTime"):
        assert abs(described[name] - expected[name]) < datetime.timedelta(milliseconds=1)
    stages = [one["Status"] for one in described["SecondaryStatusTransitions"]]
    assert stages == ["Starting", "Training", "Failed"]
    assert [one.value for one in store.metrics("one", ["loss"])] == [2, 1]
    assert store.list_jobs("InProgress") == []


def test_what_is_uploading_is_waited_for(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_store, "_ANSWER_SECONDS", 0.0)
    status = JobStatus()
    store.add(description("one", status), Path("/jobs/one"))
    status.enter("Uploading")
    store.update(description("one", status))

    def end() -> None:
        status.finish("Completed")
        store.update(description("one", status))

    timer = threading.Timer(1, end)
    timer.start()
    assert store.stop("one") == "Completed"
    timer.join()


def test_before_the_first_job(store: JobStore) -> None:
    """Who only looks makes no file."""
    assert store.list_jobs() == []
    with pytest.raises(NotFoundError, match="there is no job 'one'"):
        store.stop("one")
    assert not store.path.parent.exists()


def test_newest_first(store: JobStore) -> None:
    for name in ("b", "c", "a"):
        store.add(description(name, JobStatus()), Path(name))
    assert [job.name for job in store.list_jobs()] == ["a", "c", "b"]
    assert [job.name for job in store.list_jobs(max_results=1)] == ["a"]
    with pytest.raises(InvalidArgumentError, match="status='Done' is not one of InProgress"):
        store.list_jobs("Done")


def test_names_are_unique(store: JobStore) -> None:
    store.add(description("training-1", JobStatus()), Path("one"))
    with pytest.raises(InvalidArgumentError, match=r"job_name='training-1' is taken: .*jobs\.db"):
        store.add(description("training-1", JobStatus()), Path("one"))
    with pytest.raises(NotFoundError, match=r"'trainin-1' in .*; did you mean training-1\?"):
        store.job("trainin-1")
    store.forget("training-1")
    store.add(description("training-1", JobStatus()), Path("one"))


def test_keeps_secrets_to_itself(store: JobStore) -> None:
    environment = {"Environment": {"API_KEY": "hush-hush"}}
    store.add(description("one", JobStatus(), **environment), Path("one"))
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert store.describe("one")["Environment"].keys() == {"API_KEY"}
    assert b"hush-hush" not in store.path.read_bytes()


def test_processes_record_at_once(store: JobStore) -> None:
    command = [sys.executable, "-m", "tests.training_jobs.store_worker", str(store.path)]
    workers = [
        subprocess.Popen([*command, name, "20"], stdout=subprocess.PIPE, text=True)
        for name in ("a", "b", "c")
    ]
    added = [name for worker in workers for name in worker.communicate()[0].split()]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    assert len(set(added)) == len(added) == 61  # one of them was the first with "shared"
    jobs = {job.name: job.status for job in store.list_jobs()}
    # Its process has ended without a word about its end.
    assert jobs.pop("shared") == "Failed"
    assert jobs == {f"{name}-{n}": "Completed" for name in "abc" for n in range(20)}
    assert all(len(store.metrics(name)) == 1 for name in jobs)


def test_processes_are_killed_while_they_record(store: JobStore) -> None:
    """At any moment, also within a transaction: what is in the file stays whole."""
    for n in range(4):
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.training_jobs.store_worker", store.path, f"w{n}", "500"],
            stdout=subprocess.PIPE,
        )
        assert worker.stdout is not None
        for _ in range(1 + 5 * n):  # not at the same place each time
            assert worker.stdout.readline()
        worker.kill()
        worker.wait()
        worker.stdout.close()
        jobs = store.list_jobs()
        assert {job.status for job in jobs} <= {"Completed", "Failed"}
        for job in jobs:
            if job.status == "Failed":
                reason = store.describe(job.name)["FailureReason"]
                assert reason.startswith("InternalServerError: its process ended (process ")
    with sqlite3.connect(store.path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_files_of_others_are_refused(store: JobStore, tmp_path: Path) -> None:
    store.add(description("one", JobStatus()), Path("one"))
    with sqlite3.connect(store.path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(FailedPreconditionError, match=r"99 .*: a newer sagemaker-tensorflow"):
        store.list_jobs()

    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE cookies (name TEXT)")
    connection.close()
    with pytest.raises(FailedPreconditionError, match="is a database of another program"):
        JobStore(tmp_path / "other.db").add(description("one", JobStatus()), Path("one"))

    (tmp_path / "text.db").write_text("no database at all\n" * 100)
    with pytest.raises(DataLossError, match="not a database; move it away"):
        JobStore(tmp_path / "text.db").list_jobs()

    (tmp_path / "folder.db").mkdir()
    with pytest.raises(PipeModeDatasetException, match=r"folder\.db"):
        JobStore(tmp_path / "folder.db").list_jobs()
