"""Whole jobs: each of these scripts ends as SageMaker would end it."""

from __future__ import annotations

import io
import os
import shutil
import signal
import tarfile
from pathlib import Path

import pytest

from sagemaker_tensorflow.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
)
from sagemaker_tensorflow.training.job import TrainingJob
from sagemaker_tensorflow.training.spec import TrainingSpec
from sagemaker_tensorflow.training_input import TrainingInput
from tests.conftest import FOLDER_BYTES
from tests.pipes import has_ended, wait_until
from tests.training_jobs.conftest import Jobs, printed, wait_for_line


def members(uri: str | None) -> dict[str, bytes]:
    """What is in an archive of the local file system."""
    assert uri is not None
    with tarfile.open(uri) as tar:
        files = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
        return {name: file.read() for name, file in files.items() if file is not None}


STANDARD_CONTRACT = """
    import argparse, json, os, pathlib, sys
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
    args = parser.parse_args()
    base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
    config = json.loads((base / "input/config/inputdataconfig.json").read_text())
    assert config["train"]["TrainingInputMode"] == "File", config
    assert json.loads((base / "input/config/resourceconfig.json").read_text())["hosts"]
    files = sorted(path for path in pathlib.Path(args.train).rglob("*") if path.is_file())
    model = pathlib.Path(os.environ["SM_MODEL_DIR"], "1")
    model.mkdir()
    (model / "weights").write_bytes(b"".join(path.read_bytes() for path in files))
    pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "epochs").write_text(str(args.epochs))
    print("trained", os.environ["TRAINING_JOB_NAME"], os.environ["COLOUR"])
"""


def test_a_script_of_the_standard_contract(jobs: Jobs, folder: Path) -> None:
    job = jobs.make(
        STANDARD_CONTRACT,
        channels={"train": TrainingInput(str(folder), input_mode="File")},
        hyperparameters={"epochs": "3"},
        environment={"COLOUR": "blue"},
    )
    shown = io.StringIO()
    job.start()
    result = job.wait(logs=True, stream=shown)
    assert (result.status, result.exit_status) == ("Completed", 0), result
    assert result.model_uri == str(jobs.output / "job/output/model.tar.gz")
    assert members(result.model_uri) == {"1/weights": FOLDER_BYTES}
    assert members(result.output_uri) == {"epochs": b"3"}
    assert shown.getvalue() == result.log_path.read_text()
    assert printed(result.log_path) == "trained job blue\n"
    stages = [stage["Status"] for stage in job.describe()["SecondaryStatusTransitions"]]
    assert stages == ["Starting", "Downloading", "Training", "Uploading", "Completed"]


def test_a_failure_file_is_the_reason(jobs: Jobs) -> None:
    result = jobs.make("""
        import os, sys
        output = os.environ["SM_OUTPUT_DIR"]
        open(os.path.join(output, "failure"), "w").write("no luck" + "!" * 2000)
        open(os.path.join(os.environ["SM_MODEL_DIR"], "half"), "w").write("a model")
        open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], "notes"), "w").write("why")
        sys.exit(3)
    """).run()
    assert (result.status, result.exit_status) == ("Failed", 3)
    assert result.failure_reason.startswith("AlgorithmError: no luck!")
    assert result.failure_reason.endswith("!, exit code: 3")
    assert len(result.failure_reason) == 1024
    assert result.model_uri is None
    assert members(result.output_uri) == {"notes": b"why"}


def test_without_a_failure_file_the_log_is_the_reason(jobs: Jobs) -> None:
    result = jobs.make("print('x' * 5000); raise ValueError('bad batch')").run()
    assert result.failure_reason.startswith("AlgorithmError: train.py: exit code: 1; its last")
    assert result.failure_reason.endswith("ValueError: bad batch")


def test_exit_0_without_a_model_is_completed(jobs: Jobs) -> None:
    job = jobs.make("pass")
    result = job.run()
    assert (result.status, result.model_uri, result.output_uri) == ("Completed", None, None)
    assert not jobs.output.exists()
    with pytest.raises(FailedPreconditionError, match="started once"):
        job.start()
    with pytest.raises(InvalidArgumentError, match="job_name='job' is taken"):
        jobs.make("pass").start()


def test_a_script_that_is_stopped_may_save_its_model(jobs: Jobs) -> None:
    job = jobs.make("""
        import os, signal, sys, time
        def save(*_):
            open(os.path.join(os.environ["SM_MODEL_DIR"], "saved"), "w").write("in time")
            sys.exit(0)
        signal.signal(signal.SIGTERM, save)
        print("hanging")
        time.sleep(3600)
    """)
    job.start()
    wait_for_line(job, "hanging")
    assert job.describe()["TrainingJobStatus"] == "InProgress"
    job.stop()
    result = job.wait()
    assert (result.status, result.secondary_status) == ("Stopped", "Stopped")
    assert members(result.model_uri) == {"saved": b"in time"}


# Each of its processes prints its id, in one write. One leaves session, group and parent behind.
FORKING = """
    import os, signal, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            print(f"process {{os.getpid()}}\\n", end="")
            time.sleep(3600)
        os._exit(0)
    if os.fork() == 0:
        print(f"process {{os.getpid()}}\\n", end="")
        time.sleep(3600)
    os.wait()
    print(f"process {{os.getpid()}}\\n", end="")
    time.sleep({seconds})
"""


def processes(log: str) -> list[int]:
    return [int(line.split()[1]) for line in log.splitlines() if line.startswith("process ")]


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_children_end_with_the_script(jobs: Jobs) -> None:
    result = jobs.make(FORKING.format(seconds=1)).run()
    assert result.status == "Completed"
    pids = processes(result.log_path.read_text())
    assert len(pids) == 3
    assert all(has_ended(pid) for pid in pids)


def test_a_script_that_ignores_sigterm_is_killed_with_its_children(jobs: Jobs) -> None:
    job = jobs.make(FORKING.format(seconds=3600), stop_seconds=0.2)
    job.start()
    wait_until(lambda: len(processes(job.log_path.read_text())) == 3, "three processes")
    job.stop()
    result = job.wait()
    assert (result.status, result.exit_status) == ("Stopped", -9)
    assert all(has_ended(pid) for pid in processes(result.log_path.read_text()))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_runs_on_without_the_warden(jobs: Jobs, number: signal.Signals) -> None:
    """Two of the processes are its children: the script, and the one that is in another session."""
    job = jobs.make(FORKING.format(seconds=3600))
    job.start()
    wait_until(lambda: len(processes(job.log_path.read_text())) == 3, "three processes")
    pids = processes(job.log_path.read_text())
    (warden,) = {parent(pid) for pid in pids} - set(pids)
    os.kill(warden, number)
    result = job.wait()
    assert result.status == "Failed"
    assert result.failure_reason.startswith("InternalServerError: the process that runs")
    wait_until(lambda: all(has_ended(pid) for pid in pids), "all end")


def test_max_run(jobs: Jobs) -> None:
    result = jobs.make("import time; time.sleep(3600)", max_run=1).run()
    assert (result.status, result.secondary_status) == ("Stopped", "MaxRuntimeExceeded")
    assert result.exit_status == -15


def test_a_channel_that_is_never_read(jobs: Jobs, folder: Path) -> None:
    """The prefetcher waits for a reader of its FIFO; the job does not wait for the prefetcher."""
    result = jobs.make(
        """
        import os, stat
        pipe = os.environ["SM_CHANNEL_TRAIN"] + "_0"
        assert stat.S_ISFIFO(os.stat(pipe).st_mode)
        """,
        channels={"train": TrainingInput(str(folder))},
        input_mode="Pipe",
    ).run()
    assert result.status == "Completed", result


def test_data_that_is_not_there(jobs: Jobs) -> None:
    """A path that is not there is refused before there is a job; a folder may be empty."""
    (jobs.root / "nothing").mkdir()
    channels = {"train": TrainingInput(str(jobs.root / "nothing"))}
    result = jobs.make("print('started')", channels=channels, input_mode="Pipe").run()
    assert (result.status, result.exit_status) == ("Failed", None)
    assert result.failure_reason.startswith("ClientError: ")
    assert "nothing holds no file" in result.failure_reason
    assert printed(result.log_path) == ""


def test_a_script_that_is_not_there(jobs: Jobs) -> None:
    """A folder is looked into before there is a job, an archive when it is unpacked."""
    spec = TrainingSpec("train.py", "job", source_dir=str(jobs.temporary))
    with pytest.raises(NotFoundError, match=r"entry_point=.train\.py. is no file in"):
        TrainingJob(spec, jobs_dir=jobs.jobs_dir).start()
    archive = jobs.root / "source.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(__file__, "other.py")
    spec = TrainingSpec("train.py", "job", source_dir=str(archive))
    result = TrainingJob(spec, jobs_dir=jobs.jobs_dir).run()
    assert result.status == "Failed"
    assert "ClientError: entry_point='train.py' is no file in source_dir=" in result.failure_reason


def test_two_jobs_at_once(jobs: Jobs, folder: Path) -> None:
    """Each waits in its script until the other has begun."""
    script = """
        import os, pathlib, time
        jobs = pathlib.Path(os.environ["JOBS_DIR"])
        print("begun", flush=True)
        while not all("begun" in log.read_text() for log in jobs.glob("*/algo-1.log")):
            time.sleep(0.01)
        pathlib.Path(os.environ["SM_MODEL_DIR"], os.environ["TRAINING_JOB_NAME"]).touch()
    """
    channels = {"train": TrainingInput(str(folder))}
    seen = {"JOBS_DIR": str(jobs.jobs_dir)}
    both = [
        jobs.make(script, name, channels=channels, input_mode="Pipe", environment=seen)
        for name in ("a", "b")
    ]
    for job in both:
        job.start()
    results = [job.wait() for job in both]
    assert [members(result.model_uri) for result in results] == [{"a": b""}, {"b": b""}]


def test_output_that_cannot_be_written(jobs: Jobs) -> None:
    jobs.output.write_text("a file in the folder's place")
    result = jobs.make("""
        import os
        open(os.path.join(os.environ["SM_MODEL_DIR"], "m"), "w").write("m")
    """).run()
    assert result.status == "Failed"
    assert str(jobs.output) in result.failure_reason
    assert result.exit_status is None  # it did not run in vain


def test_a_model_that_cannot_be_stored_is_kept(jobs: Jobs) -> None:
    result = jobs.make(
        """
        import os
        open(os.path.join(os.environ["SM_MODEL_DIR"], "m"), "w").write("m")
        open(os.environ["IN_THE_WAY"], "w").write("a file in the folder's place")
        """,
        environment={"IN_THE_WAY": str(jobs.output)},
    ).run()
    assert (result.status, result.exit_status, result.model_uri) == ("Failed", 0, None)
    kept = jobs.jobs_dir / "job" / "algo-1.model"
    assert f"what algo-1 left is in {kept}" in result.failure_reason
    assert (kept / "m").read_text() == "m"
    shutil.rmtree(kept)


def test_a_script_that_tidies_up(jobs: Jobs) -> None:
    script = """
        import os, shutil
        open(os.path.join(os.environ["SM_MODEL_DIR"], "m"), "w").write("m")
        shutil.rmtree(os.environ[os.environ["GONE"]])
    """
    result = jobs.make(script, "output", environment={"GONE": "SM_OUTPUT_DIR"}).run()
    assert result.status == "Completed", result
    assert members(result.model_uri) == {"m": b"m"}
    result = jobs.make(script, "model", environment={"GONE": "SM_MODEL_DIR"}).run()
    assert (result.status, result.model_uri) == ("Completed", None), result


def test_a_shell_script_in_a_source_dir(jobs: Jobs) -> None:
    source = jobs.root / "source"
    (source / "bin").mkdir(parents=True)
    (source / "bin" / "go.sh").write_text('echo "$@"\ncat helper.txt\n')
    (jobs.root / "helper.txt").write_text("a dependency\n")
    spec = TrainingSpec(
        entry_point="bin/go.sh",
        job_name="job",
        source_dir=str(source),
        dependencies=(str(jobs.root / "helper.txt"),),
        hyperparameters={"name": '"a; b"'},
    )
    result = TrainingJob(spec, jobs_dir=jobs.jobs_dir).run()
    assert result.status == "Completed", result
    assert printed(result.log_path) == "--name a; b\na dependency\n"
