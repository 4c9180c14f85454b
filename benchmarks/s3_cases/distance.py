"""A server as far away as S3: the rate that connections give, and the time to the first record."""

from __future__ import annotations

import math
from typing import Any

import harness
from nginx_server import BYTES_PER_SECOND, LATENCY_SECONDS
from s3_data import BIG

from s3_cases.bench import Bench, Sample, Task, described, judged, rates
from s3_cases.channel import Channel
from s3_cases.tuning import MEMORY_BYTES

_CONNECTIONS = (4, 8, 16)
# Long enough for the beginning, with small parts, and the end, with idle connections, to matter
# little.
_SECONDS = 8
_LEAST_SHARE = 0.9
_MOST_ROUND_TRIPS = 2.5


def measure_rate(bench: Bench) -> dict[str, Any]:
    """MB/s with so many connections, and with a number that is found at run time."""
    rounds = min(3, bench.rounds)
    results: dict[str, Any] = {}
    for connections in _CONNECTIONS:
        limit = connections * BYTES_PER_SECOND / 1e6
        samples = _run(bench, connections, limit, rounds)
        share = harness.summary([rate / limit for rate in rates(samples)])
        results[f"{connections} connections"] = {
            **described(samples),
            "limit_mb_per_second": limit,
            "share_of_limit": judged(share, at_least=_LEAST_SHARE),
        }
    results["auto"] = described(_run(bench, 0, _CONNECTIONS[-1] * BYTES_PER_SECOND / 1e6, rounds))
    return {
        "latency_seconds": LATENCY_SECONDS,
        "mb_per_second_and_connection": BYTES_PER_SECOND / 1e6,
        "memory_bytes": MEMORY_BYTES,
        **results,
    }


def _run(bench: Bench, connections: int, mb_per_second: float, rounds: int) -> list[Sample]:
    task = Task(
        BIG,
        bench.server.distant,
        passes=math.ceil(mb_per_second * 1e6 * _SECONDS / BIG.bytes),
        connections=connections,
        part_bytes=0,
        memory_bytes=MEMORY_BYTES,
    )
    run = bench.ours(task)
    return [run() for _ in range(rounds)]


def measure_first_record(bench: Bench) -> dict[str, Any]:
    """From the arrival of the prefetcher's first request to the first record, in round trips."""
    trips, start_up, requests = [], [], 0
    for _ in range(bench.rounds):
        times = Channel(bench, bench.server.distant, BIG).first_record()
        arrivals = bench.server.arrivals(times["begin"])
        before = [came for came, _ in arrivals if came < times["first_record"]]
        trips.append((times["first_record"] - before[0]) / LATENCY_SECONDS)
        start_up.append(before[0] - times["begin"])
        requests = len(before)
    return {
        "latency_seconds": LATENCY_SECONDS,
        "round_trips": judged(harness.summary(trips), at_most=_MOST_ROUND_TRIPS),
        "seconds_to_first_request": harness.summary(start_up),
        "requests_before_the_first_record": requests,
    }
