"""Jobs as other processes than their owner see them: this one, and who follows a log."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from sagemaker_tensorflow.cli import main
from sagemaker_tensorflow.training.history.job_store import JobStore
from sagemaker_tensorflow.training.status import JobStatus
from tests.pipes import wait_until
from tests.training_jobs.conftest import Jobs
from tests.training_jobs.recorded import description

SCRIPT = """
    import time
    for epoch in range(3):
        print(f"epoch {epoch} loss: {1 / (epoch + 1):.2f}")
    print("waiting", flush=True)
    time.sleep(3600)
"""
METRIC = ("--metric", r"loss=loss: (\S+)")


def smtf(jobs: Jobs, *argv: str) -> list[str]:
    command, *rest = argv
    where = ["--jobs-dir", str(jobs.jobs_dir)]
    return [sys.executable, "-m", "sagemaker_tensorflow.cli", command, *rest, *where]


class Shell:
    """Runs ``smtf jobs`` in this process."""

    def __init__(self, jobs: Jobs, capsys: pytest.CaptureFixture[str]) -> None:
        self._where = ["--jobs-dir", str(jobs.jobs_dir)]
        self._capsys = capsys

    def out(self, *argv: str) -> str:
        """What it prints."""
        assert main(["jobs", *argv, *self._where]) == 0
        return self._capsys.readouterr().out

    def err(self, *argv: str, code: int = 0) -> str:
        """What it says beside that."""
        assert main(["jobs", *argv, *self._where]) == code
        return self._capsys.readouterr().err


@pytest.fixture
def shell(jobs: Jobs, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(jobs, capsys)


@contextlib.contextmanager
def owner(jobs: Jobs, *argv: str, script: str = SCRIPT) -> Iterator[subprocess.Popen[str]]:
    """``smtf train`` in the middle of job "one"."""
    command = ["train", "--entry-point", jobs.script(script), "--job-name", "one", "--quiet", *argv]
    process = subprocess.Popen(smtf(jobs, *command), stderr=subprocess.PIPE, text=True)
    log = jobs.jobs_dir / "one" / "algo-1.log"
    try:
        wait_until(lambda: log.exists() and "waiting" in log.read_text(), "the script waits")
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_job_is_watched_and_stopped_by_others(jobs: Jobs, shell: Shell) -> None:
    with owner(jobs, *METRIC, "--env", "TOKEN=hush-hush") as process:
        follower = subprocess.Popen(
            smtf(jobs, "jobs", "logs", "one", "--follow"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert follower.stdout is not None
        assert follower.stdout.readline() == "epoch 0 loss: 1.00\n"

        header, row = shell.out("list").splitlines()
        assert header.split() == ["NAME", "STATUS", "CREATED", "DURATION"]
        assert row.startswith("one   InProgress (Training)  20")
        assert shell.out("logs", "one", "--tail", "1") == "waiting\n"
        assert "there is no Failed job in" in shell.err("list", "--status", "Failed")
        assert "only a job that has ended can be deleted" in shell.err("delete", "one", code=1)

        assert shell.err("stop", "one") == "smtf: one: Stopped\n"
        assert follower.stdout.read().splitlines()[-1] == "waiting"
        assert follower.communicate()[1] == "smtf: one: Stopped\n"
        assert follower.returncode == 0
        assert process.wait() == 130

    described = json.loads(shell.out("describe", "one"))
    assert described["TrainingJobStatus"] == "Stopped"
    stages = [stage["Status"] for stage in described["SecondaryStatusTransitions"]]
    assert stages == ["Starting", "Training", "Stopping", "Uploading", "Stopped"]
    (final,) = described["FinalMetricDataList"]
    assert (final["MetricName"], final["Value"]) == ("loss", 0.33)
    assert datetime.fromisoformat(final["Timestamp"]) <= datetime.fromisoformat(
        described["TrainingEndTime"]
    )
    assert "hush-hush" not in json.dumps(described)
    again = shell.err("stop", "one", code=1)
    assert "job one is Stopped: only a job that is InProgress can be stopped" in again

    assert "one is deleted" in shell.err("delete", "one")
    assert list(jobs.jobs_dir.iterdir()) == [jobs.jobs_dir / "jobs.db"]
    assert "there is no job in" in shell.err("list")
    store = JobStore.of_jobs_dir(jobs.jobs_dir)
    store.add(description("one", JobStatus()), jobs.jobs_dir / "one")  # its name is free
    assert not store.metrics("one")
    store.forget("one")


def test_a_job_whose_owner_is_killed_is_failed(jobs: Jobs, shell: Shell) -> None:
    with owner(jobs) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        listed = json.loads(shell.out("list", "--json"))
        (job,) = listed["TrainingJobSummaries"]
        assert (job["TrainingJobName"], job["TrainingJobStatus"]) == ("one", "Failed")
        followed = shell.err("logs", "one", "--follow")
        assert f"its process ended (process {process.pid} on host" in followed
        assert "job one is Failed" in shell.err("stop", "one", code=1)
    wait_until(lambda: not jobs.ml("one").exists(), "the job's directory goes")


def test_a_follower_is_interrupted_and_the_job_goes_on(jobs: Jobs, shell: Shell) -> None:
    with owner(jobs) as process:
        follower = subprocess.Popen(
            smtf(jobs, "jobs", "logs", "one", "--follow"), stdout=subprocess.PIPE, text=True
        )
        assert follower.stdout is not None
        follower.stdout.readline()
        follower.send_signal(signal.SIGINT)
        follower.communicate()
        assert follower.returncode == 130
        assert process.poll() is None
        assert "told to stop" in shell.err("stop", "one", "--no-wait")
        assert process.wait() == 130


def test_logs_of_several_hosts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a job that has ended; its second host's last line has no end."""
    status = JobStatus()
    status.finish("Completed")
    two = {"ResourceConfig": {"InstanceType": "local", "InstanceCount": 2}}
    JobStore.of_jobs_dir(tmp_path).add(description("one", status, **two), tmp_path / "one")
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "algo-1.log").write_text("a\nb\n")
    (tmp_path / "one" / "algo-2.log").write_text("c\nd")

    def logs(*argv: str) -> int:
        return main(["jobs", "logs", "one", "--jobs-dir", str(tmp_path), *argv])

    assert logs("--tail", "1") == 0
    assert capsys.readouterr().out == "[algo-1] b\n[algo-2] d\n"
    assert logs("--host", "algo-2") == 0
    assert capsys.readouterr().out == "c\nd"
    assert logs("--host", "algo-3") == 1
    assert "has no host 'algo-3'; it has algo-1, algo-2" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough(jobs: Jobs) -> None:
    """``smtf jobs logs one | head -1``, of more than fits into a pipe."""
    status = JobStatus()
    status.finish("Completed")
    JobStore.of_jobs_dir(jobs.jobs_dir).add(description("one", status), jobs.jobs_dir / "one")
    log = jobs.jobs_dir / "one" / "algo-1.log"
    log.parent.mkdir()
    log.write_text("line\n" * 1_000_000)
    command = smtf(jobs, "jobs", "logs", "one")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reader:
        assert reader.stdout is not None and reader.stderr is not None
        assert reader.stdout.readline() == b"line\n"
        reader.stdout.close()
        assert reader.stderr.read() == b""
    assert reader.returncode == 0


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (["describe", "x"], 1, "there is no job 'x' in"),
        (["logs", "x", "--tail", "-1"], 2, "'-1' is not a whole number of 0 or more"),
        (["list", "--status", "Done"], 2, "invalid choice"),
        (["delete", "x"], 1, "there is no job 'x' in"),
        (["list"], 0, "there is no job in"),
    ],
)
def test_without_a_job(
    tmp_path: Path, argv: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status: object = main(["jobs", *argv, "--jobs-dir", str(tmp_path)])
    except SystemExit as error:
        status = error.code
    assert status == code
    assert says in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
