"""Whole jobs on a Ray cluster of three nodes, of which one is killed."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec

import boto3
import pytest

from tests.conftest import PutObjects
from tests.pipes import PATIENCE_SECONDS
from tests.ray_cluster import RayCluster, ray_cluster
from tests.transform.whole_jobs import csv_flags, run, save_doubler, smtf

NODES = 3
OBJECTS = 200
ROWS = [20 + 7 * (number % 50) for number in range(OBJECTS)]
BAD = [number for number in range(OBJECTS) if number % 100 == 0]  # have a bad row at their end

pytestmark = [
    pytest.mark.skipif(
        find_spec("ray") is None, reason="needs ray: pip install 'sagemaker-tensorflow[ray]'"
    ),
    pytest.mark.timeout(300),
]


@pytest.fixture
def cluster(bucket: str) -> Iterator[RayCluster]:
    """Its nodes find the bucket's server as this process does."""
    with ray_cluster(NODES) as running:
        yield running


def rows_of(number: int) -> bytes:
    rows = b"".join(b"%d,%d\n" % (number, row) for row in range(ROWS[number]))
    return rows + b"1,two\n" if number in BAD else rows


def results(bucket: str, prefix: str) -> dict[str, bytes]:
    client = boto3.client("s3")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    return {
        key.removeprefix(prefix): client.get_object(Bucket=bucket, Key=key)["Body"].read()
        for key in keys
        if ".smtf-transform" not in key
    }


def wait_for_results(bucket: str, job: subprocess.Popen[str]) -> None:
    """Looks now and then: the server has enough to do."""
    client = boto3.client("s3")
    deadline = time.monotonic() + 2 * PATIENCE_SECONDS  # three processes load TensorFlow
    while client.list_objects_v2(Bucket=bucket, Prefix="ray/0")["KeyCount"] < OBJECTS // 10:
        assert job.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_node_is_killed(
    cluster: RayCluster,
    bucket: str,
    put_objects: PutObjects,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Results are those of one machine, and the ledger is that of every engine."""
    model = save_doubler(tmp_path_factory.mktemp("doubler"))
    put_objects({f"in/{number:04}.csv": rows_of(number) for number in range(OBJECTS)})
    source, output = f"s3://{bucket}/in/", f"s3://{bucket}/ray"
    more = ("--on-error", "record", "--batch-size", "4")
    flags = csv_flags(model, source, output, *more)
    ray = ("--engine", "ray", "--ray-address", cluster.address)
    job = smtf(*flags, *ray)
    try:
        wait_for_results(bucket, job)
        cluster.kill_a_node()
        _, told = job.communicate(timeout=2 * PATIENCE_SECONDS)
    finally:
        job.kill()
        job.communicate()
    assert job.returncode == 3, told
    assert " will be done again, and another actor is made" in told
    counts = f"{OBJECTS} of {OBJECTS} objects, {sum(ROWS):,} records, {len(BAD)} records failed"
    assert counts in told
    here = run(model, source, f"s3://{bucket}/here", on_error="record")
    assert (here.status, here.records) == ("CompletedWithErrors", sum(ROWS))
    assert results(bucket, "ray/") == results(bucket, "here/")
    again = run(model, source, output, on_error="record")
    assert (again.status, again.objects_skipped) == ("CompletedWithErrors", OBJECTS)
