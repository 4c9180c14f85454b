"""Conditional writes on two S3 servers that have nothing in common."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from sagemaker_tensorflow.errors import NotFoundError
from sagemaker_tensorflow.locations import S3Location
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.transform.conditional_object import ConditionalObject
from sagemaker_tensorflow.transform.s3_output_store import S3OutputStore


@pytest.fixture(params=["bucket", "gateway_bucket"])
def s3_store(request: pytest.FixtureRequest) -> Iterator[S3OutputStore]:
    location = S3Location(request.getfixturevalue(request.param), "some/results")
    with contextlib.closing(S3OutputStore(location, S3Options())) as opened:
        yield opened


def test_only_what_was_seen_is_replaced(s3_store: S3OutputStore) -> None:
    one = ConditionalObject(s3_store, "x")
    assert one.read() is None
    assert one.write(b"0", '"of an object that is gone"') is None
    first = one.write(b"1", None)
    assert first is not None
    assert one.write(b"2", None) is None
    assert one.find_out(b"1", first) == first
    second = one.write(b"2", first)
    assert second is not None
    assert one.write(b"3", first) is None
    seen = one.read()
    assert seen is not None
    assert (seen.data, seen.etag) == (b"2", second)
    assert -2 < seen.age_seconds < 60
    assert one.atomic


def test_of_writers_at_a_time_one_that_was_told_so_is_the_last(gateway_bucket: str) -> None:
    """Ceph's gateway may tell two of the same moment; what lies there is one of theirs."""
    store = S3OutputStore(S3Location(gateway_bucket, ""), S3Options())
    with contextlib.closing(store), ThreadPoolExecutor(8) as threads:

        def write(number: int, seen: str | None) -> str | None:
            return ConditionalObject(store, "x").write(b"%d" % number, seen)

        etag = None
        for _ in range(5):
            written = list(threads.map(lambda n, etag=etag: write(n, etag), range(8)))
            seen = ConditionalObject(store, "x").read()
            assert seen is not None
            assert written[int(seen.data)] == seen.etag
            assert None in written
            etag = seen.etag


def test_a_bucket_that_is_not_there(aws: str) -> None:
    with contextlib.closing(S3OutputStore(S3Location("no-such-bucket", ""), S3Options())) as store:
        with pytest.raises(NotFoundError, match="make bucket"):
            ConditionalObject(store, "x").read()
        with pytest.raises(NotFoundError, match="make bucket"):
            ConditionalObject(store, "x").write(b"", None)
