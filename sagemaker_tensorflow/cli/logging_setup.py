"""Where the log of a long-running command goes: to stderr, above a progress line if it has one."""

from __future__ import annotations

import argparse
import logging
import sys

from sagemaker_tensorflow.progress import AboveProgress, ProgressLine


def set_up_logging(args: argparse.Namespace) -> ProgressLine | None:
    """Sets up the package's loggers by ``args.quiet`` and ``args.verbose``.

    Returns:
        A line for progress, on a terminal that is to see it.
    """
    progress = ProgressLine(sys.stderr) if sys.stderr.isatty() and not args.quiet else None
    handler = AboveProgress(progress) if progress else logging.StreamHandler()
    handler.setFormatter(logging.Formatter("smtf: %(levelname)s %(message)s"))
    # This package's loggers only: botocore's at DEBUG show headers.
    logger = logging.getLogger("sagemaker_tensorflow")
    logger.addHandler(handler)
    level = logging.ERROR if args.quiet else logging.DEBUG if args.verbose else logging.INFO
    logger.setLevel(level)
    return progress
