"""Keeps what TensorFlow says about the processor off the command line's stderr.

``TF_CPP_MIN_LOG_LEVEL`` does so for what is logged after TensorFlow has read it. Since 2.17 some
notes come earlier, while its libraries are loaded, and no setting reaches those
(https://github.com/tensorflow/tensorflow/issues/100442). So stderr goes through a filter as long as
``import tensorflow`` takes. The filter is a process of its own: where TensorFlow ends this one, for
want of an instruction of the processor's, say, its last words still come through.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import NoReturn

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_ERRORS_ONLY = "2"
_STDERR = 2
# Abseil's: of severity INFO without a logger that is set up, and that it was not.
_NOTES = (b"I0000 00:00:", b"WARNING: All log messages before absl::InitializeLog() is called")
_PIECE_BYTES = 1 << 16


def leave_out_notes() -> None:
    """Sees to it for this process, unless somebody chose TensorFlow's level already."""
    if _LEVEL in os.environ:
        return
    os.environ[_LEVEL] = _ERRORS_ONLY
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _TensorFlowFinder())


class _TensorFlowFinder(MetaPathFinder):
    """Finds TensorFlow as it is found without this, and filters stderr while it is executed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        loader = None if spec is None else spec.loader
        if loader is not None:
            execute = loader.exec_module

            def execute_filtered(module: ModuleType) -> None:
                with _filtered_stderr():
                    execute(module)

            # On the loader itself, which others ask for the package's files.
            loader.exec_module = execute_filtered  # type: ignore[method-assign]
        return spec


@contextlib.contextmanager
def _filtered_stderr() -> Iterator[None]:
    kept = os.dup(_STDERR)
    filter_end, end = os.pipe()
    filtering = os.fork()
    if filtering == 0:
        os.close(end)
        _filter(filter_end, kept)
    os.close(filter_end)
    os.dup2(end, _STDERR)
    os.close(end)
    try:
        yield
    finally:
        os.dup2(kept, _STDERR)  # which ends the filter's input
        os.close(kept)
        os.waitpid(filtering, 0)


def _filter(source: int, target: int) -> NoReturn:
    """Copies all lines but notes to the end of `source`, and ends the process."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's, which is for the other one
        line = b""
        while piece := os.read(source, _PIECE_BYTES):
            *lines, line = (line + piece).split(b"\n")
            for each in lines:
                _write(target, each + b"\n")
        _write(target, line)
    finally:
        os._exit(0)


def _write(target: int, line: bytes) -> None:
    if not line.startswith(_NOTES):
        os.write(target, line)
