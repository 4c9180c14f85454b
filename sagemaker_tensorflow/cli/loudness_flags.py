"""``--verbose`` and ``--quiet``, which are the same for every command that logs."""

from __future__ import annotations

import argparse


def add_loudness_flags(parser: argparse.ArgumentParser) -> None:
    """Adds the two, of which one may be given."""
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument("-v", "--verbose", action="store_true", help="log more")
    loudness.add_argument("-q", "--quiet", action="store_true", help="log errors only")
