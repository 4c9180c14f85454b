"""A retry asks for the bytes that are missing, and waits without holding anything up."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from sagemaker_tensorflow.prefetcher import Prefetcher
from tests.faults.epochs import PART, check_epoch, small_parts
from tests.faulty_s3 import Fault, FaultyS3

pytestmark = pytest.mark.timeout(60)


@pytest.mark.parametrize("kind", ["cut", "stall_in_body", "reset_in_body"])
def test_retry_begins_where_the_bytes_stopped(s3: FaultyS3, kind: str) -> None:
    # Behind it lies more than the memory holds: the next epoch has to wait.
    s3.add({"data/x": PART + 7, "data/y": 8 << 20})
    s3.set_faults(Fault(kind, at=0.75, count=3))
    config = small_parts(first_part_bytes=PART, connections=1)
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=config) as feed:
        check_epoch(feed, s3)
    of_first_part = [r for r in s3.requests(key="data/x") if r.begin < PART]
    last = next(n for n, r in enumerate(of_first_part) if r.begin + r.sent == PART)
    tries = of_first_part[: last + 1]
    assert len(tries) >= 2
    assert tries[0].begin == 0
    assert {request.end for request in tries} == {PART}
    for before, after in itertools.pairwise(tries):
        stopped = before.begin + before.sent
        if kind == "reset_in_body":  # a reset may take away what was under way
            assert before.begin <= after.begin <= stopped
        else:
            assert after.begin == stopped


def test_nothing_is_fetched_twice(s3: FaultyS3) -> None:
    """With bodies cut all over: every request but the first for a part continues a cut one."""
    s3.add({f"data/{name}": 900_000 for name in "abcd"})
    s3.set_faults(Fault("cut", rate=0.4, at=0.3))
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts()) as feed:
        check_epoch(feed, s3)
    requests = s3.requests()
    cut = Counter((r.key, r.begin + r.sent, r.end) for r in requests if r.fault)
    begun = Counter((r.key, r.begin, r.end) for r in requests)
    continued = Counter({r: n for r, n in begun.items() if r[1] % (PART // 2)})
    assert continued.total() >= 5
    assert not continued - cut
    # The next epoch is fetched before this one has been read, and once it has been, the one after.
    assert max((begun - continued).values()) <= 3


def test_waiting_part_holds_no_connection(s3: FaultyS3) -> None:
    """With two connections, one part that has to wait 2 s, and everything behind it arriving."""
    # Behind them lies more than the memory holds: the next epoch has to wait.
    s3.add({f"data/{number:02}": 20_000 for number in range(40)} | {"data/large": 8 << 20})
    s3.set_faults(Fault("slow_down", keys="data/00", retry_after=2, count=1))
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts(connections=2)) as feed:
        check_epoch(feed, s3)
    first, second, *_ = s3.requests(key="data/00")
    assert first.status == 503
    assert second.got_object
    assert second.started - first.ended >= 1.9, "Retry-After is a lower bound"
    meanwhile = {r.key for r in s3.requests() if first.ended < r.ended < second.started}
    assert len(meanwhile) >= 20, "the others did not go on"


def test_waiting_parts_hold_no_connection(s3: FaultyS3) -> None:
    """More parts wait than there are connections."""
    s3.add({f"data/{number:02}": 20_000 for number in range(40)})
    s3.set_faults(Fault("slow_down", keys="data/0?", retry_after=2, asks=1))
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts(connections=2)) as feed:
        check_epoch(feed, s3)
    requests = s3.requests()
    waits = [r for r in requests if r.status == 503]
    assert len({r.key for r in waits}) == 10
    end = min(r.ended for r in waits) + 2
    meanwhile = {r.key for r in requests if r.got_object and r.ended < end}
    assert len(meanwhile) >= 15, "the others did not go on"
