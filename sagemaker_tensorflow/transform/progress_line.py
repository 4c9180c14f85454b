"""A transform job's progress on stderr."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TextIO

from sagemaker_tensorflow.errors import PipeModeDatasetException
from sagemaker_tensorflow.progress import TerminalLine, format_bytes
from sagemaker_tensorflow.transform.job_progress import JobProgress, ProgressSnapshot, Sample
from sagemaker_tensorflow.transform.quantities import counted, format_seconds

_log = logging.getLogger(__name__)

# Rates are those of the last so many seconds: long enough to be read, short enough to be of now.
_RATE_SECONDS = 10.0
_REDRAW_SECONDS = 0.5
# Where there is no terminal, a line stays: logs of a day are to stay readable.
_LINE_SECONDS = 30.0


def describe_progress(now: ProgressSnapshot) -> str:
    """One line: objects done of all, records/s, MB/s of input, the time that is left, failures."""
    records_rate, bytes_rate = _rates(now)
    total = "? objects" if now.objects is None else counted(now.objects, "object")
    parts = [
        f"{now.objects_ended:,}/{total}",
        counted(now.records, "record"),
        f"{records_rate:,.0f} records/s",
        f"{format_bytes(bytes_rate)}/s",
    ]
    left = now.bytes_expected - now.bytes_in
    if bytes_rate > 0 and left > 0:
        parts.append(f"{format_seconds(left / bytes_rate)} left")
    if now.objects_skipped:
        parts.append(f"{now.objects_skipped:,} finished before")
    if now.objects_failed:
        parts.append(f"{counted(now.objects_failed, 'object')} failed")
    if now.records_failed:
        parts.append(f"{counted(now.records_failed, 'record')} failed")
    return ", ".join(parts)


def _rates(now: ProgressSnapshot) -> tuple[float, float]:
    last = now.samples[-1]
    before = _sample_before(now.samples, last.seconds - _RATE_SECONDS)
    seconds = last.seconds - before.seconds
    if seconds <= 0:
        return 0.0, 0.0
    records = (last.records - before.records) / seconds
    return records, (last.bytes_in - before.bytes_in) / seconds


def _sample_before(samples: tuple[Sample, ...], seconds: float) -> Sample:
    return next((s for s in reversed(samples) if s.seconds <= seconds), samples[0])


class LiveProgress:
    """Shows a job's progress as long as it is open, and samples it. A context manager.

    Args:
        progress: The job's counters.
        stream: For lines, where `line` is None. None shows nothing.
        line: The line of a terminal, for `AboveProgress` to share.
        publish: Called now and then with the counters, to write them down; its errors are logged.
        line_seconds: Between lines without a terminal, and between calls of `publish`.
    """

    def __init__(
        self,
        progress: JobProgress,
        stream: TextIO | None,
        line: TerminalLine | None = None,
        publish: Callable[[ProgressSnapshot], None] | None = None,
        line_seconds: float = _LINE_SECONDS,
    ) -> None:
        self._progress = progress
        self._stream = stream
        self._line = line
        self._publish = publish
        self._line_seconds = line_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="smtf-progress", daemon=True)

    def __enter__(self) -> LiveProgress:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        if self._line is not None:
            self._line.clear()

    def _run(self) -> None:
        due = time.monotonic() + self._line_seconds
        while not self._ended.wait(min(_REDRAW_SECONDS, self._line_seconds)):
            self._progress.sample()
            if self._line is not None:
                self._line.show(describe_progress(self._progress.snapshot()))
            if time.monotonic() >= due:
                due = time.monotonic() + self._line_seconds
                self._report()

    def _report(self) -> None:
        now = self._progress.snapshot()
        if self._line is None and self._stream is not None:
            self._stream.write(f"{describe_progress(now)}\n")
            self._stream.flush()
        if self._publish is None:
            return
        try:
            self._publish(now)
        except PipeModeDatasetException as error:
            _log.warning("cannot write down how the job goes: %s", error)
