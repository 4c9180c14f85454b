"""Does what docs/training.md says: every example, in its order, in one directory."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.test_readme import FENCE, Block, Reader

PAGE = Path(__file__).parent.parent.parent / "docs" / "training.md"


@pytest.mark.timeout(600)
def test_every_example_does_what_it_says(tmp_path: Path) -> None:
    directory = tmp_path / "reader"
    directory.mkdir()
    reader = Reader(directory)
    text = PAGE.read_text()
    for found in FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        reader.follow(Block(line, found[1], found[2], found[3]))
    logs = sorted((directory / "home" / "jobs").rglob("*"))
    assert [path.name for path in logs if path.is_file()] == ["algo-1.log"] * 3


def test_every_flag_is_on_the_page() -> None:
    from sagemaker_tensorflow.cli import make_parser

    (subparsers,) = (action for action in make_parser()._actions if action.dest == "==SUPPRESS==")
    flags = set(subparsers.choices["train"]._option_string_actions)  # type: ignore[index]
    known = {"--help", "--verbose", "--quiet", "--region", "--endpoint-url", "--anonymous"}
    text = PAGE.read_text()
    arguments_of_scripts = {"--model_dir", "--epochs", "--unit", "--NAME"}
    named = set(re.findall(r"--[A-Za-z][A-Za-z0-9_-]*", text)) - arguments_of_scripts
    assert {flag for flag in flags if flag.startswith("--")} - known <= named
    assert named <= flags
