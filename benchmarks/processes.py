"""What other processes cost, read from /proc."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name, which may hold blanks: [0] is the state."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def children(pid: int) -> list[int]:
    """Processes that this one started and that are alive."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if int(_stat(int(entry.name))[1]) == pid:
                    found.append(int(entry.name))
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended while we looked
    return found


def descendants(pid: int) -> list[int]:
    """Processes that this one started, those that they started, and so on."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
                parents.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
    found: list[int] = []
    unseen = [pid]
    while unseen:
        born = parents.get(unseen.pop(), [])
        found += born
        unseen += born
    return found


def cpu_seconds(*pids: int) -> float:
    """User and system time so far, of all of them together."""
    fields = [_stat(pid) for pid in pids]
    return sum(int(field[11]) + int(field[12]) for field in fields) / _TICKS


def resident_bytes(field: str, pid: int | str = "self") -> int:
    """Resident size: VmRSS now, VmHWM the largest so far."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(f"process {pid} has no {field}: it has ended")
