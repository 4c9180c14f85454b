"""Looks for metrics in the logs of a job while they are written."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from pathlib import Path

from sagemaker_tensorflow.training.history.metric_definitions import MetricMatcher
from sagemaker_tensorflow.training.history.metric_point import MetricPoint
from sagemaker_tensorflow.training.log_tail import LogTail

# Of each log in one look, so that a script that prints much leaves time for other things.
_LOOK_BYTES = 4 << 20
# A line may have no end; a line of CloudWatch's log events has at most so many bytes, as of
# "CloudWatch Logs quotas".
_LINE_BYTES = 1 << 20


class MetricWatcher:
    """Finds the points of all hosts. For one thread.

    Args:
        logs: Of each host.
        matcher: Finds values in lines.
    """

    def __init__(self, logs: Mapping[str, Path], matcher: MetricMatcher) -> None:
        self._hosts = [_HostLines(host, LogTail(log)) for host, log in logs.items()]
        self._matcher = matcher

    def look(self) -> list[MetricPoint]:
        """What is new in complete lines, of some megabytes of each log at most."""
        return [point for host in self._hosts for point in self._points(host, host.read())]

    def look_to_the_end(self) -> Iterator[list[MetricPoint]]:
        """All that is left in logs that do not grow any more, some megabytes at a time."""
        for host in self._hosts:
            while not host.at_end:
                yield list(self._points(host, host.read()))
            yield list(self._points(host, host.last_line()))

    def _points(self, host: _HostLines, lines: list[str]) -> Iterator[MetricPoint]:
        now = datetime.datetime.now(datetime.timezone.utc)
        for name, value in self._matcher.values(lines):
            yield MetricPoint(name, value, now, host.name)


class _HostLines:
    def __init__(self, name: str, tail: LogTail) -> None:
        self.name = name
        self.at_end = False
        self._tail = tail
        self._rest = b""

    def read(self) -> list[str]:
        data = self._tail.read(_LOOK_BYTES)
        self.at_end = not data
        # A progress bar begins its line anew, without ending it.
        text = (self._rest + data).replace(b"\r", b"\n")
        whole, _, self._rest = text.rpartition(b"\n")
        lines = whole.decode(errors="replace").split("\n")
        return lines + self.last_line() if len(self._rest) > _LINE_BYTES else lines

    def last_line(self) -> list[str]:
        line, self._rest = self._rest, b""
        return [line.decode(errors="replace")]
