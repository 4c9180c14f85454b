"""Descriptions of jobs as text: JSON with times in ISO 8601."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any

# The members of DescribeTrainingJob's answer, and of SecondaryStatusTransition, that are times.
_TIMES = ("CreationTime", "LastModifiedTime", "TrainingStartTime", "TrainingEndTime")
_TRANSITION_TIMES = ("StartTime", "EndTime")


def description_to_text(description: Mapping[str, Any], indent: int | None = None) -> str:
    """JSON of members of DescribeTrainingJob's answer, or of other values with datetimes in."""
    return json.dumps(description, default=_encoded, indent=indent)


def description_from_text(text: str) -> dict[str, Any]:
    """The reverse; times are datetimes with a time zone."""
    description: dict[str, Any] = json.loads(text)
    transitions = description.get("SecondaryStatusTransitions", ())
    for members, names in (
        (description, _TIMES),
        *((transition, _TRANSITION_TIMES) for transition in transitions),
    ):
        for name in names:
            if name in members:
                members[name] = datetime.datetime.fromisoformat(members[name])
    return description


def _encoded(value: object) -> str:
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} is not JSON")
