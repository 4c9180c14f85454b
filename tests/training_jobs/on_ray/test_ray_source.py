from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.training.on_ray.ray_source import packed_source, spec_for_nodes
from sagemaker_tensorflow.training.spec import TrainingSpec
from sagemaker_tensorflow.training_input import TrainingInput


def test_a_script_and_its_dependencies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("scripts").mkdir()
    Path("scripts", "train.py").write_text("import helper")
    Path("helper.py").write_text("")
    channels = (
        Channel("a", TrainingInput("data")),
        Channel("b", TrainingInput("s3://bkt/x", input_mode="Pipe")),
    )
    spec = TrainingSpec("scripts/train.py", "job", channels, dependencies=("helper.py",))
    packed = packed_source(spec, S3Options())
    assert packed is not None
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert sorted(archive.getnames()) == [".", "./helper.py", "./train.py"]
    there = spec_for_nodes(spec)
    assert (there.entry_point, there.dependencies) == ("train.py", ())
    a, b = there.channels
    assert a.input.s3_data == str(tmp_path / "data")  # type: ignore[union-attr]
    assert b == channels[1]


def test_what_is_in_s3_is_fetched_by_each_node() -> None:
    spec = TrainingSpec("train.py", "job", source_dir="s3://bkt/source.tar.gz")
    assert packed_source(spec, S3Options()) is None
    assert spec_for_nodes(spec) == spec
