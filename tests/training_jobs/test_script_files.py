from __future__ import annotations

import os
from pathlib import Path

import pytest

from sagemaker_tensorflow.errors import FailedPreconditionError
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.training.script_files import place_script
from sagemaker_tensorflow.training.spec import TrainingSpec


def test_a_source_dir_may_hold_the_directory_of_jobs(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("print('here')")
    (tmp_path / "helpers" / "__pycache__").mkdir(parents=True)
    (tmp_path / "helpers" / "shapes.py").write_text("")
    code = tmp_path / "home" / "jobs" / "job" / "ml" / "code"
    code.mkdir(parents=True)
    spec = TrainingSpec(entry_point="train.py", job_name="job", source_dir=str(tmp_path))
    place_script(spec, code, S3Options())
    assert (code / "train.py").read_text() == "print('here')"
    assert sorted(path.name for path in code.rglob("*.py")) == ["shapes.py", "train.py"]
    assert not list(code.rglob("__pycache__"))
    assert not list(code.rglob("code"))


def test_other_jobs_and_what_is_no_file_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The second time the source is the directory of jobs itself."""
    jobs = tmp_path / "jobs"
    for source in (tmp_path, jobs):
        code = jobs / source.name / "ml" / "code"
        code.mkdir(parents=True)
        (source / "train.py").write_text("")
        (source / "helpers").mkdir()
        (jobs / source.name / "algo-1.log").write_text("")
        os.mkfifo(code.parent / "train_0")
        os.mkfifo(source / "a_pipe")
        (source / "gone").symlink_to("nowhere")
        spec = TrainingSpec(entry_point="train.py", job_name="job", source_dir=str(source))
        caplog.clear()
        place_script(spec, code, S3Options())
        copied = {str(path.relative_to(code)) for path in code.rglob("*")}
        assert copied == {"train.py", "helpers"} | ({"jobs"} if source == tmp_path else set())
        assert f"{source}: left out, as neither a file nor a folder: a_pipe, gone" in caplog.text


def test_a_file_that_cannot_be_copied_is_not_retried(tmp_path: Path) -> None:
    """It is the user's to mend. /proc/self/mem is a file, and not even root can read its start."""
    source, code = tmp_path / "source", tmp_path / "job" / "ml" / "code"
    source.mkdir()
    code.mkdir(parents=True)
    (source / "train.py").symlink_to("/proc/self/mem")
    spec = TrainingSpec(entry_point="train.py", job_name="job", source_dir=str(source))
    with pytest.raises(FailedPreconditionError, match=r"copying .*source: .*Input/output error"):
        place_script(spec, code, S3Options())
