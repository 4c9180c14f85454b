"""The process that runs a job, written down so that others can tell whether it still does."""

from __future__ import annotations

import dataclasses
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timezone

from sagemaker_tensorflow.process_identity import ProcessIdentity


@dataclass(frozen=True)
class LeaseHolder:
    """One run of a job.

    Attributes:
        token: Random; no other run has it.
        job_name: Of the job.
        host: Of its process, as the next four; see `ProcessIdentity`.
        boot: Of the machine.
        pid_namespace: Within which `pid` counts.
        pid: Of the process.
        process_start: In clock ticks since boot.
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
        return cls(
            token=secrets.token_hex(16),
            job_name=job_name,
            **ProcessIdentity.this_process().to_json(),
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
        return self._process.is_running()

    @property
    def _process(self) -> ProcessIdentity:
        return ProcessIdentity(
            self.host, self.boot, self.pid_namespace, self.pid, self.process_start
        )

    def __str__(self) -> str:
        return f"{self.job_name!r} on host {self.host}, process {self.pid}, since {self.since}"
