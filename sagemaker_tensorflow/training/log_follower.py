"""Shows the logs of a job while they are written."""

from __future__ import annotations

import codecs
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from sagemaker_tensorflow.training.log_tail import LogTail

_log = logging.getLogger(__name__)

_READ_BYTES = 1 << 20
# What has no end of line is shown after so many characters all the same.
_LINE_CHARACTERS = 1 << 20


class LogFollower:
    r"""Copies what is added to logs to a stream.

    The log of one host is copied as it comes. Of several hosts whole lines are copied, each behind
    its host's name, ``[algo-1] ``. A stream that cannot be written to, as its reader is gone, is
    warned of and left alone from then on: nothing is raised.

    Args:
        logs: Of each host; or the only one. A file need not be there yet.
        stream: Gets text; what is not UTF-8 is replaced, and what its encoding does not have is
            shown as ``\xe9``.
        last_lines: Begin with so many lines of each log; None is all of them.

    Attributes:
        broken: Whether the stream cannot be written to any more.
    """

    def __init__(
        self, logs: Mapping[str, Path] | Path, stream: TextIO, last_lines: int | None = None
    ) -> None:
        named = {"": logs} if isinstance(logs, Path) else logs
        self._stream = stream
        self.broken = False
        self._logs = [
            _Log(LogTail(path, last_lines), f"[{host}] " if len(named) > 1 else "")
            for host, path in named.items()
        ]

    def pump(self) -> None:
        """Copies what has come since the last call."""
        for log in self._logs:
            while not self.broken and (text := log.read()):
                self._show(text)
        self._show("")

    def finish(self) -> None:
        """The same for logs that do not grow any more: copies lines without an end, too."""
        self.pump()
        for log in self._logs:
            self._show(log.rest())

    def _show(self, text: str) -> None:
        if self.broken:
            return
        try:
            try:
                self._stream.write(text)
            except UnicodeEncodeError as error:
                known = text.encode(error.encoding, "backslashreplace").decode(error.encoding)
                self._stream.write(known)
            self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: it is closed
            self.broken = True
            _log.warning("what the script prints is in its log and not shown any more: %s", error)


class _Log:
    def __init__(self, tail: LogTail, prefix: str) -> None:
        self._tail = tail
        self._prefix = prefix
        self._rest = ""  # the beginning of a line, where lines are prefixed
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read(self) -> str:
        """What is new and can be shown; "" if nothing came that can."""
        while data := self._tail.read(_READ_BYTES):
            text = self._decoder.decode(data)
            shown = self._lines(text) if self._prefix else text
            if shown:
                return shown
        return ""

    def rest(self) -> str:
        rest, self._rest = self._rest, ""
        return f"{self._prefix}{rest}\n" if rest else ""

    def _lines(self, text: str) -> str:
        *lines, self._rest = (self._rest + text).split("\n")
        if len(self._rest) > _LINE_CHARACTERS:
            lines.append(self._rest)
            self._rest = ""
        return "".join(f"{self._prefix}{line}\n" for line in lines)
