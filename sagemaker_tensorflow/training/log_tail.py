"""Reads what is added to a log."""

from __future__ import annotations

from pathlib import Path

_BLOCK_BYTES = 1 << 16


class LogTail:
    """A file that grows, from its beginning or from its last lines on.

    Args:
        path: Of the file; as long as it is not there, it is empty.
        last_lines: Where to begin; None is the beginning.
    """

    def __init__(self, path: Path, last_lines: int | None = None) -> None:
        self._path = path
        self._offset = 0 if last_lines is None else _offset_of_last_lines(path, last_lines)

    def read(self, most: int) -> bytes:
        """Up to so many bytes that have come since the last call; b"" if there are none."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read(most)
        except FileNotFoundError:
            return b""
        self._offset += len(data)
        return data


def _offset_of_last_lines(path: Path, count: int) -> int:
    """Where the last `count` lines begin. A last line without an end counts as one."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return 0
    with file:
        size = end = file.seek(0, 2)
        if count == 0:
            return size
        wanted = count
        while end:
            begin = max(0, end - _BLOCK_BYTES)
            file.seek(begin)
            block = file.read(end - begin)
            at = len(block)
            if end == size and block.endswith(b"\n"):
                at -= 1  # it ends the last line and begins none
            while (at := block.rfind(b"\n", 0, at)) >= 0:
                wanted -= 1
                if wanted == 0:
                    return begin + at + 1
            end = begin
    return 0
