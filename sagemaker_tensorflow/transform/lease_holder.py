"""The process that runs a job, written down so that others can tell whether it still does."""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PID_NAMESPACE = Path("/proc/self/ns/pid")
# Of what follows the command's name in /proc/<pid>/stat, proc_pid_stat(5): fields 3 and 22.
_STATE = 0
_START_TIME = 19
_DEAD = ("Z", "X")


@dataclass(frozen=True)
class LeaseHolder:
    """One run of a job.

    Attributes:
        token: Random; no other run has it.
        job_name: Of the job.
        host: The machine's name, for people.
        boot: The kernel's name for the time since it was booted: machines whose boots are the same
            are one. Empty where that is not known.
        pid_namespace: Within which `pid` counts. Containers of a machine have one each.
        pid: Of the process.
        process_start: When it began, in clock ticks since boot: another process that gets the same
            number later has another time.
        since: When the run began, ISO 8601 in UTC.
        renewals: How often the run has said since that it goes on.
        ended: It does not any more.
    """

    token: str
    job_name: str
    host: str
    boot: str
    pid_namespace: str
    pid: int
    process_start: int
    since: str
    renewals: int = 0
    ended: bool = False

    @classmethod
    def this_process(cls, job_name: str) -> LeaseHolder:
        """A new run, in this process."""
        pid = os.getpid()
        return cls(
            token=secrets.token_hex(16),
            job_name=job_name,
            host=os.uname().nodename,
            boot=_boot(),
            pid_namespace=_pid_namespace(),
            pid=pid,
            process_start=_process_start(pid),
            since=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        )

    @classmethod
    def from_json(cls, data: bytes) -> LeaseHolder | None:
        """Reads what `to_json` made; None for anything else."""
        try:
            values = json.loads(data)
            return cls(**{field.name: values[field.name] for field in dataclasses.fields(cls)})
        except (ValueError, KeyError, TypeError):
            return None

    def to_json(self) -> bytes:
        """For a file or an object."""
        return json.dumps(dataclasses.asdict(self), indent=2).encode() + b"\n"

    def is_running(self) -> bool | None:
        """Whether the process lives; None if that cannot be told from here."""
        if self.ended:
            return False
        if not self.boot or (self.boot, self.pid_namespace) != (_boot(), _pid_namespace()):
            return None
        return _process_start(self.pid) == self.process_start

    def __str__(self) -> str:
        return f"{self.job_name!r} on host {self.host}, process {self.pid}, since {self.since}"


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
