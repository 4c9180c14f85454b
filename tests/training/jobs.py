"""Training scripts as processes of their own, over a running ``smtf stream``."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.pipes import PATIENCE_SECONDS

SCRIPT = Path(__file__).with_name("read_script.py")


class Job:
    """One run of read_script.py in the directories of a job."""

    def __init__(self, root: Path, channel: str, *epochs: str) -> None:
        dirs = [root / name for name in ("pipes", "state", "config")]
        self._log = root / "training-log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, SCRIPT, *dirs, channel, *epochs],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def line(self) -> Any:
        """The next line that it prints."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self._log.read_text()
        return json.loads(line)

    def end(self) -> list[list[int]]:
        """Waits for its end. Returns the ids of the epochs that have not been returned yet."""
        assert self.process.stdout is not None
        # What the file object has read ahead of `line` is out of communicate()'s reach.
        lines = list(self.process.stdout)
        assert self.process.wait(PATIENCE_SECONDS) == 0, self._log.read_text()
        return [json.loads(line) for line in lines]

    def kill(self) -> None:
        """Kills it, unless it has ended. Idempotent."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextlib.contextmanager
def running(root: Path, channel: str, *epochs: str) -> Iterator[Job]:
    job = Job(root, channel, *epochs)
    try:
        yield job
    finally:
        job.kill()


def run(root: Path, channel: str, *epochs: str) -> list[list[int]]:
    """Runs a job to its end. Returns the ids of each epoch."""
    with running(root, channel, *epochs) as job:
        assert job.line() == "ready"
        return job.end()
