"""Shows a log while it is written."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import TextIO

_READ_BYTES = 1 << 20


class LogFollower:
    """Copies what is added to a file to a stream.

    Args:
        log: The file.
        stream: Gets text; what is not UTF-8 is replaced.
    """

    def __init__(self, log: Path, stream: TextIO) -> None:
        self._log = log
        self._stream = stream
        self._offset = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def pump(self) -> None:
        """Copies what has come since the last call."""
        with self._log.open("rb") as file:
            file.seek(self._offset)
            while data := file.read(_READ_BYTES):
                self._offset += len(data)
                self._stream.write(self._decoder.decode(data))
        self._stream.flush()
