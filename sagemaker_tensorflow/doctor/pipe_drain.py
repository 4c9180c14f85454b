"""A reader of a channel's pipes that throws the bytes away."""

from __future__ import annotations

import itertools
import os
import select
import threading
import time
from pathlib import Path

_BUFFER_BYTES = 1 << 20
# How often it looks whether it is to end, and whether a pipe has been made.
_WAIT_SECONDS = 0.1
_LOOK_SECONDS = 0.002


class PipeDrain:
    """Reads ``<channel>_0``, ``<channel>_1``, ... in a thread until it is stopped.

    Attributes:
        bytes: Read so far.
        first_byte_at: When it came, by `time.monotonic`; None until then.
    """

    def __init__(self, pipe_dir: Path, channel: str) -> None:
        self.bytes = 0
        self.first_byte_at: float | None = None
        self._stem = str(pipe_dir / channel)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="smtf-drain", daemon=True)

    def start(self) -> None:
        """Begins to read."""
        self._thread.start()

    def stop(self) -> None:
        """Closes the pipe and returns when that is done."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        for epoch in itertools.count():
            fd = self._open(Path(f"{self._stem}_{epoch}"))
            if fd is None:
                return
            try:
                self._drain(fd)
            finally:
                os.close(fd)

    def _open(self, fifo: Path) -> int | None:
        """Waits for the pipe, but not for its writer. None when told to stop."""
        while not self._stopping.is_set():
            try:
                return os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
            except FileNotFoundError:
                self._stopping.wait(_LOOK_SECONDS)
        return None

    def _drain(self, fd: int) -> None:
        buffer = bytearray(_BUFFER_BYTES)
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        while not self._stopping.is_set():
            # Silent until a writer has come, so what is read as the end is one.
            if not poll.poll(_WAIT_SECONDS * 1000):
                continue
            try:
                count = os.readv(fd, [buffer])
            except BlockingIOError:
                continue
            if not count:
                return
            if self.first_byte_at is None:
                self.first_byte_at = time.monotonic()
            self.bytes += count
