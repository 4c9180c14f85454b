"""Listing a million keys: our listing over 1 and 8 connections against boto3's paginator.

The server (native/list_server.cc) makes the keys up and answers from memory, on loopback, in the
layouts that its head names.

  near     answers at once, 1,000,000 keys; server and client share the machine, so the CPU time
           of the client says more than the rate
  distant  50 ms to each page, as S3 takes, 100,000 keys

boto3 lists 100,000 keys, with the region and the credentials given; everything is stated per key.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections.abc import Callable
from typing import TypeAlias

import boto3
import harness
from native_programs import program, serving

LAYOUTS = ("flat", "folders", "hashes")
DISTANT_MS = 50
BOTO3_KEYS = 100_000
# Of one run; "seconds" and "cpu_seconds" of the client, from its first request on.
Sample: TypeAlias = dict[str, float]


def list_ours(url: str, connections: int) -> Sample:
    """Into an ObjectList, in a process of its own."""
    command = [str(program("list_keys")), url, str(connections)]
    sample: Sample = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return sample


def list_boto3(url: str) -> Sample:
    """Through boto3's paginator; what it gives is dropped."""
    client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
    )
    cpu, begin = time.process_time(), time.perf_counter()
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="bucket")
    keys = sum(len(page["Contents"]) for page in pages)
    return {
        "keys": keys,
        "seconds": time.perf_counter() - begin,
        "cpu_seconds": time.process_time() - cpu,
    }


def per_key(samples: list[Sample], name: str) -> list[float]:
    """Microseconds, or bytes where the name says so already."""
    if name.endswith("_per_key"):
        return [sample[name] for sample in samples]
    return [sample[name] / sample["keys"] * 1e6 for sample in samples]


def describe(samples: list[Sample]) -> dict[str, harness.Summary]:
    """What one contestant took."""
    described = {
        "microseconds_per_key": harness.summary(per_key(samples, "seconds")),
        "cpu_microseconds_per_key": harness.summary(per_key(samples, "cpu_seconds")),
    }
    if "first_page_seconds" in samples[0]:
        first = [sample["first_page_seconds"] for sample in samples]
        described["first_page_seconds"] = harness.summary(first)
        for name in ("bytes_per_key", "peak_bytes_per_key"):
            described[name] = harness.summary(per_key(samples, name))
    return described


def measure(layout: str, keys: int, latency_ms: int, rounds: int) -> dict[str, object]:
    """One layout at one distance."""
    with (
        serving("list_server", layout, keys, latency_ms) as url,
        serving("list_server", layout, min(keys, BOTO3_KEYS), latency_ms) as boto3_url,
    ):
        contestants: dict[str, Callable[[], Sample]] = {
            "ours_1": lambda: list_ours(url, 1),
            "ours_8": lambda: list_ours(url, 8),
            "boto3": lambda: list_boto3(boto3_url),
        }
        samples = harness.interleave(contestants, rounds)
    for name, runs in samples.items():
        expected = min(keys, BOTO3_KEYS) if name == "boto3" else keys
        if any(run["keys"] != expected for run in runs):
            raise ValueError(f"{name} listed {runs[0]['keys']} keys of {expected}")
    return {
        "layout": layout,
        "keys": keys,
        "latency_ms": latency_ms,
        "contestants": {name: describe(runs) for name, runs in samples.items()},
        "boto3_to_ours_8": {
            name: harness.ratios(per_key(samples["boto3"], name), per_key(samples["ours_8"], name))
            for name in ("seconds", "cpu_seconds")
        },
        "speedup_of_8_connections": harness.ratios(
            per_key(samples["ours_1"], "seconds"), per_key(samples["ours_8"], "seconds")
        ),
    }


def main() -> None:
    """Parses the command line, measures, prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keys", type=int, default=1_000_000, help="of the near server")
    parser.add_argument("--distant-keys", type=int, default=100_000)
    options = parser.parse_args()
    results = []
    for layout in LAYOUTS:
        results.append(measure(layout, options.keys, 0, options.rounds))
        results.append(measure(layout, options.distant_keys, DISTANT_MS, options.rounds))
    harness.print_report(
        "listing", results, rounds=options.rounds, versions={"boto3": boto3.__version__}
    )


if __name__ == "__main__":
    main()
