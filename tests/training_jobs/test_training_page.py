"""Does what docs/training.md says: every example, in its order, in one directory."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from sagemaker_tensorflow.cli import make_parser
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
    assert [path.name for path in logs if path.is_file()] == ["algo-1.log"] * 4


def flags_of(parser: argparse.ArgumentParser) -> set[str]:
    """Its own, and those of its subcommands."""
    flags = {flag for flag in parser._option_string_actions if flag.startswith("--")}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            flags.update(*map(flags_of, action.choices.values()))
    return flags


def test_every_flag_is_on_the_page() -> None:
    (subparsers,) = (action for action in make_parser()._actions if action.dest == "==SUPPRESS==")
    assert isinstance(subparsers, argparse._SubParsersAction)
    flags = set().union(*(flags_of(subparsers.choices[name]) for name in ("train", "jobs")))
    known = {"--help", "--verbose", "--quiet", "--region", "--endpoint-url", "--anonymous"}
    text = PAGE.read_text()
    of_scripts_and_docker = {"--model_dir", "--epochs", "--unit", "--NAME", "--cap-add"}
    named = set(re.findall(r"--[A-Za-z][A-Za-z0-9_-]*", text)) - of_scripts_and_docker
    assert flags - known <= named
    assert named <= flags
