"""Credentials that end before the run does."""

from __future__ import annotations

import pytest

from sagemaker_tensorflow.prefetcher import Prefetcher
from tests.faults.conftest import ServeS3, UseTemporaryCredentials
from tests.faults.epochs import SIZES, check_epoch, fail_epoch, small_parts
from tests.faulty_s3 import Fault, FaultyS3, ServerOptions
from tests.pipes import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.timeout(PATIENCE_SECONDS + 30)


def signers(s3: FaultyS3) -> set[int | None]:
    """With which keys objects were got, as numbers."""
    return {request.signer for request in s3.requests() if request.got_object}


@pytest.mark.parametrize(
    "told_life", [None, 36_000], ids=["refreshed before their end", "end before they were to"]
)
def test_run_that_is_longer_than_their_life(
    serve: ServeS3, use_temporary_credentials: UseTemporaryCredentials, told_life: float | None
) -> None:
    s3 = serve(ServerOptions(bytes_per_second=5e6))
    s3.add(SIZES)
    use_temporary_credentials(s3, life=2.5, told_life=told_life)
    epoch = 0
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts()) as feed:

        def three_keys_were_used() -> bool:
            nonlocal epoch
            check_epoch(feed, s3, epoch)
            epoch += 1
            return len(signers(s3)) >= 3

        wait_until(three_keys_were_used, "keys are refreshed twice")


def test_all_connections_are_refused_at_once(
    serve: ServeS3, use_temporary_credentials: UseTemporaryCredentials
) -> None:
    """In the middle of an epoch; its bytes go on with the new key."""
    s3 = serve(ServerOptions(latency=0.02))
    s3.add(SIZES)
    use_temporary_credentials(s3, life=36_000)
    s3.set_faults(Fault("expire", keys="data/d", count=1))
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts()) as feed:
        check_epoch(feed, s3)
        check_epoch(feed, s3, 1)
    assert len(signers(s3)) == 2
    refused = [r for r in s3.requests() if r.status == 400]
    # Each connection may have had one under way, and no part was sent twice with the old key.
    assert 1 <= len(refused) <= 4
    assert len({(r.key, r.begin) for r in refused}) == len(refused)


def test_credentials_that_stay_refused(
    serve: ServeS3, use_temporary_credentials: UseTemporaryCredentials
) -> None:
    """New ones are tried once, then it is an error."""
    s3 = serve(ServerOptions())
    s3.add(SIZES)
    credentials = use_temporary_credentials(s3, life=36_000)
    s3.set_faults(Fault("expired_token", keys="data/d"))
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts()) as feed:
        failed = fail_epoch(feed, s3)
    assert failed.kind == "PermissionDenied"
    assert "s3://faulty/data/d bytes 0-" in failed.message
    assert "403 ExpiredToken" in failed.message
    assert 2 <= len(credentials.issued()) < 12
    assert max(len(r) for r in by_range(s3, "data/d").values()) <= 2


def test_static_credentials_that_end(s3: FaultyS3) -> None:
    """There are no others: an error, and soon."""
    s3.add(SIZES)
    s3.set_faults(Fault("expire", keys="data/d", count=1))
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts()) as feed:
        failed = fail_epoch(feed, s3)
        assert failed.kind == "PermissionDenied"
        assert "400 ExpiredToken" in failed.message
        assert "s3://faulty/data/" in failed.message
        assert feed.alive
    assert max(len(r) for r in by_range(s3, "data/d").values()) <= 2


def by_range(s3: FaultyS3, key: str) -> dict[int, list[object]]:
    """The requests for a key of which no byte came, by where they begin."""
    ranges: dict[int, list[object]] = {}
    for request in s3.requests(key=key):
        if request.status in (400, 403):
            ranges.setdefault(request.begin, []).append(request)
    return ranges
