"""What killed processes leave goes, and what living ones have stays."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagemaker_tensorflow.transform.temporary_folders import temporary_folder

HOLD = """
import sys
from sagemaker_tensorflow.transform.temporary_folders import temporary_folder
with temporary_folder() as folder:
    (folder / "model").write_text("large")
    print(folder, flush=True)
    sys.stdin.read()
"""
# With some time between making a folder and locking it, in which others clean up.
COME_AND_GO = """
import tempfile, time
from sagemaker_tensorflow.transform.temporary_folders import temporary_folder
make = tempfile.mkdtemp
def make_slowly(**arguments):
    path = make(**arguments)
    time.sleep(0.002)
    return path
tempfile.mkdtemp = make_slowly
for _ in range(50):
    with temporary_folder() as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_bytes(b"x")
        time.sleep(0.001)
        assert (folder / "deep" / "file").read_bytes() == b"x"
"""


@pytest.fixture(autouse=True)
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@contextlib.contextmanager
def holding() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    command = [sys.executable, "-c", HOLD]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        yield process, Path(process.stdout.readline().strip())


def test_a_killed_processs_folder_goes_with_the_next(parent: Path) -> None:
    with holding() as (_, living), holding() as (killed, left):
        killed.kill()
        killed.wait()
        assert (left / "model").exists()
        with temporary_folder() as folder:
            assert set(parent.iterdir()) == {living, folder}
            assert (living / "model").read_text() == "large"
    assert list(parent.iterdir()) == []


def test_processes_that_come_and_go(parent: Path) -> None:
    """Each cleans up while others make folders and lock them."""
    command = [sys.executable, "-c", COME_AND_GO]
    processes = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert list(parent.iterdir()) == []


def test_what_is_not_ours_stays(parent: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with temporary_folder() as folder:
        name = folder.name
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (parent / f"{name}-link").symlink_to(elsewhere)
    (parent / f"{name}-file").write_text("")
    (parent / "smtf-transform-of-another-host").mkdir()
    if os.getuid() == 0:
        (parent / f"{name}-user").mkdir()
        os.chown(parent / f"{name}-user", 65534, 65534)
    before = set(parent.iterdir())
    with temporary_folder() as folder:
        assert set(parent.iterdir()) == {*before, folder}
    assert elsewhere.exists()
