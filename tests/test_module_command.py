from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import sagemaker_tensorflow
from sagemaker_tensorflow.module_command import module_command

# Run by a file that lies elsewhere, so that it finds Python's modules itself.
OWNER = """
import sys
from pathlib import Path
from sagemaker_tensorflow import Prefetcher, TensorFlow

folder, jobs = sys.argv[1:]
with Prefetcher({"train": folder}) as feed:
    print(Path(feed.dirs["pipe_dir"], "train_0").read_text())
estimator = TensorFlow("train.py", jobs_dir=jobs)
estimator.fit(logs="None")
print(estimator.latest_training_job.log_path.read_text().splitlines()[-1])
"""


def test_modules_in_the_current_directory_are_not_imported(tmp_path: Path) -> None:
    here, data = tmp_path / "here", tmp_path / "data"
    for folder in (here, data):
        folder.mkdir()
    for module in ("json", "signal", "sagemaker_tensorflow"):
        (here / f"{module}.py").write_text("raise SystemExit('the user\\'s module was imported')")
    (here / "train.py").write_text("print('trained')")
    (data / "object").write_text("bytes")
    (tmp_path / "owner.py").write_text(OWNER)
    root = Path(sagemaker_tensorflow.__file__).parent.parent
    ran = subprocess.run(
        [sys.executable, tmp_path / "owner.py", data, tmp_path / "jobs"],
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "bytes\ntrained\n"


def test_python_finds_the_same_as_without(tmp_path: Path) -> None:
    """Of a module with arguments, in an environment with PYTHONPATH, and safe paths or not."""
    (tmp_path / "users.py").write_text("import sys; print(__name__, sys.argv[1:])")
    command = module_command("users", "a", "b c")
    for safe in ({}, {"PYTHONSAFEPATH": "1"}):
        env = {**os.environ, "PYTHONPATH": str(tmp_path), **safe}
        ran = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        assert ran.stdout == "__main__ ['a', 'b c']\n"
