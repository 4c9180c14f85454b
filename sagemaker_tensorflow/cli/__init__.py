"""The command line: ``smtf``, in full ``sagemaker-tensorflow``.

Each subcommand is a module with ``add_parser(subparsers)`` and ``run(args) -> int``. What a command
needs is imported when it runs, so that ``smtf --help`` answers at once.
"""

from __future__ import annotations

import argparse
import errno
import sys
from collections.abc import Sequence
from typing import Any

from sagemaker_tensorflow.cli import doctor, inspect, jobs, stream, train, transform
from sagemaker_tensorflow.cli.standard_streams import drop_output, prepare_streams
from sagemaker_tensorflow.errors import PipeModeDatasetException

_FULL = (errno.ENOSPC, errno.EDQUOT)


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
        prog="smtf", description="Train and infer with TensorFlow over data that streams out of S3."
    )
    parser.add_argument("--version", action=_Version)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (stream, train, jobs, transform, inspect, doctor):
        command.add_parser(subparsers).set_defaults(run=command.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns:
        The exit status: 0 done, or nobody reads the output to its end; 1 failed, 130 interrupted;
        wrong usage exits with 2.
    """
    prepare_streams()
    args = make_parser().parse_args(argv)
    status = 0
    try:
        status = _run(args)
        sys.stdout.flush()
    except BrokenPipeError:  # stdout's, as in `| head`; others are PipeModeDatasetExceptions
        drop_output()
    except OSError as error:
        # Python does not say of which file it is.
        if error.errno not in _FULL or error.filename is not None:
            raise
        drop_output()
        print(f"smtf: error: writing output: {error.strerror}", file=sys.stderr)
        status = 1
    return status


def _run(args: argparse.Namespace) -> int:
    try:
        status: int = args.run(args)
    except PipeModeDatasetException as error:
        print(f"smtf: error: {error}", file=sys.stderr)
        return 1
    except ImportError as error:
        if error.name != "tensorflow":
            raise
        print(
            f"smtf: error: {error}; install it, or this package with its extra cpu, tensorflow or "
            "cuda",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        return 130
    return status
