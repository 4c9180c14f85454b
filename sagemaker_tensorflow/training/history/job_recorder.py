"""Keeps the record of a job up to date while this process runs it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from sagemaker_tensorflow.errors import PipeModeDatasetException
from sagemaker_tensorflow.training.history.job_store import JobStore
from sagemaker_tensorflow.training.history.metric_point import MetricPoint
from sagemaker_tensorflow.training.history.metric_watcher import MetricWatcher

_log = logging.getLogger(__name__)

# How often logs are looked at: how exact a metric's time is.
_LOOK_SECONDS = 0.2
# How often points are written, and how soon a request to stop is seen.
_STORE_SECONDS = 1.0


class JobRecorder:
    """Writes what changes to the record, and obeys requests to stop that others leave there.

    A context manager for the time that the job runs; at its end the record says how it ended. It
    has a thread of its own. A record that cannot be written is warned of, once, and no reason for a
    job to fail.

    Args:
        store: The record; it has the job when this is entered.
        describe: The job in the members of DescribeTrainingJob's answer.
        stop: Has the job stopped, and returns at once.
        watcher: Finds its metrics; None if it has none.
    """

    def __init__(
        self,
        store: JobStore,
        describe: Callable[[], Mapping[str, Any]],
        stop: Callable[[], None],
        watcher: MetricWatcher | None = None,
    ) -> None:
        self._store = store
        self._describe = describe
        self._stop = stop
        self._watcher = watcher
        self._written = describe()  # as `JobStore.add` has it, or is soon to have it
        self._name: str = self._written["TrainingJobName"]
        self._points: list[MetricPoint] = []  # not written yet
        self._warned = False
        self._woken = threading.Event()
        self._closing = False
        self._thread = threading.Thread(
            target=self._serve, name=f"smtf-record-{self._name}", daemon=True
        )

    def wake(self) -> None:
        """Has a change written soon; for `JobStatus.subscribe`."""
        self._woken.set()

    def __enter__(self) -> JobRecorder:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self._woken.set()
        self._thread.join()
        if self._watcher is not None:
            for points in self._watcher.look_to_the_end():
                self._points += points
                self._write(self._written)  # that it has ended, only with its last point
        self._write(self._describe())

    def _serve(self) -> None:
        next_store = 0.0
        while not self._closing:
            changed = self._woken.wait(_STORE_SECONDS if self._watcher is None else _LOOK_SECONDS)
            self._woken.clear()
            if self._watcher is not None:
                self._points += self._watcher.look()
            if changed or time.monotonic() >= next_store:
                next_store = time.monotonic() + _STORE_SECONDS
                self._write(self._describe())
                self._obey()

    def _write(self, description: Mapping[str, Any]) -> None:
        if description == self._written and not self._points:
            return
        try:
            self._store.update(description, self._points)
        except PipeModeDatasetException as error:
            self._warn(error)  # the next time writes it all
        else:
            self._written = description
            self._points = []

    def _obey(self) -> None:
        try:
            if self._store.stop_requested(self._name):
                self._stop()
        except PipeModeDatasetException as error:
            self._warn(error)

    def _warn(self, error: PipeModeDatasetException) -> None:
        if not self._warned:
            self._warned = True
            _log.warning("job %s cannot be recorded: %s", self._name, error)
