"""Sizes as they are typed: ``10GB``, ``512MiB``, ``1048576``."""

from __future__ import annotations

import argparse
import re

_UNITS = {"": 1, "B": 1}
_UNITS |= {f"{prefix}B": 1000**n for n, prefix in enumerate("KMGTP", start=1)}
_UNITS |= {f"{prefix}IB": 1024**n for n, prefix in enumerate("KMGTP", start=1)}
_MOST_CHARACTERS = 64
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")


def byte_count(text: str) -> int:
    """Reads a size: decimal units are powers of 1000, KiB and so on of 1024. An argparse type."""
    match = _SIZE.fullmatch(text.strip())
    unit = match and _UNITS.get(match[2].upper())
    # Longer than any, and than float() holds.
    if not match or not unit or len(text) > _MOST_CHARACTERS:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: give such as 10GB, 512MiB or bytes")
    return round(float(match[1]) * unit)


def byte_count_or_auto(text: str) -> int | None:
    """The same, or None for ``auto``. An argparse type."""
    return None if text == "auto" else byte_count(text)


def count_or_auto(text: str) -> int | None:
    """Reads a whole number, or None for ``auto``. An argparse type."""
    if text == "auto":
        return None
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a whole number nor auto") from None
