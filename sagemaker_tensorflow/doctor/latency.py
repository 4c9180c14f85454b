"""How long S3 takes to its first byte."""

from __future__ import annotations

import statistics
import time
from contextlib import closing

from sagemaker_tensorflow.doctor.bucket import Readable
from sagemaker_tensorflow.doctor.check import Check, ok
from sagemaker_tensorflow.doctor.s3_advice import s3_problem
from sagemaker_tensorflow.doctor.time_limit import within
from sagemaker_tensorflow.doctor.units import duration, plural
from sagemaker_tensorflow.errors import PipeModeDatasetException
from sagemaker_tensorflow.locations import S3Location
from sagemaker_tensorflow.s3_errors import translated_s3_errors
from sagemaker_tensorflow.s3_session import S3Session

_GETS = 9
_LIMIT_SECONDS = 20.0
# Enough for a median where S3 is slow.
_ENOUGH_SECONDS = 3.0


def measure_latency(session: S3Session, location: S3Location, readable: Readable) -> Check:
    """Median of several requests for one byte, over a connection that is open already.

    boto3's own time, a few milliseconds, is in it.
    """
    keys = [name for name, size, _ in readable.objects if size]
    try:
        times = within(
            _LIMIT_SECONDS,
            f"asking for one byte of {location}",
            lambda: _time_gets(session, location, keys),
        )
    except PipeModeDatasetException as error:
        return s3_problem("latency", error, "s3:GetObject", location)
    median = statistics.median(times)
    return ok(
        "latency",
        f"first byte after {duration(median)} (median of {plural(len(times), 'GET')}, "
        f"{duration(min(times))} to {duration(max(times))})",
        seconds=median,
    )


def _time_gets(session: S3Session, location: S3Location, keys: list[str]) -> list[float]:
    times: list[float] = []
    # Objects from all over the page, as S3 caches what was just asked for.
    keys = keys[:: max(1, len(keys) // _GETS)]
    while len(times) < _GETS and sum(times) < _ENOUGH_SECONDS:
        began = time.monotonic()
        with translated_s3_errors(f"reading {location}"):
            answer = session.client.get_object(
                Bucket=location.bucket, Key=keys[len(times) % len(keys)], Range="bytes=0-0"
            )
            times.append(time.monotonic() - began)
            with closing(answer["Body"]) as body:
                body.read(1)  # frees the connection for the next request
    return times
