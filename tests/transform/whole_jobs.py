"""What tests of whole jobs share: a model, settings, and a look at what a job leaves behind."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from sagemaker_tensorflow.transform.job import JobResult, TransformJob
from sagemaker_tensorflow.transform.output_keys import BOOKKEEPING_FOLDER
from sagemaker_tensorflow.transform.spec import TransformSpec
from tests.pipes import has_ended, wait_until

# The number that the model raises for.
REFUSED = -1.0


def save_doubler(path: Path) -> str:
    """A SavedModel: ``x: float32 [?, 2]`` to ``y``, twice as much; it raises for REFUSED."""

    def double(x: tf.Tensor) -> dict[str, tf.Tensor]:
        tf.debugging.Assert(tf.reduce_all(x != REFUSED), ["the model does not like -1"])
        return {"y": 2 * x}

    module = tf.Module()
    function = tf.function(double, input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x")])
    tf.saved_model.save(module, str(path), signatures=function.get_concrete_function())
    return str(path)


def csv_spec(model: str, source: str | Path, output: str | Path, **changes: Any) -> TransformSpec:
    """A job from lines of CSV to lines of CSV."""
    settings: dict[str, Any] = {
        "job_name": "test",
        "content_type": "text/csv",
        "split_type": "Line",
        "accept": "text/csv",
        "assemble_with": "Line",
        "batch_size": 4,
        **changes,
    }
    return TransformSpec(model, _named(source), str(output), **settings)


def _named(source: str | Path) -> str:
    """A folder as what it is, so that results are called after the paths below it."""
    return f"{source}/" if isinstance(source, Path) and source.is_dir() else str(source)


def run(model: str, source: str | Path, output: str | Path, **changes: Any) -> JobResult:
    return TransformJob(csv_spec(model, source, output, **changes)).run()


def smtf(*args: str, **options: Any) -> subprocess.Popen[str]:
    """Begins ``smtf transform`` in a process of its own, for which `finish` waits."""
    command = [sys.executable, "-m", "sagemaker_tensorflow.cli", "transform", *args]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def csv_flags(model: str, source: str | Path, output: str | Path, *more: str) -> list[str]:
    """The flags of `csv_spec`."""
    places = ["--model", model, "--input", _named(source), "--output", str(output)]
    formats = ["--content-type", "text/csv", "--split-type", "Line", "--accept", "text/csv"]
    return [*places, *formats, "--assemble-with", "Line", "--job-name", "test", *more]


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, body in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return folder


def written(folder: Path) -> dict[str, bytes]:
    """All files of an output folder but for the bookkeeping, with everything that is hidden."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and BOOKKEEPING_FOLDER not in path.parts
    }


def children() -> set[int]:
    """Processes that this one has started and that still run."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and not has_ended(int(entry.name)):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ends just now
                stat = (entry / "stat").read_text()
                if int(stat.rpartition(")")[2].split()[1]) == os.getpid():
                    found.add(int(entry.name))
    return found


def own_threads() -> set[threading.Thread]:
    return {t for t in threading.enumerate() if t.name.startswith("smtf-")}


class LeftBehind:
    """Sees to it that jobs leave no process, thread or temporary file behind.

    Args:
        temporary: The folder for temporary files, in the environment and in `tempfile`.
    """

    def __init__(self, temporary: Path) -> None:
        self._temporary = temporary
        self._children = children()
        self._threads = own_threads()  # of other tests, whose calls do not end

    def check(self) -> None:
        wait_until(lambda: own_threads() <= self._threads, f"threads end: {own_threads()}")
        wait_until(lambda: children() <= self._children, "processes end")
        assert [path.name for path in self._temporary.glob("smtf-*")] == []
