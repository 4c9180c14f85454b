"""The prefetcher's process as its owner holds it: start, conversation, last words and end."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import IO

from sagemaker_tensorflow.channel_stats import ChannelStats
from sagemaker_tensorflow.errors import DeadlineExceededError, UnavailableError, error_of_kind
from sagemaker_tensorflow.json_lines import JsonLines
from sagemaker_tensorflow.module_command import module_command
from sagemaker_tensorflow.prefetch_orders import PrefetchOrders

_log = logging.getLogger(__name__)

# What a process may take to end its epochs before it is killed.
_GRACE_SECONDS = 5.0
# A healthy process answers in milliseconds; on a machine that swaps it may take seconds.
_ANSWER_SECONDS = 30.0
_STDERR_LINES = 20


class ProcessHandle:
    """One process. Its directory goes with it.

    Args:
        temporary: A directory to remove at the end, or None.
        pass_fds: As for `subprocess.Popen`.

    Attributes:
        temporary: May be set later.
    """

    def __init__(self, temporary: Path | None = None, pass_fds: tuple[int, ...] = ()) -> None:
        self.temporary = temporary
        self._pass_fds = pass_fds
        self._owner_pid = os.getpid()
        # Of the conversation. A finalizer may want it in a thread that has it.
        self._lock = threading.RLock()
        self._closed = False
        self._requests = 0
        self._last_lines: deque[str] = deque(maxlen=_STDERR_LINES)
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, to wait for its orders; it imports what it needs meanwhile."""
        self._popen = popen = subprocess.Popen(
            module_command("sagemaker_tensorflow.prefetch_process"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Away from the terminal's Ctrl-C, also before it can ignore that by itself.
            start_new_session=True,
            pass_fds=self._pass_fds,
        )
        assert popen.stdin and popen.stdout and popen.stderr  # noqa: S101 - for mypy: PIPE
        self._lines = JsonLines(popen.stdout.fileno(), popen.stdin.fileno())
        self._listener = threading.Thread(
            target=_pass_on, args=(popen.stderr, self._last_lines), daemon=True
        )
        self._listener.start()

    def begin(self, orders: PrefetchOrders) -> None:
        """Gives it its orders, starting it if `start` did not, and waits for its first word.

        Raises:
            PipeModeDatasetException: What it says, or how it died; see `Prefetcher.start`.
        """
        if self._popen is None:
            self.start()
        try:
            self._lines.send(orders.to_json())
            answer = self._lines.receive()
        except (BrokenPipeError, EOFError):
            raise self._death() from None
        if "error" in answer:
            raise error_of_kind(answer["error"]["kind"], answer["error"]["message"])

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._popen is not None and self._popen.poll() is None

    def ended(self) -> str | None:
        """How it ended; None as long as it runs, and before it is started."""
        status = None if self._popen is None else self._popen.poll()
        return None if status is None else _how_it_ended(status)

    @property
    def pid(self) -> int | None:
        """Its pid; None before `begin`."""
        return None if self._popen is None else self._popen.pid

    def stats(self) -> dict[str, ChannelStats]:
        """Asks for its counters; see `Prefetcher.stats`."""
        with self._lock:
            if self._closed:
                raise self._death()  # its pipes' numbers may be other files'
            self._requests += 1
            try:
                self._lines.send({"request": "stats", "id": self._requests})
                # An answer to an earlier request that nobody waited for may come first; what ended
                # the process comes without a request.
                while (answer := self._lines.receive(_ANSWER_SECONDS)).get("id") != self._requests:
                    if "error" in answer:
                        break
            except (BrokenPipeError, EOFError):
                raise self._death() from None
            except TimeoutError:
                raise DeadlineExceededError(
                    f"the prefetcher's process did not answer within {_ANSWER_SECONDS:.0f} s"
                ) from None
        if "error" in answer:
            raise error_of_kind(answer["error"]["kind"], answer["error"]["message"])
        return {name: ChannelStats.from_json(stats) for name, stats in answer["stats"].items()}

    def _death(self) -> UnavailableError:
        """What to raise once the conversation has broken off."""
        assert self._popen is not None  # noqa: S101 - there was a conversation
        try:
            how = _how_it_ended(self._popen.wait(_GRACE_SECONDS))
        except subprocess.TimeoutExpired:
            how = "it runs, but closed its pipe"
        self._listener.join(1)
        words = "\n".join(self._last_lines) or "(none)"
        return UnavailableError(
            f"the prefetcher's process is gone: {how}; its last lines on stderr:\n{words}"
        )

    def end_with_readers(self) -> None:
        """Lets it end by itself when nobody is connected to it, which may be at once.

        Does not wait, as a finalizer must not.
        """
        if os.getpid() == self._owner_pid:
            self._say("release")

    def ask_to_end(self) -> None:
        """Tells it to end, and does not wait until it has."""
        if os.getpid() == self._owner_pid:
            self._say("stop")

    def wait_and_clean_up(self) -> None:
        """Waits until it has ended, however long that takes: no zombie and no open file is left."""
        assert self._popen is not None  # noqa: S101 - after `begin`
        self._popen.wait()
        self._close(self._popen)

    def end(self) -> None:
        """Ends it, if it is ours to end, and cleans up. Also run at exit. Idempotent."""
        if os.getpid() != self._owner_pid:
            return  # in a child that was forked from the owner
        if self._popen is not None:
            self._stop(self._popen)
        if self.temporary is not None:
            shutil.rmtree(self.temporary, ignore_errors=True)

    def _say(self, request: str) -> None:
        with self._lock:
            if self._closed:
                return  # it has ended, and its pipe's number may be another file's
            try:
                # A word, because a child that was forked from us may hold the pipe open.
                self._lines.send({"request": request})
            except OSError:
                _log.debug("the prefetcher's process is gone already")

    def _stop(self, popen: subprocess.Popen[bytes]) -> None:
        self._say("stop")
        try:
            popen.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            _log.warning("the prefetcher's process did not end in %.0f s: killed", _GRACE_SECONDS)
            popen.kill()
            popen.wait()
        self._close(popen)

    def _close(self, popen: subprocess.Popen[bytes]) -> None:
        assert popen.stdin and popen.stdout and popen.stderr  # noqa: S101 - for mypy: PIPE
        self._listener.join(1)
        with self._lock:  # a thread in stats() has seen the end by now
            self._closed = True
            popen.stdin.close()
            popen.stdout.close()
        # A process that a credential provider left behind may still hold the other end.
        if not self._listener.is_alive():
            popen.stderr.close()


def _how_it_ended(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"status {status}"


def _pass_on(stderr: IO[bytes], last_lines: deque[str]) -> None:
    for line in iter(stderr.readline, b""):
        text = line.decode(errors="replace").rstrip("\n")
        last_lines.append(text)
        print(text, file=sys.stderr, flush=True)
