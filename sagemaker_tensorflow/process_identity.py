"""A process, written down so that others can tell whether it still runs."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PID_NAMESPACE = Path("/proc/self/ns/pid")
# Of what follows the command's name in /proc/<pid>/stat, proc_pid_stat(5): fields 3 and 22.
_STATE = 0
_START_TIME = 19
_DEAD = ("Z", "X")


@dataclass(frozen=True)
class ProcessIdentity:
    """One process of one machine, of all that there ever were.

    Attributes:
        host: The machine's name, for people.
        boot: The kernel's name for the time since it was booted: machines whose boots are the same
            are one. Empty where that is not known.
        pid_namespace: Within which `pid` counts. Containers of a machine have one each.
        pid: Of the process.
        process_start: When it began, in clock ticks since boot: another process that gets the same
            number later has another time.
    """

    host: str
    boot: str
    pid_namespace: str
    pid: int
    process_start: int

    @classmethod
    def this_process(cls) -> ProcessIdentity:
        """The one that calls."""
        pid = os.getpid()
        return cls(os.uname().nodename, _boot(), _pid_namespace(), pid, _process_start(pid))

    @classmethod
    def from_json(cls, identity: Mapping[str, Any]) -> ProcessIdentity:
        """The reverse of `to_json`."""
        return cls(**identity)

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return dataclasses.asdict(self)

    def is_running(self) -> bool | None:
        """Whether the process lives; None if that cannot be told from here."""
        if not self.boot or (self.boot, self.pid_namespace) != (_boot(), _pid_namespace()):
            return None
        return _process_start(self.pid) == self.process_start

    def was_before_a_reboot(self) -> bool:
        """Whether a machine of its host's name, this one, has been booted since."""
        return bool(self.boot) and self.host == os.uname().nodename and self.boot != _boot()

    def __str__(self) -> str:
        return f"process {self.pid} on host {self.host}"


def _boot() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def _pid_namespace() -> str:
    try:
        return str(_PID_NAMESPACE.readlink())
    except OSError:
        return ""


def _process_start(pid: int) -> int:
    """When a living process began, in clock ticks since boot; -1 if there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return -1
    return -1 if fields[_STATE] in _DEAD else int(fields[_START_TIME])
