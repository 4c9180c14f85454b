"""However the process of a job ends, nothing of the job is left running or lying about."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagemaker_tensorflow.training.history.job_store import JobStore
from tests.pipes import has_ended, wait_until
from tests.training_jobs.conftest import Jobs

SCRIPT = """
    import os, sys, time
    if os.fork() == 0:
        os.setsid()
    print(f"process {os.getpid()}\\n", end="")
    time.sleep(3600)
"""


@contextlib.contextmanager
def running(jobs: Jobs, folder: Path, script: str = SCRIPT) -> Iterator[subprocess.Popen[str]]:
    """``smtf train`` in the middle of a job, with a pipe that waits for its reader."""
    command = ["train", "--entry-point", jobs.script(script), "--input-mode", "Pipe"]
    command += ["--channel", f"train={folder}", "--job-name", "job"]
    command += ["--jobs-dir", str(jobs.jobs_dir), "--output-path", str(jobs.output)]
    smtf = subprocess.Popen(
        [sys.executable, "-m", "sagemaker_tensorflow.cli", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    log = jobs.jobs_dir / "job" / "algo-1.log"
    try:
        wait_until(lambda: log.exists() and log.read_text().count("process") == 2, "it runs")
        assert (jobs.ml() / "input" / "data" / "train_0").is_fifo()
        yield smtf
    finally:
        smtf.kill()
        smtf.wait()
        assert smtf.stderr is not None
        smtf.stderr.close()


def descendants(jobs: Jobs) -> list[int]:
    log = jobs.jobs_dir / "job" / "algo-1.log"
    return [int(line.split()[1]) for line in log.read_text().splitlines()]


def mentions(directory: Path) -> list[int]:
    """Processes whose command or open files lie in a directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            names = [(process / "cmdline").read_text(), str((process / "cwd").readlink())]
            names += [str(fd.readlink()) for fd in (process / "fd").iterdir()]
        except OSError:
            continue
        if any(str(directory) in name for name in names):
            found.append(int(process.name))
    return found


def test_the_owner_is_killed(jobs: Jobs, folder: Path) -> None:
    with running(jobs, folder):
        assert mentions(jobs.jobs_dir)
    wait_until(lambda: all(has_ended(pid) for pid in descendants(jobs)), "the script ends")
    wait_until(lambda: not jobs.ml().exists(), "the job's directory goes")
    wait_until(lambda: not mentions(jobs.jobs_dir), "all of the job's processes end")
    wait_until(lambda: not list(jobs.temporary.iterdir()), "temporary files go")


def test_the_owner_is_killed_while_it_uploads(jobs: Jobs) -> None:
    """Packing so many random bytes takes seconds."""
    script = jobs.script("""
        import os
        with open(os.environ["SM_MODEL_DIR"] + "/weights", "wb") as file:
            file.write(os.urandom(64 << 20))
    """)
    command = ["train", "--entry-point", script, "--job-name", "job", "--quiet"]
    command += ["--jobs-dir", str(jobs.jobs_dir), "--output-path", str(jobs.output)]
    smtf = subprocess.Popen([sys.executable, "-m", "sagemaker_tensorflow.cli", *command])
    try:
        wait_until(lambda: any(jobs.output.rglob(".smtf-*")), "the upload begins")
    finally:
        smtf.kill()
        smtf.wait()
    output = jobs.output / "job" / "output"
    wait_until(lambda: not list(output.iterdir()), "the half of an archive goes")
    wait_until(lambda: not mentions(jobs.root), "all of the job's processes end")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_job_is_stopped(jobs: Jobs, folder: Path, number: signal.Signals) -> None:
    with running(jobs, folder) as smtf:
        smtf.send_signal(number)
        _, log = smtf.communicate()
        assert smtf.returncode == 130, log
        assert "stopping job job" in log
        assert "job: Stopped" in log
        assert all(has_ended(pid) for pid in descendants(jobs))
        assert not mentions(jobs.jobs_dir)


def test_a_second_interrupt_kills(jobs: Jobs, folder: Path) -> None:
    """At once: the script would have 120 s, which is as long as a test may take."""
    stubborn = "    import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + SCRIPT
    with running(jobs, folder, stubborn) as smtf:
        smtf.send_signal(signal.SIGINT)
        assert smtf.stderr is not None
        while "stopping job" not in (line := smtf.stderr.readline()):
            assert line, "the job ends by itself"
        smtf.send_signal(signal.SIGINT)
        _, log = smtf.communicate()
        assert smtf.returncode == 130, log
        assert all(has_ended(pid) for pid in descendants(jobs))


def interrupt_twice(smtf: subprocess.Popen[str]) -> str:
    """Returns what it logged after the first."""
    smtf.send_signal(signal.SIGINT)
    assert smtf.stderr is not None
    while "interrupt again" not in (line := smtf.stderr.readline()):
        assert line, "the job ends by itself"
    smtf.send_signal(signal.SIGINT)
    return smtf.communicate()[1]


def test_two_interrupts_while_s3_does_not_answer(
    jobs: Jobs, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        smtf = subprocess.Popen(
            [
                *[sys.executable, "-m", "sagemaker_tensorflow.cli", "train"],
                *["--entry-point", jobs.script("pass"), "--job-name", "job"],
                *["--jobs-dir", jobs.jobs_dir, "--channel", "train=s3://bucket/train/"],
                *["--endpoint-url", f"http://127.0.0.1:{silent.getsockname()[1]}"],
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = silent.accept()
        with connection:
            log = interrupt_twice(smtf)
    assert smtf.returncode == 130, log
    assert [job.status for job in JobStore.of_jobs_dir(jobs.jobs_dir).list_jobs()] == ["Stopped"]
    wait_until(lambda: not mentions(jobs.root), "all of the job's processes end")


def test_two_interrupts_while_it_uploads(jobs: Jobs) -> None:
    """Packing so many random bytes takes seconds."""
    script = jobs.script("""
        import os
        block = os.urandom(16 << 20)
        with open(os.environ["SM_MODEL_DIR"] + "/weights", "wb") as file:
            for _ in range(24):
                file.write(block)
    """)
    command = ["train", "--entry-point", script, "--job-name", "job"]
    command += ["--jobs-dir", str(jobs.jobs_dir), "--output-path", str(jobs.output)]
    smtf = subprocess.Popen(
        [sys.executable, "-m", "sagemaker_tensorflow.cli", *command],
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: any(jobs.output.rglob(".smtf-*")), "the upload begins")
    log = interrupt_twice(smtf)
    assert smtf.returncode == 130, log
    kept = jobs.jobs_dir / "job" / "algo-1.model"
    assert f"what algo-1 left is in {kept}" in log
    assert (kept / "weights").stat().st_size == 24 << 24
    shutil.rmtree(kept)
    assert not list((jobs.output / "job" / "output").iterdir())


def test_what_a_loss_of_power_leaves_is_removed_later(jobs: Jobs, folder: Path) -> None:
    twice = """
        import os, time
        print(f"process {os.getppid()}\\n" * 2, end="")
        time.sleep(3600)
    """
    with running(jobs, folder, twice) as smtf:
        warden = descendants(jobs)[0]
        smtf.send_signal(signal.SIGSTOP)
        os.kill(warden, signal.SIGKILL)
        smtf.kill()
        smtf.wait()
    assert jobs.ml().exists()
    (job,) = JobStore.of_jobs_dir(jobs.jobs_dir).list_jobs()
    assert job.status == "Failed"
    assert not jobs.ml().exists()
    wait_until(lambda: not mentions(jobs.root), "all of the job's processes end")


def test_a_job_that_is_not_waited_for_ends_with_its_owner(jobs: Jobs) -> None:
    code = (
        "import sys; from pathlib import Path; from sagemaker_tensorflow import TensorFlow; "
        "estimator = TensorFlow(sys.argv[1], jobs_dir=sys.argv[2]); "
        "estimator.fit(wait=False, job_name='job'); "
        "log = estimator.latest_training_job.log_path\n"
        "while log.read_text().count('process') < 2: pass"
    )
    script = jobs.script(SCRIPT)
    subprocess.run([sys.executable, "-c", code, script, jobs.jobs_dir], check=True)
    wait_until(lambda: all(has_ended(pid) for pid in descendants(jobs)), "the script ends")
    wait_until(lambda: not jobs.ml().exists(), "the job's directory goes")
    wait_until(lambda: not mentions(jobs.jobs_dir), "all of the job's processes end")
