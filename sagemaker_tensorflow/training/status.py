"""How a job stands, in the words of DescribeTrainingJob."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from sagemaker_tensorflow.training.failure import MOST_CHARACTERS

# API_DescribeTrainingJob.html
STATUSES = ("InProgress", "Completed", "Failed", "Stopping", "Stopped")
ENDED = ("Completed", "Failed", "Stopped")
_MESSAGES: Mapping[str, str] = MappingProxyType(
    {
        "Starting": "Preparing the job's directory",
        "Downloading": "Downloading input data",
        "Training": "The script runs",
        "Uploading": "Uploading the model and other output",
        "Stopping": "Stopping the script",
        "Completed": "Training job completed",
        "Stopped": "Training job stopped",
        "MaxRuntimeExceeded": "The script ran longer than max_run",
        "Failed": "Training job failed",
    }
)


@dataclass(frozen=True)
class Transition:
    """One secondary status of a job's life.

    Attributes:
        status: ``Starting``, ``Downloading``, ``Training``, ``Stopping``, ``Uploading``,
            ``Completed``, ``Failed``, ``Stopped`` or ``MaxRuntimeExceeded``.
        start: UTC.
        end: UTC; None while it lasts.
    """

    status: str
    start: datetime.datetime
    end: datetime.datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """A member of SecondaryStatusTransitions."""
        end = {} if self.end is None else {"EndTime": self.end}
        message = _MESSAGES[self.status]
        return {"Status": self.status, "StartTime": self.start, **end, "StatusMessage": message}


class JobStatus:
    """A job's status and how it came to it. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._primary = "InProgress"
        self._reason = ""
        self._created = _now()
        self._transitions: list[Transition] = []
        self._listeners: list[Callable[[], None]] = []
        self.enter("Starting")

    @property
    def primary(self) -> str:
        """``InProgress``, ``Stopping``, ``Completed``, ``Failed`` or ``Stopped``."""
        return self._primary

    @property
    def secondary(self) -> str:
        """Of the last transition."""
        return self._transitions[-1].status

    @property
    def failure_reason(self) -> str:
        """Why it failed; "" if it did not."""
        return self._reason

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Has a function called after each change, in the thread that makes it.

        It must return soon and raise nothing.
        """
        self._listeners.append(listener)

    def enter(self, secondary: str) -> None:
        """Notes a stage that begins now."""
        with self._lock:
            self._turn(secondary)
        self._tell()

    def begin_stopping(self) -> None:
        """Notes that it has been told to stop."""
        with self._lock:
            if self._primary != "InProgress":
                return
            self._primary = "Stopping"
            self._turn("Stopping")
        self._tell()

    def finish(self, primary: str, secondary: str = "", reason: str = "") -> None:
        """Notes the end; `secondary` is `primary` unless it says more."""
        with self._lock:
            self._primary = primary
            self._reason = reason[:MOST_CHARACTERS]
            self._turn(secondary or primary)
        self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    def _turn(self, secondary: str) -> None:
        now = _now()
        if self._transitions:
            self._transitions[-1] = replace(self._transitions[-1], end=now)
        end = now if self._primary in ENDED else None
        self._transitions.append(Transition(secondary, now, end))

    def to_json(self) -> dict[str, Any]:
        """The members of DescribeTrainingJob's answer that are about status and time."""
        with self._lock:
            transitions = list(self._transitions)
            answer: dict[str, Any] = {
                "TrainingJobStatus": self._primary,
                "SecondaryStatus": transitions[-1].status,
                "SecondaryStatusTransitions": [one.to_json() for one in transitions],
                "CreationTime": self._created,
                "LastModifiedTime": transitions[-1].start,
            }
            if self._reason:
                answer["FailureReason"] = self._reason
        begun = [one.start for one in transitions if one.status in ("Downloading", "Training")]
        if begun:
            answer["TrainingStartTime"] = begun[0]
        if transitions[-1].end is not None:
            answer["TrainingEndTime"] = transitions[-1].end
        return answer


def failed_description(
    description: Mapping[str, Any], reason: str, when: datetime.datetime
) -> dict[str, Any]:
    """What DescribeTrainingJob says of a job that was running and failed.

    Args:
        description: What it said before.
        reason: Why.
        when: In UTC.
    """
    *earlier, last = description["SecondaryStatusTransitions"]
    return {
        **description,
        "TrainingJobStatus": "Failed",
        "SecondaryStatus": "Failed",
        "FailureReason": reason[:MOST_CHARACTERS],
        "SecondaryStatusTransitions": [
            *earlier,
            {**last, "EndTime": when},
            Transition("Failed", when, when).to_json(),
        ],
        "LastModifiedTime": when,
        "TrainingEndTime": when,
    }


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)
