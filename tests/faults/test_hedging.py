"""A part that is much slower than the others is asked for a second time."""

from __future__ import annotations

import pytest

from sagemaker_tensorflow.prefetcher import Prefetcher
from tests.faults.epochs import PART, check_epoch, small_parts
from tests.faulty_s3 import Fault, FaultyS3

pytestmark = pytest.mark.timeout(60)

SIZE = 60 * PART


@pytest.mark.parametrize("kind", ["stall", "stall_in_body", "drip"])
def test_slow_part_is_fetched_twice(s3: FaultyS3, kind: str) -> None:
    """One request stalls for ever, or would take minutes; nothing else would end its wait."""
    s3.add({"data/x": SIZE})
    s3.set_faults(Fault(kind, from_offset=40 * PART, count=1, bytes_per_second=1000))
    config = small_parts(hedging=True, stall_seconds=600)
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=config) as feed:
        check_epoch(feed, s3)
        stats = feed.stats()["train"]
    assert stats.hedges >= 1
    assert stats.hedges_won >= 1
    requests = s3.requests()
    slow = next(r for r in requests if r.fault)
    again = [r for r in requests if r is not slow and r.begin <= slow.begin < (r.end or 0)]
    # What was slow did not bring it.
    assert any(r.got_object and not r.fault for r in again)


def test_hedging_has_a_budget(s3: FaultyS3) -> None:
    """When everything is slow, asking for everything twice would only make it worse."""
    s3.add({"data/x": SIZE})
    s3.set_faults(Fault("drip", bytes_per_second=400_000, from_offset=10 * PART))
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts(hedging=True)) as feed:
        check_epoch(feed, s3)
        stats = feed.stats()["train"]
    assert stats.hedges <= 0.2 * len(s3.requests())


def test_hedging_can_be_switched_off(s3: FaultyS3) -> None:
    s3.add({"data/x": SIZE})
    s3.set_faults(Fault("stall", from_offset=40 * PART, count=1, seconds=1.5))
    config = small_parts(hedging=False, stall_seconds=600)
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=config) as feed:
        check_epoch(feed, s3)
        assert feed.stats()["train"].hedges == 0
