"""The record of jobs: what there is and was, for every process that wants to know."""

from __future__ import annotations

import datetime
import difflib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sagemaker_tensorflow.errors import (
    DeadlineExceededError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
)
from sagemaker_tensorflow.process_identity import ProcessIdentity
from sagemaker_tensorflow.system_errors import translated_os_errors
from sagemaker_tensorflow.training.history.description_text import (
    description_from_text,
    description_to_text,
)
from sagemaker_tensorflow.training.history.job_database import JobDatabase
from sagemaker_tensorflow.training.history.metric_point import MetricPoint
from sagemaker_tensorflow.training.history.recorded_job import RecordedJob
from sagemaker_tensorflow.training.job_directory import JobDirectory, default_jobs_dir
from sagemaker_tensorflow.training.status import STATUSES

_FILE = "jobs.db"
# What stands for the value of a variable of Environment, which may be a secret.
_HIDDEN = "(not recorded)"
_COLUMNS = "description, directory, owner, stop_requested IS NOT NULL"
_RUNNING = "status IN ('InProgress', 'Stopping')"
# How often who waits for a job's end looks.
_LOOK_SECONDS = 0.2
# How long a job's process may take to see that the job is to stop; it looks every second.
_ANSWER_SECONDS = 30.0


class JobStore:
    """A record of jobs. From any thread and process.

    A job whose process was killed is Failed from the first time on that somebody looks. What
    `JobDatabase` raises about the file, all methods raise.

    Args:
        path: Of the file; None is ``~/.sagemaker-tensorflow/jobs.db``, or ``jobs.db`` in
            ``$SAGEMAKER_TENSORFLOW_HOME``. It is made with the first job.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._database = JobDatabase(
            default_jobs_dir().parent / _FILE if path is None else Path(path).absolute()
        )

    @classmethod
    def of_jobs_dir(cls, jobs_dir: str | os.PathLike[str] | None) -> JobStore:
        """The record that goes with a `TrainingJob`'s `jobs_dir`: in it, or for None the default.

        In it and not above it, as who may write to a directory need not be allowed to beside it.
        """
        return cls(None if jobs_dir is None else Path(jobs_dir, _FILE))

    @property
    def path(self) -> Path:
        """Of the file."""
        return self._database.path

    def list_jobs(
        self, status: str | None = None, max_results: int | None = None
    ) -> list[RecordedJob]:
        """The jobs, newest first.

        Args:
            status: Of this status only: ``InProgress``, ``Stopping``, ``Completed``, ``Failed`` or
                ``Stopped``.
            max_results: At most so many.

        Raises:
            InvalidArgumentError: There is no such status.
        """
        if status is not None and status not in STATUSES:
            raise InvalidArgumentError(f"status={status!r} is not one of {', '.join(STATUSES)}")
        if not self._database.exists():
            return []
        self._note_ends()
        condition = "" if status is None else "WHERE status = :status"
        with self._database.reading() as connection:
            return _jobs(
                connection,
                f"{condition} ORDER BY created DESC, rowid DESC LIMIT :most",
                {"status": status, "most": -1 if max_results is None else max_results},
            )

    def job(self, name: str) -> RecordedJob:
        """One job.

        Raises:
            NotFoundError: There is none of this name; says which ones are like it.
        """
        if self._database.exists():
            self._note_ends()
            with self._database.reading() as connection:
                found = _jobs(connection, "WHERE name = :name", {"name": name})
                if found:
                    return found[0]
                names = [row[0] for row in connection.execute("SELECT name FROM jobs")]
        else:
            names = []
        like = difflib.get_close_matches(name, names)
        advice = f"; did you mean {' or '.join(like)}?" if like else ""
        raise NotFoundError(f"there is no job {name!r} in {self.path}{advice}")

    def describe(self, name: str) -> dict[str, Any]:
        """One job in the members of DescribeTrainingJob's answer; times are datetimes.

        ``Environment`` has the names of its variables only.

        Raises:
            NotFoundError: There is none of this name.
        """
        description = dict(self.job(name).description)
        last = self.final_metrics(name)
        if last:
            description["FinalMetricDataList"] = [point.to_json() for point in last]
        return description

    def stop(self, name: str, wait: bool = True) -> str:
        """Has a job stopped by the process that runs it: SIGTERM, and SIGKILL after 120 s.

        Args:
            name: Of the job.
            wait: Until it has ended.

        Returns:
            Its status then.

        Raises:
            NotFoundError: There is none of this name.
            FailedPreconditionError: It does not run any more.
            DeadlineExceededError: Its process does not react. The request stands.
        """
        job = self.job(name)
        if job.has_ended:
            raise FailedPreconditionError(
                f"job {name} is {job.status}: only a job that is InProgress can be stopped"
            )
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE jobs SET stop_requested = coalesce(stop_requested, ?) WHERE name = ?",
                (time.time(), name),
            )
        deadline = time.monotonic() + _ANSWER_SECONDS
        while wait and not job.has_ended:
            # What is Uploading ends by itself: it is not stopped any more.
            uploading = job.description["SecondaryStatus"] == "Uploading"
            if job.status != "InProgress" or uploading:
                deadline = time.monotonic() + _ANSWER_SECONDS
            elif time.monotonic() > deadline:
                raise DeadlineExceededError(
                    f"job {name} has been told to stop, and {job.owner} has not reacted for "
                    f"{_ANSWER_SECONDS:.0f} s; does it run, and can it write {self.path}?"
                )
            time.sleep(_LOOK_SECONDS)
            job = self.job(name)
        return job.status

    def metrics(self, name: str, metric_names: Sequence[str] | None = None) -> list[MetricPoint]:
        """The points of a job's metrics, in the order of their times.

        Args:
            name: Of the job.
            metric_names: Only of these.

        Raises:
            NotFoundError: There is no job of this name.
        """
        self.job(name)
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT name, value, time, host FROM metrics WHERE job = ? ORDER BY time, rowid",
                (name,),
            )
            points = [_point(*row) for row in rows]
        return [point for point in points if metric_names is None or point.name in metric_names]

    def final_metrics(self, name: str) -> list[MetricPoint]:
        """The last point of each of a job's metrics, by name; none for a job that is not there."""
        if not self._database.exists():
            return []
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT name, value, time, host FROM metrics WHERE rowid IN "
                "(SELECT max(rowid) FROM metrics WHERE job = ? GROUP BY name) ORDER BY name",
                (name,),
            )
            return [_point(*row) for row in rows]

    def add(self, description: Mapping[str, Any], directory: Path) -> None:
        """Records a new job, which this process runs.

        Args:
            description: The members of DescribeTrainingJob's answer.
            directory: Where its logs are.

        Raises:
            InvalidArgumentError: There was a job of this name.
        """
        owner = json.dumps(ProcessIdentity.this_process().to_json())
        name = description["TrainingJobName"]
        created = description["CreationTime"].timestamp()
        with self._database.writing() as connection:
            taken = _jobs(connection, "WHERE name = :name", {"name": name})
            if taken:
                since = taken[0].created.isoformat(" ", "seconds")
                raise InvalidArgumentError(
                    f"job_name={name!r} is taken: {self.path} has a job of this name of {since}; "
                    "choose another name, or leave it out"
                )
            connection.execute(
                "INSERT INTO jobs (name, created, status, description, directory, owner) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (name, created, *_written(description), str(directory), owner),
            )

    def forget(self, name: str) -> None:
        """Takes back what `add` did, for a job that could not begin."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM jobs WHERE name = ?", (name,))

    def delete(self, name: str) -> None:
        """Removes a job that has ended: its record, its metrics, and the folder of its logs.

        That folder holds the model of a job without an output path, and what could not be stored.

        Raises:
            NotFoundError: There is none of this name.
            FailedPreconditionError: It runs.
            PermissionDeniedError: The folder may not be removed; the record stays.
        """
        self.job(name)
        with self._database.writing() as connection:  # meanwhile nobody begins one of this name
            for job in _jobs(connection, "WHERE name = :name", {"name": name}):
                if not job.has_ended:
                    raise FailedPreconditionError(
                        f"job {name} is {job.status}: only a job that has ended can be deleted; "
                        "stop it first"
                    )
                with translated_os_errors(f"removing {job.directory}"):
                    if job.directory.exists():
                        shutil.rmtree(job.directory)
                connection.execute("DELETE FROM jobs WHERE name = ?", (name,))

    def update(self, description: Mapping[str, Any], points: Iterable[MetricPoint] = ()) -> None:
        """Records how a job of this process stands, and new points of its metrics."""
        name = description["TrainingJobName"]
        with self._database.writing() as connection:
            _update(connection, description)
            connection.executemany(
                "INSERT INTO metrics (job, name, time, value, host) VALUES (?, ?, ?, ?, ?)",
                [
                    (name, point.name, point.timestamp.timestamp(), point.value, point.host)
                    for point in points
                ],
            )

    def stop_requested(self, name: str) -> bool:
        """Whether somebody wants a job to stop."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT stop_requested IS NOT NULL FROM jobs WHERE name = ?", (name,)
            ).fetchone()
        return bool(row and row[0])

    def _note_ends(self) -> None:
        """Notes jobs whose process is gone as Failed, and removes what they ran in.

        Their wardens do that, unless they were killed too, as by a loss of power.
        """
        with self._database.reading() as connection:
            running = _jobs(connection, f"WHERE {_RUNNING}")
        abandoned = [job for job in running if job.is_abandoned]
        if not abandoned:
            return
        for job in abandoned:
            _remove_work(job)
        with self._database.writing() as connection:
            # Read anew: what is in the file now is all that the dead have written.
            for job in _jobs(connection, f"WHERE {_RUNNING}"):
                if job.is_abandoned:
                    _update(connection, job.as_failed())


def _jobs(
    connection: sqlite3.Connection, rest: str, values: Mapping[str, Any] | None = None
) -> list[RecordedJob]:
    # `rest` is a literal of this module; what users give is in `values`.
    rows = connection.execute(f"SELECT {_COLUMNS} FROM jobs {rest}", values or {})  # noqa: S608
    return [
        RecordedJob(
            description_from_text(description),
            Path(directory),
            ProcessIdentity.from_json(json.loads(owner)),
            bool(stop_requested),
        )
        for description, directory, owner, stop_requested in rows
    ]


def _remove_work(job: RecordedJob) -> None:
    """Removes each host's ``/opt/ml``, of a job whose process is gone; logs stay.

    Of a process before a reboot only if no log was written since: another machine of the same name,
    on a drive that they share, may have been meant.
    """
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    logs = [log for log in job.logs.values() if log.exists()]
    if job.owner.is_running() is None and any(log.stat().st_mtime > booted for log in logs):
        return
    directory = JobDirectory(job.name, job.directory.parent)
    for host in job.logs:
        shutil.rmtree(directory.ml_of(host).root, ignore_errors=True)


def _update(connection: sqlite3.Connection, description: Mapping[str, Any]) -> None:
    connection.execute(
        "UPDATE jobs SET status = ?, description = ? WHERE name = ?",
        (*_written(description), description["TrainingJobName"]),
    )


def _written(description: Mapping[str, Any]) -> tuple[str, str]:
    """Two columns: the status, and a description without secrets."""
    hidden = dict(description)
    if "Environment" in hidden:
        hidden["Environment"] = dict.fromkeys(hidden["Environment"], _HIDDEN)
    return hidden["TrainingJobStatus"], description_to_text(hidden)


def _point(name: str, value: float, seconds: float, host: str) -> MetricPoint:
    timestamp = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return MetricPoint(name, value, timestamp, host)
