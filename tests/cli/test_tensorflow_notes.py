"""In processes of their own, because TensorFlow is imported once in each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTES = "sagemaker_tensorflow.cli.tensorflow_notes"
WORDS = """
import os
os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called are written\\n")
os.write(2, b"I0000 00:00:1.2 3 port.cc:153] on\\nE0000 00:00:1.2 3 x.cc:1] bad\\n")
"""


def imported(package: str, folder: Path, level: str | None = None) -> tuple[int, str]:
    """What comes of importing a package that is called TensorFlow: exit status and stderr."""
    (folder / "tensorflow").mkdir()
    (folder / "tensorflow" / "__init__.py").write_text(package)
    script = f"""
import sys
from {NOTES} import leave_out_notes
leave_out_notes()
import tensorflow
print("I0000 00:00: behind", file=sys.stderr)
assert tensorflow.__spec__.loader.get_data(tensorflow.__file__)
"""
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    environment["PYTHONPATH"] = os.pathsep.join([str(folder), *sys.path])
    if level is not None:
        environment["TF_CPP_MIN_LOG_LEVEL"] = level
    ran = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60
    )
    assert ran.stdout == ""
    return ran.returncode, ran.stderr


def test_notes_are_left_out_while_it_is_imported(tmp_path: Path) -> None:
    status, told = imported(WORDS, tmp_path)
    assert (status, told) == (0, "E0000 00:00:1.2 3 x.cc:1] bad\nI0000 00:00: behind\n")


def test_last_words_come_through(tmp_path: Path) -> None:
    status, told = imported('import os; os.write(2, b"F0000 no AVX"); os.abort()', tmp_path)
    assert (status, told) == (-6, "F0000 no AVX")


def test_an_error_of_the_import(tmp_path: Path) -> None:
    status, told = imported("raise ImportError('libcudnn')", tmp_path)
    assert status == 1
    assert told.endswith("ImportError: libcudnn\n")


@pytest.mark.parametrize("level", ["0", "3"])
def test_who_chose_a_level_gets_it(level: str, tmp_path: Path) -> None:
    assert "port.cc:153" in imported(WORDS, tmp_path, level)[1]
