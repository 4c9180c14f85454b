"""Descriptions and points as jobs give them to a `JobStore`."""

from __future__ import annotations

import datetime
from typing import Any

from sagemaker_tensorflow.training.history.metric_point import MetricPoint
from sagemaker_tensorflow.training.status import JobStatus


def description(name: str, status: JobStatus, **members: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        **status.to_json(),
        "ResourceConfig": {"InstanceType": "local", "InstanceCount": 1},
        **members,
    }


def point(name: str, value: float) -> MetricPoint:
    return MetricPoint(name, value, datetime.datetime.now(datetime.timezone.utc), "algo-1")
