"""The command line: ``smtf``, in full ``sagemaker-tensorflow``.

Each subcommand is a module with ``add_parser(subparsers)`` and ``run(args) -> int``. What a command
needs is imported when it runs, so that ``smtf --help`` answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from sagemaker_tensorflow.cli import doctor, inspect, jobs, stream, train, transform
from sagemaker_tensorflow.errors import PipeModeDatasetException


class _Version(argparse.Action):
    def __init__(self, option_strings: Sequence[str], dest: str, **_: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, help="print the version and exit")

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import version

        print(f"smtf {version('sagemaker-tensorflow')}")
        parser.exit()


def make_parser() -> argparse.ArgumentParser:
    """All of the command line's syntax."""
    parser = argparse.ArgumentParser(
        prog="smtf", description="Stream data from S3 into TensorFlow through named pipes."
    )
    parser.add_argument("--version", action=_Version)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (stream, train, jobs, transform, inspect, doctor):
        command.add_parser(subparsers).set_defaults(run=command.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns:
        The exit status: 0 done, 1 failed, 130 interrupted; wrong usage exits with 2.
    """
    args = make_parser().parse_args(argv)
    try:
        status: int = args.run(args)
    except PipeModeDatasetException as error:
        print(f"smtf: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    _end_output()
    return status


def _end_output() -> None:
    """Drops what nobody reads any more, as in ``| head``; Python would complain when it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
