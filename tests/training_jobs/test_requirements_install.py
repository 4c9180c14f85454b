"""Jobs whose scripts bring a requirements.txt, installed from a wheel beside them: no network."""

from __future__ import annotations

import importlib.util
import socket
import sys
import zipfile
from pathlib import Path

import pytest

from sagemaker_tensorflow.training.job import TrainingJob
from sagemaker_tensorflow.training.spec import TrainingSpec
from tests.training_jobs.conftest import Jobs

# Prints where it runs and what it finds; numpy is the user's.
SCRIPT = """
import os, shutil, sys
import numpy, tiny
print(os.environ["VIRTUAL_ENV"] in tiny.__file__, tiny.COLOUR, numpy.__version__)
print(sys.prefix == os.environ["VIRTUAL_ENV"], shutil.which("tiny-tool") is not None)
"""


def make_wheel(folder: Path) -> None:
    """A package of one module, with a command."""
    folder.mkdir(parents=True)
    info = "tiny-1.0.dist-info"
    members = {
        "tiny.py": "COLOUR = 'green'\ndef main():\n    pass\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\ntiny-tool = tiny:main\n",
    }
    members[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in (*members, f"{info}/RECORD"))
    with zipfile.ZipFile(folder / "tiny-1.0-py3-none-any.whl", "w") as wheel:
        for name, content in members.items():
            wheel.writestr(name, content)


def make(jobs: Jobs, requirements: str) -> TrainingJob:
    source = jobs.root / "source"
    make_wheel(source / "wheels")
    (source / "train.py").write_text(SCRIPT)
    (source / "requirements.txt").write_text(f"{requirements}\n")
    spec = TrainingSpec("train.py", "job", source_dir=str(source))
    return TrainingJob(spec, jobs_dir=jobs.jobs_dir)


def test_they_are_the_jobs_own(jobs: Jobs) -> None:
    """What the user has already is not installed: no wheel of numpy is there."""
    import numpy

    result = make(jobs, "--no-index\n--find-links wheels\ntiny\nnumpy").run()
    assert result.status == "Completed", result
    said = result.log_path.read_text()
    assert f"True green {numpy.__version__}\nTrue True\n" in said
    assert "Successfully installed tiny-1.0" in said
    assert importlib.util.find_spec("tiny") is None
    assert not list(Path(sys.prefix).glob("bin/tiny-tool"))


def test_an_index_that_cannot_be_reached(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own, on a port where nobody listens."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    result = make(jobs, "not-to-be-had").run()
    assert (result.status, result.exit_status) == ("Failed", None)
    assert result.failure_reason.startswith(
        "AlgorithmError: pip install -r requirements.txt: exit code: 1; its last words: "
    )
    assert "No matching distribution found for not-to-be-had" in result.failure_reason
    assert result.failure_reason.endswith(
        "; the package index cannot be reached: look at the network, the proxy and PIP_INDEX_URL"
    )


def test_a_job_is_stopped_while_it_installs(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The index takes the request, and never answers it."""
    with socket.create_server(("127.0.0.1", 0)) as index:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{index.getsockname()[1]}/simple")
        job = make(jobs, "anything")
        job.start()
        connection, _ = index.accept()
        with connection:
            job.stop()
            result = job.wait()
    assert (result.status, result.exit_status) == ("Stopped", None)
