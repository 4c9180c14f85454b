"""Builds the C++ programs under benchmarks/native on first use."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_TREE = _ROOT / "build" / "benchmarks"


@functools.cache
def program(name: str) -> Path:
    """The path of a program of benchmarks/native, compiled in release mode if need be."""
    # The scripts of the cmake and ninja packages stand beside the interpreter.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path}
    options = ["OP=OFF", "MODULES=OFF", "BENCHMARKS=ON"]
    configure = ["cmake", "-S", str(_ROOT), "-B", str(_TREE), "-G", "Ninja"]
    configure += [f"-DSMTF_BUILD_{option}" for option in options]
    for command in (configure, ["cmake", "--build", str(_TREE), "--target", name]):
        subprocess.run(command, check=True, env=environment, stdout=sys.stderr)
    return _TREE / "benchmarks" / "native" / name


@contextlib.contextmanager
def serving(name: str, *arguments: object) -> Iterator[str]:
    """The URL of a server that is such a program, which ends with its stdin."""
    command = [str(program(name)), *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None and server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()
