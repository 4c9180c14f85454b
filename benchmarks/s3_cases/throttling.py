"""Servers that answer 503 SlowDown: some of the time, and to everything for a while."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import harness
from s3_data import SMALL

from s3_cases.bench import Bench, Task, judged, rates

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.prefetcher import Prefetcher
from tests.faulty_s3 import Fault, ServerOptions, faulty_s3

_LEAST_THROTTLED = 0.8
_LEAST_RECOVERED = 0.9
# Far more than the server gives out in the time.
_OBJECTS = 2000
_OBJECT_BYTES = 8 << 20
_CALM_SECONDS = 8
_STORM_SECONDS = 6
_RECOVERY_SECONDS = 10
# The first seconds find the number of connections.
_SETTLING_SECONDS = 3


def measure_throttled(bench: Bench) -> dict[str, Any]:
    """5 % of the requests answered by 503, against none."""
    samples = harness.interleave(
        {
            "throttled": bench.ours(Task(SMALL, bench.server.throttling)),
            "calm": bench.ours(Task(SMALL, bench.server.plain)),
        },
        bench.rounds,
    )
    return {
        "mb_per_second": {name: harness.summary(rates(taken)) for name, taken in samples.items()},
        "retries": [sample.found["retries"] for sample in samples["throttled"]],
        "throttled_to_calm": judged(
            harness.ratios(rates(samples["throttled"]), rates(samples["calm"])),
            at_least=_LEAST_THROTTLED,
        ),
    }


def measure_storm(bench: Bench) -> dict[str, Any]:
    """All requests answered by 503 for a while: when the rate is 90 % of what it was before."""
    storms = [_storm() for _ in range(min(3, bench.rounds))]
    recovered = [storm["recovered_after_seconds"] for storm in storms]
    return {
        "storm_seconds": _STORM_SECONDS,
        "storms": storms,
        "at_most_seconds": _RECOVERY_SECONDS,
        "met": all(seconds is not None for seconds in recovered),
    }


def _storm() -> dict[str, Any]:
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "access",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    # 16 connections of 20 MB/s at 20 ms: what our server, which is Python, gives with ease.
    options = ServerOptions(seed=1, latency=0.02, bytes_per_second=20e6)
    config = PrefetchConfig(connections=16, retry_tries=50, retry_seconds=300)
    with faulty_s3(options) as s3:
        os.environ["AWS_ENDPOINT_URL"] = s3.url
        s3.add({f"data/{i:04}": _OBJECT_BYTES for i in range(_OBJECTS)})
        with Prefetcher({"train": f"{s3.uri}/data/"}, config=config) as feed:
            meter = _Meter(Path(feed.dirs["pipe_dir"]) / "train_0")
            calm = meter.seconds(_CALM_SECONDS)
            s3.set_faults(Fault("slow_down", lasts=_STORM_SECONDS))
            storm = meter.seconds(_STORM_SECONDS)
            after = meter.seconds(_RECOVERY_SECONDS)
    usual = harness.summary(calm[_SETTLING_SECONDS:])["median"]
    back = [i for i, rate in enumerate(after) if rate >= _LEAST_RECOVERED * usual]
    return {
        "mb_per_second_before": calm,
        "mb_per_second_in_the_storm": storm,
        "mb_per_second_after": after,
        "usual_mb_per_second": usual,
        "recovered_after_seconds": back[0] if back else None,
    }


class _Meter:
    """Reads a pipe in a thread and tells how fast."""

    def __init__(self, pipe: Path) -> None:
        self._bytes = 0
        self._descriptor = os.open(pipe, os.O_RDONLY)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while block := os.read(self._descriptor, 1 << 20):
            self._bytes += len(block)
        os.close(self._descriptor)

    def seconds(self, count: int) -> list[float]:
        """MB/s in each of the next seconds."""
        found = []
        for _ in range(count):
            before, begin = self._bytes, time.monotonic()
            time.sleep(1)
            found.append(round((self._bytes - before) / 1e6 / (time.monotonic() - begin), 1))
        return found
