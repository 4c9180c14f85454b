"""What a job takes while it runs: memory of its processes, and disk, looked at now and then."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from pathlib import Path

import processes

_LOOK_SECONDS = 0.25
# What stands in a process's command line, and its part in the job.
_ROLES = {
    b"sagemaker_tensorflow.prefetch_process": "prefetcher",
    b"sagemaker_tensorflow.training.warden": "warden",
    b"train.py": "script",
}
_BLOCK_BYTES = 512  # of st_blocks: stat(2)
# What the prefetcher keeps beside its pipes: docs/pipe_mode.md.
_STATUS_FILE = re.compile(r"\..*\.jsonl?")


class Watch(threading.Thread):
    """Looks until `end` is called.

    Attributes:
        resident: The largest resident size (VmHWM) of each part of the job so far, in bytes.
        data: The most disk that was allocated for the channel's data, in bytes.
        other: The same for everything else in `directory`: configuration, script, log, status.

    Args:
        pid: Of the process that runs the job.
        directory: In which everything lies that the job puts onto the disk.
    """

    def __init__(self, pid: int, directory: Path) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._directory = directory
        self._ended = threading.Event()
        self.resident: dict[str, int] = {}
        self.data = 0
        self.other = 0

    def run(self) -> None:
        """For the thread."""
        while not self._ended.wait(_LOOK_SECONDS):
            self._look_at_memory()
            self._look_at_disk()

    def end(self) -> None:
        """Ends the thread."""
        self._ended.set()
        self.join()

    def _look_at_memory(self) -> None:
        for pid in (self._pid, *processes.descendants(self._pid)):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
                role = "driver" if pid == self._pid else _role(pid)
                peak = processes.resident_bytes("VmHWM", pid)
                self.resident[role] = max(self.resident.get(role, 0), peak)

    def _look_at_disk(self) -> None:
        data = other = 0
        for folder, _, names in os.walk(self._directory):
            for name in names:
                allocated = _allocated(Path(folder, name))
                if "/input/data" in folder and not _STATUS_FILE.fullmatch(name):
                    data += allocated
                else:
                    other += allocated
        self.data = max(self.data, data)
        self.other = max(self.other, other)


def _role(pid: int) -> str:
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    return next((role for words, role in _ROLES.items() if words in command), "others")


def _allocated(path: Path) -> int:
    try:
        return path.lstat().st_blocks * _BLOCK_BYTES
    except FileNotFoundError:  # it is gone since it was listed
        return 0
