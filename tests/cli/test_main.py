"""What all commands have in common."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.streams import SMTF


def test_without_tensorflow(tmp_path: Path) -> None:
    missing = tmp_path / "path" / "tensorflow"
    missing.mkdir(parents=True)
    words = "No module named 'tensorflow'"
    (missing / "__init__.py").write_text(f"raise ImportError({words!r}, name='tensorflow')")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "saved_model.pb").touch()
    ran = subprocess.run(
        [*SMTF, "transform", "--model", str(tmp_path / "model"), "--describe"],
        env={**os.environ, "PYTHONPATH": str(missing.parent)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1
    assert ran.stderr == (
        f"smtf: error: {words}; install it, or this package with its extra cpu, tensorflow or "
        "cuda\n"
    )
