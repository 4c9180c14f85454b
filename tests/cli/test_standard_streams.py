"""``smtf`` where a stream is closed, full, or takes ASCII only: as a shell leaves them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.streams import SMTF


@pytest.mark.parametrize(
    ("redirection", "status", "said"),
    [
        (">&-", "0", ""),
        ("<&- >&- 2>&-", "0", ""),
        ("| (sleep 0.5; head -c 5)", "0", ""),  # of more than a pipe holds
        (">/dev/full", "1", "smtf: error: writing output: No space left on device\n"),
    ],
)
def test_streams_that_take_nothing(
    redirection: str, status: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "lines").write_bytes(b"a line of twenty byte\n" * 5000)
    smtf = f"{' '.join(SMTF)} inspect lines --format TextLine --first 5000"
    ran = subprocess.run(
        ["bash", "-c", f"{smtf} {redirection}; echo ${{PIPESTATUS[0]}} >status"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert ((tmp_path / "status").read_text().strip(), ran.stderr) == (status, said)


def test_text_that_the_locale_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("größer\n")
    ascii_only = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ran = subprocess.run(
        [*SMTF, "inspect", str(tmp_path / "text"), "--format", "TextLine"],
        env={**os.environ, **ascii_only},
        capture_output=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert rb"'gr\xf6\xdfer'" in ran.stdout
