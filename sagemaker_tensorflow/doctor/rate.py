"""How fast a prefix streams through the engine and a named pipe of this machine."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sagemaker_tensorflow.doctor.bucket import Readable
from sagemaker_tensorflow.doctor.check import Check, ok, problem, warning
from sagemaker_tensorflow.doctor.pipe_drain import PipeDrain
from sagemaker_tensorflow.doctor.units import binary_size, duration, plural
from sagemaker_tensorflow.errors import PipeModeDatasetException
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.progress import format_bytes
from sagemaker_tensorflow.s3_session import S3Session

if TYPE_CHECKING:
    from sagemaker_tensorflow._prefetch import Feed, ObjectList, S3Source, Stats

_CHANNEL = "doctor"
# How long nothing may come before the measurement is given up.
_PATIENCE_SECONDS = 10.0
_LOOK_SECONDS = 0.02
# Of the cores' time; above, it is they that are measured.
_BUSY = 0.85
_NETWORK_ADVICE = "look at the network between here and the endpoint"


@dataclass(frozen=True)
class Stream:
    """Some seconds of streaming.

    Attributes:
        bytes: That came through the pipe.
        seconds: From the first of them.
        later_rate: Bytes per second over the second half, when the tuning has settled.
        first_byte: Seconds from the start; None when none came.
        cpu_seconds: Of this process, which is feeder and reader.
        stats: The engine's counters at the end.
    """

    bytes: int
    seconds: float
    later_rate: float
    first_byte: float | None
    cpu_seconds: float
    stats: Stats


def measure_rate(session: S3Session, bucket: str, readable: Readable, seconds: float) -> Check:
    """Streams what the first page of the listing has, again and again, for so long."""
    from sagemaker_tensorflow import _prefetch

    objects = _prefetch.ObjectList()
    objects.add(readable.objects)
    objects.finish()
    try:
        source = session.source(readable.address, bucket)
        return judge_stream(_stream(source, objects, seconds), len(os.sched_getaffinity(0)))
    except PipeModeDatasetException as error:
        return problem("rate", str(error), "")


def _stream(source: S3Source, objects: ObjectList, seconds: float) -> Stream:
    from sagemaker_tensorflow import _prefetch

    with tempfile.TemporaryDirectory(prefix="smtf-doctor-") as directory:
        feed = _prefetch.Feed(
            channel=_CHANNEL,
            pipe_dir=directory,
            source=source,
            objects=objects,
            memory_bytes=PrefetchConfig().memory_bytes,
        )
        drain = PipeDrain(Path(directory), _CHANNEL)
        try:
            feed.start()
            drain.start()
            return _watch(feed, drain, seconds)
        finally:
            feed.stop()
            drain.stop()


def _watch(feed: Feed, drain: PipeDrain, seconds: float) -> Stream:
    began, cpu_began = time.monotonic(), time.process_time()
    _await_more_than(0, feed, drain)
    if drain.first_byte_at is None:
        return Stream(0, 0, 0, None, 0, feed.stats())
    first = drain.first_byte_at
    _pass_until(first + seconds / 2, feed)
    half_bytes, half_time = drain.bytes, time.monotonic()
    _pass_until(first + seconds, feed)
    # When nothing came any more, an error may be on its way.
    _await_more_than(half_bytes, feed, drain)
    bytes_read, now = drain.bytes, time.monotonic()
    return Stream(
        bytes=bytes_read,
        seconds=now - first,
        later_rate=(bytes_read - half_bytes) / max(now - half_time, _LOOK_SECONDS),
        first_byte=first - began,
        cpu_seconds=time.process_time() - cpu_began,
        stats=feed.stats(),
    )


def _await_more_than(count: int, feed: Feed, drain: PipeDrain) -> None:
    """Waits for as many bytes, for an error, or until patience ends."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while drain.bytes <= count and not feed.stats()["error"] and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)


def _pass_until(moment: float, feed: Feed) -> None:
    """Lets time pass, or less of it when there is an error."""
    while time.monotonic() < moment and not feed.stats()["error"]:
        time.sleep(_LOOK_SECONDS)


def judge_stream(stream: Stream, cores: int) -> Check:
    """The rate, or why there is none."""
    stats = stream.stats
    if stats["error"]:
        return problem("rate", stats["error"], "")
    if stream.first_byte is None:
        return problem(
            "rate",
            f"no byte came within {_PATIENCE_SECONDS:.0f} s, {stats['retries']} retried",
            _NETWORK_ADVICE,
        )
    found = (
        f"{format_bytes(stream.later_rate)}/s through a pipe, {_limit(stream, cores)}; tuned to "
        f"{plural(stats['connections_limit'], 'connection')} and parts of "
        f"{binary_size(stats['part_bytes'])}; first bytes after {duration(stream.first_byte)}; "
        f"{format_bytes(stream.bytes)} in {stream.seconds:.1f} s, {stats['retries']} retried, "
        f"{stats['throttled']} throttled"
    )
    numbers = {
        "bytes_per_second": stream.later_rate,
        "bytes": stream.bytes,
        "seconds": stream.seconds,
        "first_byte_seconds": stream.first_byte,
        "connections": stats["connections_limit"],
        "part_bytes": stats["part_bytes"],
        "retries": stats["retries"],
        "throttled": stats["throttled"],
        "cpu_seconds": stream.cpu_seconds,
    }
    if not stream.later_rate:
        return problem("rate", f"the stream came to a stop; {found}", _NETWORK_ADVICE, **numbers)
    if stats["throttled"]:
        advice = "S3 asks for fewer requests: more prefixes, larger objects or fewer readers"
        return warning("rate", found, advice, **numbers)
    if stats["retries"]:
        return warning("rate", found, _NETWORK_ADVICE, **numbers)
    return ok("rate", found, **numbers)


def _limit(stream: Stream, cores: int) -> str:
    """What kept it from being faster."""
    if stream.cpu_seconds > _BUSY * cores * stream.seconds:
        return f"limited by {plural(cores, 'core')}"
    if stream.stats["reader_waited"] > stream.stats["feeder_waited"]:
        return "limited by S3 or the network"
    return "limited by the pipe's reader"
