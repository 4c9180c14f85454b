from __future__ import annotations

from pathlib import Path

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
