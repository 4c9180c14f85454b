"""The live line that ``smtf`` shows on a terminal while it works."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Mapping
from typing import TextIO

from sagemaker_tensorflow.channel_stats import ChannelStats

_TO_LINE_START = "\r\x1b[K"  # carriage return, then erase to the end of the line


def format_bytes(count: float) -> str:
    """Decimal units, as network rates are given: ``1.5 GB``."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 999.5 or unit == "TB":
            break
        count /= 1000
    return f"{count:.0f} {unit}" if unit == "B" or count >= 99.95 else f"{count:.1f} {unit}"


def describe(name: str, now: ChannelStats, before: ChannelStats | None = None) -> str:
    """One channel's part of the line; rates are since `before`, or since its start."""
    written, seconds, waits = now.bytes_written, now.seconds, (now.reader_waited, now.feeder_waited)
    if before is not None:
        written -= before.bytes_written
        seconds -= before.seconds
        waits = (waits[0] - before.reader_waited, waits[1] - before.feeder_waited)
    parts = [
        f"{name}: epoch {now.epoch}",
        format_bytes(now.bytes_written),
        f"{format_bytes(written / seconds if seconds > 0 else 0)}/s",
        f"queue {now.queue_parts} ({format_bytes(now.queue_bytes)})",
        f"{now.connections}/{now.connections_limit} connections",
    ]
    if now.retries:
        parts.append(f"{now.retries} retries")
    if now.throttled:
        parts.append(f"{now.throttled} throttled")
    if seconds > 0 and max(waits) > seconds / 10:
        parts.append("reader waits" if waits[0] > waits[1] else "waits for reader")
    return ", ".join(parts)


class TerminalLine:
    """Rewrites one line of a terminal. Thread-safe, because log lines come from any thread."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._line = ""

    def show(self, text: str) -> None:
        """Replaces the line, cut to what the terminal is wide."""
        self._show(text[: shutil.get_terminal_size().columns - 1])

    def clear(self) -> None:
        """Takes the line away."""
        self._show("")

    def print_above(self, text: str) -> None:
        """Writes a line of its own and shows the progress below it."""
        with self._lock:
            self._stream.write(f"{_TO_LINE_START}{text}\n{self._line}")
            self._stream.flush()

    def _show(self, line: str) -> None:
        with self._lock:
            self._line = line
            self._stream.write(_TO_LINE_START + line)
            self._stream.flush()


class ProgressLine(TerminalLine):
    """Shows the counters of channels."""

    def __init__(self, stream: TextIO, rate_seconds: float = 2.0) -> None:
        super().__init__(stream)
        self._rate_seconds = rate_seconds
        self._before: dict[str, ChannelStats] = {}
        self._noted = time.monotonic()

    def update(self, stats: Mapping[str, ChannelStats]) -> None:
        """Shows these counters."""
        described = [describe(name, now, self._before.get(name)) for name, now in stats.items()]
        if time.monotonic() - self._noted >= self._rate_seconds:
            self._before = dict(stats)
            self._noted = time.monotonic()
        self.show(" | ".join(described or ["listing"]))


class AboveProgress(logging.Handler):
    """Logs to a terminal without tearing its progress line."""

    def __init__(self, progress: TerminalLine) -> None:
        super().__init__()
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the record above the line."""
        try:
            self._progress.print_above(self.format(record))
        except Exception:
            self.handleError(record)
