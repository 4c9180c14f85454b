"""What is known of Ray without a cluster; tests/transform/test_ray_work.py has one."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

import pytest

import sagemaker_tensorflow
from sagemaker_tensorflow.errors import FailedPreconditionError, InvalidArgumentError
from sagemaker_tensorflow.ray_cluster import (
    RayOptions,
    connected_cluster,
    ray_options,
    worker_environment,
)

PARENT = str(Path(sagemaker_tensorflow.__file__).resolve().parent.parent)


def test_engines() -> None:
    assert ray_options("local", instance_count=1) is None
    assert ray_options("ray", "host:6379", 2, instance_count=3) == RayOptions("host:6379", 2, 0)
    with pytest.raises(InvalidArgumentError, match="engine='dask' is not one of local, ray"):
        ray_options("dask")
    with pytest.raises(InvalidArgumentError, match="num_gpus=1, instance_count=2: only for"):
        ray_options("local", num_gpus=1, instance_count=2)
    with pytest.raises(InvalidArgumentError, match="num_cpus=-1"):
        ray_options("ray", num_cpus=-1)


def test_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it was not installed
    with pytest.raises(FailedPreconditionError, match=r"pip install 'sagemaker-tensorflow\[ray\]'"):
        connected_cluster().__enter__()


@pytest.mark.skipif(
    sysconfig.get_path("purelib") == PARENT, reason="the package is installed, as on every node"
)
def test_workers_find_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(PARENT)
    assert worker_environment() == {}  # Ray adds the current directory
    monkeypatch.chdir(tmp_path)
    assert worker_environment() == {"PYTHONPATH": PARENT}
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{PARENT}")
    assert worker_environment() == {"PYTHONPATH": f"{tmp_path}{os.pathsep}{PARENT}"}
