"""Numbers and conditions in words, for the README's figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def size_words(count: int) -> str:
    """Such as "100 B", "16 KiB" or "64 MiB"."""
    if count < 1 << 10:
        return f"{count} B"
    return f"{count >> 10} KiB" if count < 1 << 20 else f"{count >> 20} MiB"


def quartiles(summary: Mapping[str, float]) -> str:
    """Such as "1.52 (1.48 to 1.60)"."""
    return f"{summary['median']:.2f} ({summary['q1']:.2f} to {summary['q3']:.2f})"


def machine_words(report: Mapping[str, Any]) -> str:
    """Where a report's numbers come from."""
    machine = report["machine"]
    return (
        f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}, "
        f"Python {machine['python']}"
    )
