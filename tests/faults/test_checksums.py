"""Bytes that changed on the way, under a checksum header that is right."""

from __future__ import annotations

import re

import pytest

from sagemaker_tensorflow.prefetcher import Prefetcher
from tests.faults.conftest import ServeS3
from tests.faults.epochs import PART, check_epoch, digest, fail_epoch, small_parts
from tests.faulty_s3 import Fault, ServerOptions
from tests.pipes import outcome, read_epoch

pytestmark = pytest.mark.timeout(60)

ALGORITHMS = ["crc32", "crc32c", "crc64nvme"]
# What fits into a part is verified before a byte of it is passed on.
SMALL = {"data/a": 40_000, "data/b": 50_000, "data/c": 1, "data/d": 0}
LARGE = {"data/a": 40_000, "data/b": 3 * PART + 5, "data/c": 20}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_right_bytes(serve: ServeS3, algorithm: str) -> None:
    s3 = serve(ServerOptions(checksum=algorithm))
    s3.add(SMALL)
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts()) as feed:
        check_epoch(feed, s3)
        assert feed.stats()["train"].checksums_verified >= 3


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_flipped_bit_is_fetched_again(serve: ServeS3, algorithm: str) -> None:
    s3 = serve(ServerOptions(checksum=algorithm))
    s3.add(SMALL)
    s3.set_faults(Fault("flip", asks=1, keys="data/[ab]", at=0.999))
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts()) as feed:
        check_epoch(feed, s3)
        assert feed.stats()["train"].retries >= 2
    assert s3.faults_given()["flip"] >= 2


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_bits_that_stay_flipped(serve: ServeS3, algorithm: str) -> None:
    s3 = serve(ServerOptions(checksum=algorithm))
    s3.add(SMALL)
    s3.set_faults(Fault("flip", keys="data/b"))
    config = small_parts(retry_tries=3)
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=config) as feed:
        failed = fail_epoch(feed, s3)
    assert failed.kind == "DataLoss"
    assert failed.message.startswith("s3://faulty/data/b bytes 0-49999: ")
    assert algorithm in failed.message.lower().replace("-", "")
    assert re.search(r" after \d+ tries in ", failed.message)
    assert len(failed.data) == SMALL["data/a"]


@pytest.mark.parametrize("asks", [1, None], ids=["once", "for ever"])
def test_flipped_bit_of_a_large_object(serve: ServeS3, asks: int | None) -> None:
    """Its parts may be passed on before the checksum is complete, but never for a whole epoch."""
    s3 = serve(ServerOptions(checksum="crc32", checksum_of_ranges=True))
    s3.add(LARGE)
    s3.set_faults(Fault("flip", keys="data/b", from_offset=PART, asks=asks))
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts(retry_tries=3)) as feed:
        data = read_epoch(feed.dirs["pipe_dir"], "train", 0)
        said = outcome(feed.dirs["pipe_dir"], "train", 0)
    if asks and said["state"] == "done":
        assert digest(data) == digest(s3.truth("data/"))
    else:
        assert said["state"] == "error", said
        assert said["error"]["kind"] == "DataLoss"
        assert said["error"]["message"].startswith("s3://faulty/data/b")
        assert "CRC32 of the whole object that came is " in said["error"]["message"]


def test_checksum_of_the_whole_beside_a_range(serve: ServeS3) -> None:
    """Some stores send it; it is not the range's."""
    s3 = serve(ServerOptions(checksum="crc32", checksum_of_ranges=True))
    s3.add(LARGE)
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts()) as feed:
        check_epoch(feed, s3)
        check_epoch(feed, s3, 1)


def test_checksums_can_be_switched_off(serve: ServeS3) -> None:
    s3 = serve(ServerOptions(checksum="crc32"))
    s3.add(SMALL)
    s3.set_faults(Fault("flip", keys="data/b", at=0))
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts(checksums=False)) as feed:
        data = read_epoch(feed.dirs["pipe_dir"], "train", 0)
        assert outcome(feed.dirs["pipe_dir"], "train", 0)["state"] == "done"
        assert feed.stats()["train"].checksums_verified == 0
    changed = bytearray(s3.truth("data/"))
    changed[SMALL["data/a"]] ^= 0x10
    assert digest(data) == digest(bytes(changed))
