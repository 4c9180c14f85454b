from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sagemaker_tensorflow.cli import main
from tests.training_jobs.conftest import Jobs

SCRIPT = """
    import os, sys
    print(sys.argv[1:], os.environ["COLOUR"], os.path.basename(os.environ["SM_CHANNEL_TRAIN"]))
    sys.exit(int(sys.argv[sys.argv.index("--status") + 1]))
"""


@pytest.mark.parametrize(("status", "code"), [(0, 0), (5, 1)])
def test_runs_a_script(jobs: Jobs, folder: Path, status: int, code: int) -> None:
    argv = ["--entry-point", jobs.script(SCRIPT), "--hp", f"status={status}", "--hp", "aa=b c"]
    argv += ["--env", "COLOUR=blue", "--input-mode", "Pipe", "--channel", f"train={folder}"]
    argv += ["--job-name", "job", "--jobs-dir", str(jobs.jobs_dir)]
    ran = subprocess.run(
        [sys.executable, "-m", "sagemaker_tensorflow.cli", "train", *argv],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == code, ran.stderr
    assert ran.stdout == f"['--aa', 'b c', '--status', '{status}'] blue train\n"
    outcome = "Failed: AlgorithmError: train.py: exit code: 5" if status else "Completed"
    assert f"job: {outcome}" in ran.stderr
    assert str(jobs.jobs_dir / "job" / "algo-1.log") in ran.stderr


def test_a_reader_that_is_gone_costs_the_job_nothing(jobs: Jobs) -> None:
    argv = ["--entry-point", jobs.script("print('unheard')"), "--job-name", "job"]
    argv += ["--jobs-dir", str(jobs.jobs_dir)]
    read_fd, write_fd = os.pipe()
    os.close(read_fd)
    ran = subprocess.run(
        [sys.executable, "-m", "sagemaker_tensorflow.cli", "train", *argv],
        stdout=write_fd,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(write_fd)
    assert ran.returncode == 0, ran.stderr
    assert "job: Completed" in ran.stderr
    assert ran.stderr.count("is in its log and not shown any more") == 1
    assert "BrokenPipeError" not in ran.stderr


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--entry-point", "t.py", "--hp", "epochs"], "--hp 'epochs': give NAME=VALUE"),
        (["--entry-point", "t.py", "--metric", "loss=\\d+"], "has no group (...) around the value"),
        (["--entry-point", "t.py", "--num-gpus", "1"], "num_gpus=1.0: only for engine='ray'"),
        (
            ["--job", "j.json", "--hp", "a=1", "--instance-count", "2"],
            "--job j.json and --hp, --instance-count: a request has members for these",
        ),
        (["--job", "nowhere.json"], "nowhere.json"),
    ],
)
def test_wrong_usage(argv: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *argv]) == 1
    assert says in capsys.readouterr().err


def test_without_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train"])
    assert ended.value.code == 2
    assert "give --entry-point, or --job" in capsys.readouterr().err


def test_a_slip_of_the_pen_leaves_the_jobs_name_free(
    jobs: Jobs, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["train", "--job-name", "a", "--jobs-dir", str(jobs.jobs_dir)]
    script = jobs.script("print('done')")
    for wrong, says in (
        (["--entry-point", "nope.py"], "entry_point='nope.py': there is nothing at"),
        (["--entry-point", script, "--dependency", "lib"], "dependencies='lib': there is nothing"),
        (["--entry-point", script, "--channel", "x=/nope"], "channel x: there is nothing at /nope"),
        (
            ["--entry-point", script, "--channel", "x=/", "--record-wrapping", "RecordIO"],
            "channel x: record_wrapping='RecordIO' is for input_mode='Pipe'",
        ),
    ):
        assert main([*argv, *wrong]) == 1
        assert says in capsys.readouterr().err
    assert not jobs.jobs_dir.exists()
    assert main([*argv, "--entry-point", script]) == 0
