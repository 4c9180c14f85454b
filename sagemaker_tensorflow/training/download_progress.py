"""How far a download is."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from sagemaker_tensorflow.progress import format_bytes

# How often a download says how far it is, in seconds.
_REPORT_SECONDS = 0.5
# The rate is that of the last so many reports, which are 10 seconds.
_RATE_REPORTS = 20


@dataclass(frozen=True)
class DownloadProgress:
    """A download under way. Sizes in bytes, times in seconds.

    Attributes:
        objects: Files that are complete.
        objects_total: All files.
        bytes: Written, also those of the file under way.
        bytes_total: Of all files.
        seconds: Since the first byte was asked for.
        bytes_per_second: Over the last 10 seconds.
    """

    objects: int
    objects_total: int
    bytes: int
    bytes_total: int
    seconds: float
    bytes_per_second: float

    def __str__(self) -> str:
        """One line: ``3/10 objects, 1.2 GB of 4.0 GB, 210 MB/s``."""
        return (
            f"{self.objects}/{self.objects_total} objects, "
            f"{format_bytes(self.bytes)} of {format_bytes(self.bytes_total)}, "
            f"{format_bytes(self.bytes_per_second)}/s"
        )


@dataclass(frozen=True)
class DownloadStats:
    """A download that has ended.

    Attributes:
        objects: Files that were written.
        bytes: In them.
        seconds: From the first request for an object to the last rename; 0 without objects.
        retries: Of parts of objects.
    """

    objects: int
    bytes: int
    seconds: float
    retries: int


class DownloadMeter:
    """Counts, and says now and then how far it is.

    Args:
        objects_total: All files.
        bytes_total: Of all files.
        report: Called at once, then about twice a second as long as bytes come, and at the end.
    """

    def __init__(
        self,
        objects_total: int,
        bytes_total: int,
        report: Callable[[DownloadProgress], None] | None,
    ) -> None:
        self._objects_total = objects_total
        self._bytes_total = bytes_total
        self._report = report
        self._since = time.monotonic()
        self._samples: deque[tuple[float, int]] = deque([(0.0, 0)], maxlen=_RATE_REPORTS + 1)
        self.objects = 0
        self.bytes = 0
        self._say(0.0)

    @property
    def seconds(self) -> float:
        """Since it was made."""
        return time.monotonic() - self._since

    def add(self, count: int, ended: bool) -> None:
        """Bytes were written; `ended` says that a file is complete."""
        self.bytes += count
        self.objects += ended
        seconds = self.seconds
        if seconds - self._samples[-1][0] >= _REPORT_SECONDS:
            self._say(seconds)

    def finish(self) -> None:
        """Says how far it came."""
        self._say(self.seconds)

    def _say(self, seconds: float) -> None:
        self._samples.append((seconds, self.bytes))
        if self._report is None:
            return
        before_seconds, before_bytes = self._samples[0]
        passed = seconds - before_seconds
        rate = (self.bytes - before_bytes) / passed if passed > 0 else 0.0
        self._report(
            DownloadProgress(
                self.objects, self._objects_total, self.bytes, self._bytes_total, seconds, rate
            )
        )
