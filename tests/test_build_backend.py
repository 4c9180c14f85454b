"""What a build asks for and how its results are named; the build itself is `make wheel`."""

from __future__ import annotations

import importlib
import importlib.metadata
import shutil
import subprocess
import sys
import tarfile
from importlib.metadata import PathDistribution
from pathlib import Path
from types import ModuleType

import pytest

import sagemaker_tensorflow
from sagemaker_tensorflow.op_file import OP_PATH, built_for

ROOT = Path(__file__).parents[1]
PACKAGE = Path(sagemaker_tensorflow.__file__).parent
MINOR = ".".join(built_for(OP_PATH).split(".")[:2])


@pytest.fixture
def tensorflow_requirement(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module("tensorflow_requirement")


@pytest.mark.parametrize(
    ("named", "pin"), [("2.16", "==2.16.*"), ("2.16.2", "==2.16.2"), ("", "==2.21.*")]
)
def test_the_variable_names_the_tensorflow_of_an_isolated_build(
    tensorflow_requirement: ModuleType, monkeypatch: pytest.MonkeyPatch, named: str, pin: str
) -> None:
    monkeypatch.setenv("SMTF_TENSORFLOW", named)
    found = tensorflow_requirement.tensorflow_requirements()
    assert found == [
        f"tensorflow-cpu{pin}; platform_machine == 'x86_64'",
        f"tensorflow{pin}; platform_machine != 'x86_64'",
    ]


@pytest.mark.parametrize("named", ["latest", "2", "2.21.*", ">=2.16"])
def test_what_is_no_version_of_tensorflow(
    tensorflow_requirement: ModuleType, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setenv("SMTF_TENSORFLOW", named)
    with pytest.raises(ValueError, match="SMTF_TENSORFLOW is"):
        tensorflow_requirement.tensorflow_requirements()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The sources, without what was built of them."""
    root = tmp_path / "clone"
    ignored = shutil.ignore_patterns("*.so", "__pycache__")
    for folder in (ROOT / "csrc", ROOT / "tools", PACKAGE):
        shutil.copytree(folder, root / folder.name, ignore=ignored)
    for pattern in ("*.toml", "*.in", "*.md", "*.py", "*.txt", "LICENSE"):
        for file in ROOT.glob(pattern):
            shutil.copy(file, root)
    return root


def run_hook(root: Path, hook: str, result: Path) -> Path:
    """Runs a hook of the build backend as pip does, in a process of its own."""
    result.mkdir()
    code = (
        f"import os, sys; sys.path.insert(0, 'tools'); import build_backend; "
        f"name = build_backend.{hook}(sys.argv[1])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(result)], cwd=root, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    return next(result.iterdir())


def test_only_what_is_built_of_a_clone_is_named_after_a_tensorflow(
    clone: Path, tmp_path: Path
) -> None:
    """Metadata of a wheel, a source distribution, and of a wheel of the source distribution."""
    pytest.importorskip("setuptools", minversion="77")  # an environment for a wheel has none
    wheel = PathDistribution(
        run_hook(clone, "prepare_metadata_for_build_wheel", tmp_path / "wheel")
    )
    assert wheel.version.endswith(f"+tf{MINOR}")
    extras = [text for text in wheel.requires or [] if text.startswith("tensorflow")]
    assert len(extras) == 4
    assert all(f"=={MINOR}.*" in text for text in extras)

    archive = run_hook(clone, "build_sdist", tmp_path / "sdist")
    release = wheel.version.partition("+")[0]
    assert archive.name == f"sagemaker_tensorflow-{release}.tar.gz"
    with tarfile.open(archive) as file:
        file.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    assert "tensorflow<2.22,>=2.15" in (source / "PKG-INFO").read_text()
    assert (source / "csrc" / "ops" / "built_for.cc").exists()
    assert not (source / "tests").exists()
    assert not (source / "build").exists()

    of_sdist = run_hook(source, "prepare_metadata_for_build_wheel", tmp_path / "of_sdist")
    assert PathDistribution(of_sdist).version == release


def test_metadata_of_a_build_is_not_what_python_finds_in_the_clone(clone: Path) -> None:
    """After a wheel for another TensorFlow, `smtf doctor` there tells what is installed."""
    pytest.importorskip("setuptools", minversion="77")
    ran = subprocess.run(
        [sys.executable, "setup.py", "--quiet", "egg_info"],
        cwd=clone,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert list(clone.glob("build/*/sagemaker_tensorflow.egg-info/PKG-INFO"))
    assert not list(importlib.metadata.distributions(path=[str(clone)]))
