"""A value of a metric, at a time."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class MetricPoint:
    """What a script printed once.

    Attributes:
        name: Of the metric.
        value: Finite.
        timestamp: When it was seen in the log, in UTC.
        host: Whose log it was.
    """

    name: str
    value: float
    timestamp: datetime.datetime
    host: str

    def to_json(self) -> dict[str, Any]:
        """A member of DescribeTrainingJob's FinalMetricDataList (API_MetricData.html)."""
        return {"MetricName": self.name, "Value": self.value, "Timestamp": self.timestamp}
