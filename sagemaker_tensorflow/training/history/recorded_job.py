"""A job as the record of jobs has it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagemaker_tensorflow.process_identity import ProcessIdentity
from sagemaker_tensorflow.training.job_directory import JobDirectory
from sagemaker_tensorflow.training.status import ENDED, failed_description

# TrainingJobSummary of ListTrainingJobs (API_TrainingJobSummary.html).
_SUMMARY = (
    "TrainingJobName",
    "TrainingJobArn",
    "CreationTime",
    "TrainingEndTime",
    "LastModifiedTime",
    "TrainingJobStatus",
    "SecondaryStatus",
)


@dataclass(frozen=True)
class RecordedJob:
    """One job, as it stood when it was read.

    Attributes:
        description: The members of DescribeTrainingJob's answer; times are datetimes in UTC. Of
            ``Environment`` it has the names only.
        directory: Where its logs are.
        owner: The process that runs it, or ran it.
        stop_requested: Somebody wants it to stop.
    """

    description: Mapping[str, Any]
    directory: Path
    owner: ProcessIdentity
    stop_requested: bool = False

    @property
    def name(self) -> str:
        """Of the job."""
        return str(self.description["TrainingJobName"])

    @property
    def status(self) -> str:
        """``InProgress``, ``Stopping``, ``Completed``, ``Failed`` or ``Stopped``."""
        return str(self.description["TrainingJobStatus"])

    @property
    def has_ended(self) -> bool:
        """Whether the status is a last one."""
        return self.status in ENDED

    @property
    def created(self) -> datetime.datetime:
        """When the job was made, in UTC."""
        created: datetime.datetime = self.description["CreationTime"]
        return created

    @property
    def duration(self) -> datetime.timedelta:
        """From then to its end, or until now."""
        end: datetime.datetime = self.description.get(
            "TrainingEndTime", datetime.datetime.now(datetime.timezone.utc)
        )
        return end - self.created

    @property
    def logs(self) -> dict[str, Path]:
        """The log of each host; a host that did not begin has none yet."""
        files = JobDirectory(self.name, self.directory.parent)
        count = self.description["ResourceConfig"]["InstanceCount"]
        # In the order of their numbers, which is not that of `TrainingSpec.hosts`.
        return {host: files.log(host) for host in (f"algo-{n + 1}" for n in range(count))}

    @property
    def is_abandoned(self) -> bool:
        """Whether it should run, and its process is gone.

        Of a process in another container, or on another machine, that cannot be told.
        """
        if self.has_ended:
            return False
        return self.owner.is_running() is False or self.owner.was_before_a_reboot()

    def summary(self) -> dict[str, Any]:
        """A member of ListTrainingJobs' answer."""
        return {name: self.description[name] for name in _SUMMARY if name in self.description}

    def as_failed(self) -> dict[str, Any]:
        """The description of a job that is abandoned."""
        reason = (
            f"InternalServerError: its process ended ({self.owner}) while the job was "
            f"{self.description['SecondaryStatus']}; was it killed, or did the machine go down?"
        )
        return failed_description(self.description, reason, self._last_sign_of_life())

    def _last_sign_of_life(self) -> datetime.datetime:
        """The last change of its status or its logs."""
        signs: list[datetime.datetime] = [self.description["LastModifiedTime"]]
        for log in self.logs.values():
            if log.exists():
                changed = log.stat().st_mtime
                signs.append(datetime.datetime.fromtimestamp(changed, datetime.timezone.utc))
        return max(signs)
