"""Streams of objects with their boundaries: which objects suffer from what."""

from __future__ import annotations

import pytest

from sagemaker_tensorflow.errors import PermissionDeniedError, UnavailableError
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.transform.input_objects import list_inputs
from sagemaker_tensorflow.transform.object_stream import ObjectStream
from tests.faults.conftest import ServeS3
from tests.faults.epochs import PART, small_parts
from tests.faulty_s3 import Fault, FaultyS3, ServerOptions
from tests.pipes import PATIENCE_SECONDS

pytestmark = pytest.mark.timeout(PATIENCE_SECONDS + 30)

SIZES = {"data/a": 3 * PART, "data/b": 10, "data/c": 0, "data/d": 3 * PART, "data/e": 5}


def read(s3: FaultyS3, **numbers: float) -> dict[str, bytes | Exception]:
    """Every object's bytes, or why it cannot be had, by its name; in order."""
    s3.add(SIZES)
    objects = list_inputs(f"{s3.uri}/data/", "S3Prefix", S3Options())
    seen: dict[str, bytes | Exception] = {}
    with ObjectStream(objects, config=small_parts(**numbers)) as stream:
        for chunk in stream:
            assert chunk.ended
            assert chunk.object.relative not in seen
            seen[chunk.object.relative] = chunk.failure or chunk.records[0]
    assert list(seen) == [name.removeprefix("data/") for name in SIZES]
    return seen


def check(s3: FaultyS3, seen: dict[str, bytes | Exception], failed: dict[str, type]) -> None:
    for name, got in seen.items():
        if name in failed:
            assert type(got) is failed[name], got
            assert f"{s3.uri}/data/{name}" in str(got)
        else:
            assert got == s3.truth(f"data/{name}"), name


def test_faults_that_are_recovered_from(s3: FaultyS3) -> None:
    s3.set_faults(Fault("reset_in_body", rate=0.3, asks=2), Fault("slow_down", rate=0.2, asks=2))
    check(s3, read(s3, retry_tries=10), {})


@pytest.mark.parametrize("name", ["a", "b", "d", "e"])
def test_object_that_may_not_be_read(s3: FaultyS3, name: str) -> None:
    """The first one too, by which the bucket is found."""
    s3.set_faults(Fault("access_denied", keys=f"data/{name}", methods=("GET", "HEAD")))
    check(s3, read(s3), {name: PermissionDeniedError})


def test_all_may_not_be_read(s3: FaultyS3) -> None:
    """That is what a policy may say; nothing tells that it is of other objects too."""
    s3.set_faults(Fault("access_denied"))
    denied = dict.fromkeys(["a", "b", "d", "e"], PermissionDeniedError)
    check(s3, read(s3), denied)


def test_object_that_the_server_cannot_give(s3: FaultyS3) -> None:
    """From its second part on; two that are neighbours are no more than that."""
    s3.set_faults(
        Fault("internal_error", keys="data/d", from_offset=PART),
        Fault("internal_error", keys="data/e"),
    )
    check(s3, read(s3, retry_tries=2), {"d": UnavailableError, "e": UnavailableError})


def test_object_whose_bytes_are_damaged(serve: ServeS3) -> None:
    s3 = serve(ServerOptions(seed=3, checksum="crc32c"))
    s3.set_faults(Fault("flip", keys="data/b"))
    seen = read(s3, retry_tries=2)
    assert "CRC" in str(seen["b"]).upper()
    check(s3, {name: got for name, got in seen.items() if name != "b"}, {})


def test_server_that_gives_nothing(s3: FaultyS3) -> None:
    s3.set_faults(Fault("internal_error"))
    s3.add({f"data/x{number}": 10 for number in range(200)})
    with pytest.raises(UnavailableError, match="3 objects in a row"):
        read(s3, retry_tries=1)
    # It did not try all of them.
    assert len({request.key for request in s3.requests()}) < 50


def test_credentials_that_are_refused(s3: FaultyS3) -> None:
    s3.set_faults(Fault("expired_token"))
    s3.add({"data/x": 10})
    with pytest.raises(PermissionDeniedError, match=r"3 objects in a row.*ExpiredToken"):
        read(s3)
