"""Trouble that passes: every byte arrives once and in order, epoch after epoch."""

from __future__ import annotations

import re

import pytest

from sagemaker_tensorflow.prefetcher import Prefetcher
from tests.faults.conftest import ServeS3
from tests.faults.epochs import SIZES, check_epoch, digest, small_parts
from tests.faulty_s3 import Fault, FaultyS3, ServerOptions
from tests.pipes import outcome, read_epoch

pytestmark = pytest.mark.timeout(90)

PASSING = [
    Fault("slow_down", rate=0.3),
    Fault("slow_down", rate=0.1, retry_after=1),
    Fault("internal_error", rate=0.3),
    Fault("reset", rate=0.3),
    Fault("reset_in_body", rate=0.3, at=0.7),
    Fault("cut", rate=0.3, at=0.01),
    Fault("cut", rate=0.3, at=0.99),
    Fault("stall", rate=0.05),
    Fault("stall_in_body", rate=0.05),
    Fault("drip", rate=0.05, bytes_per_second=100_000),
    Fault("ignore_range", rate=0.3),
    Fault("redirect", rate=0.3),
    Fault("wrong_region", rate=0.3),
]


def fault_id(fault: Fault) -> str:
    return f"{fault.kind}-{fault.at:g}-{fault.retry_after}"


@pytest.mark.parametrize("fault", PASSING, ids=[fault_id(fault) for fault in PASSING])
def test_fault_that_passes(s3: FaultyS3, fault: Fault) -> None:
    s3.add(SIZES)
    s3.set_faults(fault)
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts()) as feed:
        for epoch in range(2):
            check_epoch(feed, s3, epoch)
    # Who is sent elsewhere may go there at once from then on.
    enough = 1 if fault.kind in ("redirect", "wrong_region") else 2
    assert s3.faults_given().get(fault.kind, 0) >= enough, "the seed gave too few of them"


@pytest.mark.parametrize("kind", ["wrong_range", "no_content_range"])
def test_answer_that_proves_nothing(s3: FaultyS3, kind: str) -> None:
    """Whose bytes these are is not known: they are asked for again, or it is an error."""
    s3.add(SIZES)
    s3.set_faults(Fault(kind, rate=0.1))
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts()) as feed:
        for epoch in range(2):
            data = read_epoch(feed.dirs["pipe_dir"], "train", epoch)
            said = outcome(feed.dirs["pipe_dir"], "train", epoch)
            truth = s3.truth("data/")
            assert digest(data) == digest(truth[: len(data)])
            if said["state"] == "done":
                assert len(data) == len(truth)
            else:
                assert said["error"]["kind"] == "DataLoss"
                assert re.match(r"s3://faulty/data/. bytes \d+-\d+: ", said["error"]["message"])
    assert kind in s3.faults_given()


def test_all_at_once(s3: FaultyS3) -> None:
    s3.add(SIZES)
    s3.set_faults(*(Fault(fault.kind, rate=0.03) for fault in PASSING))
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts(hedging=True)) as feed:
        for epoch in range(3):
            check_epoch(feed, s3, epoch)
    assert len(s3.faults_given()) >= 5


@pytest.mark.parametrize("kind", ["slow_down", "internal_error", "reset"])
def test_storm(s3: FaultyS3, kind: str) -> None:
    """Nothing but trouble for a while, longer than most of the first waits."""
    s3.add(SIZES)
    config = small_parts(retry_tries=50)
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=config) as feed:
        check_epoch(feed, s3)
        s3.set_faults(Fault(kind, lasts=1.5))
        check_epoch(feed, s3, 1)
        check_epoch(feed, s3, 2)
        assert feed.stats()["train"].retries > 0


def test_listing_is_retried(s3: FaultyS3, monkeypatch: pytest.MonkeyPatch) -> None:
    """2,500 keys are three pages, each of which fails at first."""
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")  # those of boto3 are wanted here
    sizes = {f"data/{number:05}": 10 for number in range(2500)}
    s3.add(sizes)
    s3.set_faults(
        Fault("slow_down", methods=("LIST",), count=1),
        Fault("reset", methods=("LIST",), rate=0.3),
        Fault("internal_error", methods=("LIST",), rate=0.3),
    )
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts()) as feed:
        check_epoch(feed, s3)
    assert sum(s3.faults_given().values()) >= 2


def test_slow_connections(serve: ServeS3) -> None:
    """100 ms to the first byte, and 4 MB/s of each connection."""
    s3 = serve(ServerOptions(seed=3, latency=0.1, bytes_per_second=4e6))
    s3.add(SIZES)
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts()) as feed:
        check_epoch(feed, s3)
