"""What the server saw."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class LoggedRequest:
    """A request and its answer; nothing that a client has to keep secret.

    Attributes:
        method: ``GET``, ``HEAD`` or ``LIST``.
        key: Or the prefix, when listing.
        begin: Of the range that was asked for; 0 for the whole object.
        end: Its end, which is not part of it; None for the whole object.
        connection: A number.
        host: 0, or 1 for the server's other port.
        signer: A number for the access key; None for an anonymous request.
        fault: The kind that was injected, or "".
        started: When the request had come, by `time.monotonic`, which all processes share.
        ended: When the answer had been handed to the system, or was broken off; 0 until then.
        status: Of HTTP; 0 when there was no answer.
        sent: Bytes of the body.
    """

    method: str
    key: str
    begin: int
    end: int | None
    connection: int
    host: int
    signer: int | None
    fault: str = ""
    started: float = 0
    ended: float = 0
    status: int = 0
    sent: int = 0

    @property
    def got_object(self) -> bool:
        """Whether the answer was an object or a range of one, all of it or not."""
        return self.status in (200, 206)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class RequestLog:
    """Counts everything, and keeps the latest requests. Thread-safe."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._lock = threading.Lock()
        self._requests: list[LoggedRequest] = []
        self._faults: Counter[str] = Counter()
        self._statuses: Counter[int] = Counter()
        self._body_bytes = 0

    def begin(self, request: LoggedRequest) -> None:
        request.started = time.monotonic()
        with self._lock:
            self._requests.append(request)
            if len(self._requests) > 2 * self._keep:
                del self._requests[: -self._keep]

    def end(self, request: LoggedRequest) -> None:
        request.ended = time.monotonic()
        with self._lock:
            self._statuses[request.status] += 1
            self._body_bytes += request.sent
            if request.fault:
                self._faults[request.fault] += 1

    def clear(self) -> None:
        with self._lock:
            self._requests.clear()
            self._faults.clear()
            self._statuses.clear()
            self._body_bytes = 0

    def requests(self) -> list[dict[str, Any]]:
        with self._lock:
            return [request.to_json() for request in self._requests]

    def totals(self) -> dict[str, Any]:
        with self._lock:
            return {
                "faults": dict(self._faults),
                "statuses": {str(status): n for status, n in self._statuses.items()},
                "body_bytes": self._body_bytes,
            }


def most_at_a_time(requests: Iterable[LoggedRequest]) -> int:
    """The largest number of them that were under way together."""
    edges = [(r.started, 1) for r in requests] + [(r.ended, -1) for r in requests if r.ended]
    most = now = 0
    for _, step in sorted(edges):
        now += step
        most = max(most, now)
    return most


def mean_at_a_time(requests: Sequence[LoggedRequest], begin: float, end: float) -> float:
    """How many of them were under way on average between two times."""
    spans = (min(r.ended or end, end) - max(r.started, begin) for r in requests)
    return sum(span for span in spans if span > 0) / (end - begin)
