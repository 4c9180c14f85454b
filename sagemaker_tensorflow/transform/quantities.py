"""Counts, numbers and times as people read them, in a job's report and on its progress line."""

from __future__ import annotations

_MINUTE = 60
_HOUR = 3600
# Below this, seconds are told with their fractions.
_EXACT_SECONDS = 100


def counted(count: int, noun: str) -> str:
    """``1 record``, ``1,860 records``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def short_number(value: float) -> str:
    """``0.25``, ``12``, ``3500``, ``12.5k``, ``2M``."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size and not (unit == "k" and value < 10_000):
            return f"{value / size:.4g}{unit}"
    return f"{value:.4g}" if value < 1000 else f"{value:.0f}"


def latency(seconds: float) -> str:
    """``250 µs``, ``12.5 ms``, ``1.5 s``, ``2 min 05 s``."""
    if 0 < seconds < 1e-3:
        return f"{seconds * 1e6:.3g} µs"
    if 0 < seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.3g} s" if seconds < _EXACT_SECONDS else format_seconds(seconds)


def format_seconds(seconds: float) -> str:
    """``42 s``, ``3 min 05 s`` or ``2 h 10 min``."""
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"
