"""``smtf stream`` as a process of its own."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SMTF = [sys.executable, "-m", "sagemaker_tensorflow.cli"]


class Stream:
    """A running ``smtf stream`` with directories of its own; stderr goes to a file."""

    def __init__(self, root: Path, *args: str, stderr: int | None = None) -> None:
        self.pipe_dir, self.config_dir = root / "pipes", root / "config"
        root.mkdir(exist_ok=True)
        self._log = root / "stderr"
        self.argv = [*SMTF, "stream", *args, "--pipe-dir", str(self.pipe_dir)]
        self.argv += ["--config-dir", str(self.config_dir)]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                self.argv, stdout=subprocess.PIPE, stderr=log if stderr is None else stderr
            )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.end()

    def end(self) -> int:
        """Waits for it; nothing may have come to stdout."""
        out, _ = self.process.communicate()
        assert out == b""
        return self.process.returncode

    def stderr(self) -> str:
        return self._log.read_text()


@contextlib.contextmanager
def streaming(root: Path, *args: str, stderr: int | None = None) -> Iterator[Stream]:
    stream = Stream(root, *args, stderr=stderr)
    try:
        yield stream
    finally:
        if stream.process.poll() is None:
            stream.process.kill()
            stream.process.wait()
        assert stream.process.stdout is not None
        stream.process.stdout.close()
