from __future__ import annotations

import os
from pathlib import Path

import pytest

from sagemaker_tensorflow.training.environment import job_variables, script_variables
from sagemaker_tensorflow.training.gpus import shares_of_gpus, visible_gpus
from sagemaker_tensorflow.training.job_directory import MlDirectory
from sagemaker_tensorflow.training.resources import Resources
from sagemaker_tensorflow.training.spec import TrainingSpec


@pytest.fixture
def three_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that says what NVIDIA's does."""
    program = tmp_path / "nvidia-smi"
    program.write_text('#!/bin/sh\nfor n in 0 1 2; do echo "GPU $n: a device"; done\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.mark.parametrize(
    ("visible", "gpus"),
    [(None, "012"), ("", ""), ("2", "2"), ("1,0", "10"), ("0,-1,1", "0"), ("0,1,2,3", "012")],
)
def test_those_that_cuda_shows(
    three_gpus: None, monkeypatch: pytest.MonkeyPatch, visible: str | None, gpus: str
) -> None:
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert visible_gpus() == tuple(gpus)


def test_hosts_share_them() -> None:
    assert shares_of_gpus("012", 2) == [("0", "2"), ("1",)]
    assert shares_of_gpus("0", 2) == [None, None]
    assert shares_of_gpus("012", 1) == [None]


def test_a_host_is_told_of_its_own(three_gpus: None, tmp_path: Path) -> None:
    ml = MlDirectory(tmp_path / "ml")
    ml.make()
    ml.write_config(TrainingSpec("train.py", "job"), {}, Resources())
    for resources, count in ((Resources(), "3"), (Resources(gpus=("1",)), "1")):
        found = script_variables("job", ml, resources, "train.py", {})
        assert found["SM_NUM_GPUS"] == count
    assert job_variables("job", ml, resources)["CUDA_VISIBLE_DEVICES"] == "1"
