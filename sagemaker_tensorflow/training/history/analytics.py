"""A job's metrics over time, as the SageMaker SDK's ``TrainingJobAnalytics`` gives them."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sagemaker_tensorflow.errors import FailedPreconditionError
from sagemaker_tensorflow.training.history.job_store import JobStore
from sagemaker_tensorflow.training.history.metric_point import MetricPoint

if TYPE_CHECKING:
    import pandas


class TrainingJobAnalytics:
    """The points of a job's ``metric_definitions``, also while it runs.

    Unlike CloudWatch, which averages over minutes, it has every point.

    Args:
        training_job_name: Of the job.
        metric_names: Only of these; None is all, by name.
        start_time: From this time on; with a time zone, as `end_time`.
        end_time: Up to this time.
        store: The record of jobs; None is the default's.

    Raises:
        NotFoundError: There is no such job.
    """

    def __init__(
        self,
        training_job_name: str,
        metric_names: Sequence[str] | None = None,
        *,
        start_time: datetime.datetime | None = None,
        end_time: datetime.datetime | None = None,
        store: JobStore | None = None,
    ) -> None:
        self._name = training_job_name
        self._metric_names = None if metric_names is None else list(metric_names)
        self._start_time = start_time
        self._end_time = end_time
        self._store = store or JobStore()
        self._store.job(training_job_name)

    @property
    def name(self) -> str:
        """Of the job."""
        return self._name

    def points(self) -> list[MetricPoint]:
        """One metric after the other, each in the order of its times.

        Raises:
            NotFoundError: The job is not recorded any more.
        """
        points = [
            point
            for point in self._store.metrics(self._name, self._metric_names)
            if (self._start_time is None or point.timestamp >= self._start_time)
            and (self._end_time is None or point.timestamp <= self._end_time)
        ]
        order = self._metric_names or sorted({point.name for point in points})
        return sorted(points, key=lambda point: order.index(point.name))

    def dataframe(self, force_refresh: bool = False) -> pandas.DataFrame:
        """The points in the SDK's columns.

        ``timestamp`` has the seconds since the first point of the same metric, ``metric_name`` its
        name, ``value`` its value (float64, string and float64).

        Args:
            force_refresh: Means nothing, as the points are read anew with each call.

        Raises:
            FailedPreconditionError: pandas is not installed.
            NotFoundError: The job is not recorded any more.
        """
        try:
            import pandas
        except ImportError as error:
            raise FailedPreconditionError(
                "dataframe() needs pandas: pip install 'sagemaker-tensorflow[pandas]'; points() "
                "does without"
            ) from error

        points = self.points()
        first: dict[str, datetime.datetime] = {}
        for point in points:
            first.setdefault(point.name, point.timestamp)
        return pandas.DataFrame(
            {
                "timestamp": [
                    (point.timestamp - first[point.name]).total_seconds() for point in points
                ],
                "metric_name": [point.name for point in points],
                "value": [point.value for point in points],
            }
        )

    def export_csv(self, filename: str | os.PathLike[str]) -> None:
        """Writes `dataframe` to a file.

        Raises:
            FailedPreconditionError: pandas is not installed.
        """
        self.dataframe().to_csv(filename)
