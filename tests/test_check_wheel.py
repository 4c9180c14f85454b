"""tools/check_wheel.py on wheels that are right, and on wheels with one thing wrong."""

from __future__ import annotations

import base64
import hashlib
import importlib
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import sagemaker_tensorflow
from sagemaker_tensorflow.op_file import OP_PATH, built_for

PACKAGE = Path(sagemaker_tensorflow.__file__).parent
LIBRARIES = PACKAGE.with_name("sagemaker_tensorflow.libs")
PYTHON = f"cp3{sys.version_info.minor}"
PLATFORM = "manylinux_2_35_x86_64" if LIBRARIES.exists() else "linux_x86_64"
MINOR = ".".join(built_for(OP_PATH).split(".")[:2])
INFO = f"sagemaker_tensorflow-1.0+tf{MINOR}.dist-info"
CORE = next(PACKAGE.glob("_core.*.so"))
PREFETCH = next(PACKAGE.glob("_prefetch.*.so"))

Files = dict[str, bytes]


@pytest.fixture
def check_wheel(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "tools"))
    module = importlib.import_module("check_wheel")
    monkeypatch.setattr(module, "SOURCE", PACKAGE.parent)
    return module


def right_files() -> Files:
    """What a wheel of the package that is tested holds."""
    paths = [p for pattern in ("*.py", "*.pyi", "py.typed") for p in PACKAGE.rglob(pattern)]
    paths += [CORE, PREFETCH, OP_PATH, *LIBRARIES.glob("*")]
    metadata = (
        f"Metadata-Version: 2.4\nName: sagemaker-tensorflow\nVersion: 1.0+tf{MINOR}\n"
        f'Requires-Dist: tensorflow=={MINOR}.*; extra == "tensorflow"\n'
        f'Requires-Dist: tensorflow-cpu=={MINOR}.*; extra == "cpu"\n'
    )
    licenses = {f"{INFO}/licenses/copies/x.txt": b"x"} if LIBRARIES.exists() else {}
    return {
        **licenses,
        **{path.relative_to(PACKAGE.parent).as_posix(): path.read_bytes() for path in paths},
        f"{INFO}/METADATA": metadata.encode(),
        f"{INFO}/WHEEL": f"Wheel-Version: 1.0\nTag: {PYTHON}-{PYTHON}-{PLATFORM}\n".encode(),
    }


def record(files: Files) -> bytes:
    digests = {name: hashlib.sha256(body).digest() for name, body in files.items()}
    texts = {n: base64.urlsafe_b64encode(d).rstrip(b"=").decode() for n, d in digests.items()}
    lines = [f"{name},sha256={text},{len(files[name])}" for name, text in texts.items()]
    return "\n".join([*lines, f"{INFO}/RECORD,,", ""]).encode()


def problems(
    check_wheel: ModuleType, folder: Path, files: Files, *, any_glibc: bool = False
) -> list[str]:
    path = folder / f"sagemaker_tensorflow-1.0+tf{MINOR}-{PYTHON}-{PYTHON}-{PLATFORM}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in {f"{INFO}/RECORD": record(files), **files}.items():
            archive.writestr(name, body)
    wheel = check_wheel.open_wheel(path, folder / "unpacked")
    return list(check_wheel.problems(wheel, any_glibc=any_glibc))


def test_the_package_as_it_is_makes_a_right_wheel(check_wheel: ModuleType, tmp_path: Path) -> None:
    assert problems(check_wheel, tmp_path, right_files()) == []


def add(name: str) -> Callable[[Files], None]:
    return lambda files: files.update({name: CORE.read_bytes()})


def remove(name: str) -> Callable[[Files], None]:
    return lambda files: files.pop(name) and None


def replace(name: str, old: str, new: str) -> Callable[[Files], None]:
    return lambda files: files.update({name: files[name].replace(old.encode(), new.encode())})


WRONG = {
    "a test": (add("tests/test_x.py"), "tests/test_x.py does not belong there"),
    "a source": (add("sagemaker_tensorflow/x.cc"), "sagemaker_tensorflow/x.cc does not belong"),
    "a module for another Python": (
        add("sagemaker_tensorflow/_core.cpython-36m-x86_64-linux-gnu.so"),
        "cpython-36m-x86_64-linux-gnu.so does not belong there",
    ),
    "TensorFlow's library": (
        add("sagemaker_tensorflow.libs/libtensorflow_framework.so.2"),
        "is TensorFlow's own library",
    ),
    "no py.typed": (remove("sagemaker_tensorflow/py.typed"), "py.typed is missing"),
    "no op": (remove("sagemaker_tensorflow/_pipe_op.so"), "the native modules are"),
    "another version inside": (
        replace(f"{INFO}/METADATA", f"Version: 1.0+tf{MINOR}", "Version: 1.0"),
        "METADATA has version 1.0,",
    ),
    "an op for another TensorFlow": (
        replace("sagemaker_tensorflow/_pipe_op.so", f"tensorflow:{MINOR}", "tensorflow:2.10"),
        "_pipe_op.so is built for TensorFlow 2.10",
    ),
    "an extra for any TensorFlow": (
        replace(f"{INFO}/METADATA", f"tensorflow-cpu=={MINOR}.*", "tensorflow-cpu>=2"),
        "the extra cpu does not ask for tensorflow-cpu==",
    ),
    "another tag inside": (replace(f"{INFO}/WHEEL", PLATFORM, "any"), "WHEEL has the tags"),
    "libcurl in the record readers": (
        lambda files: files.update(
            {f"sagemaker_tensorflow/{CORE.name}": PREFETCH.read_bytes()},
        ),
        "_core needs libcurl",
    ),
    "a file that was changed later": (
        lambda files: files.update(
            {f"{INFO}/RECORD": record({**files, "sagemaker_tensorflow/errors.py": b"pass"})}
        ),
        "errors.py is not the file whose hash RECORD has",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said(check_wheel: ModuleType, tmp_path: Path, what: str) -> None:
    change, expected = WRONG[what]
    files = right_files()
    change(files)
    found = problems(check_wheel, tmp_path, files)
    assert [text for text in found if expected in text], found


def test_a_library_that_knows_the_machine_it_is_from(
    check_wheel: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compiled here, with a path in it, debug information and a place to look for libraries."""
    source = tmp_path / "leaking.cc"
    source.write_text(
        "const char* Where() { return __FILE__; }\n#include <stdio.h>\nint n=puts(Where());"
    )
    built = tmp_path / "leaking.so"
    options = ["-g", "-shared", "-fPIC", "-Wl,-rpath,/usr/local/lib"]
    subprocess.run(["g++", *options, "-o", built, source], check=True)
    monkeypatch.setitem(check_wheel.CEILINGS, "GLIBC", (2, 1))
    files = {**right_files(), f"sagemaker_tensorflow/{CORE.name}": built.read_bytes()}
    found = "\n".join(problems(check_wheel, tmp_path, files))
    assert f"_core has the path {source}" in found
    assert "_core has debug information" in found
    assert "_core looks for libraries in /usr/local/lib" in found
    assert "asks for GLIBC_2." in found
    assert "asks for" not in "\n".join(problems(check_wheel, tmp_path, files, any_glibc=True))


def test_a_file_name_that_is_no_wheel_of_ours(check_wheel: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not named sagemaker_tensorflow"):
        check_wheel.open_wheel(tmp_path / "sagemaker_tensorflow-1.0-py3-none-any.whl", tmp_path)
