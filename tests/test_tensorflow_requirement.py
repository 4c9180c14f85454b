"""Which Pythons a TensorFlow can be had for; what a build asks for is in test_build_backend.py."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sagemaker_tensorflow.op_file import OP_PATH, built_for

TOOLS = Path(__file__).parents[1] / "tools"


@pytest.mark.parametrize(
    ("version", "python", "says"),
    [
        ("2.15.1", (3, 10), None),
        ("2.15.1", (3, 12), "needs Python 3.10 to 3.11, and .* is 3.12: .* PYTHON=python3.11"),
        ("2.16.2", (3, 12), None),
        ("2.19", (3, 13), "needs Python 3.10 to 3.12, and .* is 3.13: .*"),
        ("2.21.0", (3, 13), None),
        ("2.21.0", (3, 9), "needs Python 3.10 to 3.13, and .* is 3.9: .*"),
        ("2.14.1", (3, 11), "the sources are built for 2.15, 2.16, .* 2.21"),
    ],
)
def test_who_fits_whom(
    monkeypatch: pytest.MonkeyPatch, version: str, python: tuple[int, int], says: str | None
) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))
    found = importlib.import_module("tensorflow_requirement").misfit(version, python)
    assert (found is None) == (says is None)
    if found is not None and says is not None:
        assert re.fullmatch(f"TensorFlow {version}:? {says}", found)


def test_make_is_told() -> None:
    def run(version: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, TOOLS / "tensorflow_requirement.py", version]
        return subprocess.run(command, capture_output=True, text=True)

    assert run(built_for(OP_PATH)).returncode == 0
    refused = run("2.14.1")
    assert refused.returncode != 0
    assert refused.stderr.startswith("TensorFlow 2.14.1: ")
