"""From a bucket to a pipe with Ceph's radosgw, whose S3 has nothing in common with moto's."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest

from sagemaker_tensorflow.errors import (
    FailedPreconditionError,
    PermissionDeniedError,
    error_of_kind,
)
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.prefetcher import Prefetcher
from tests.pipes import has_ended, outcome, read_epoch, wait_until
from tests.radosgw import PAGE, missing_programs, radosgw

pytestmark = pytest.mark.skipif(
    bool(missing_programs()),
    reason=f"not installed: {', '.join(missing_programs())}; see tools/system_packages.sh test",
)

ODD_KEYS = (
    "/leading slash",
    "//two of them",
    "a b",
    "a+b",
    "a%20b",
    "a%b",
    "a//b",
    "a/../b",
    "a/./b",
    "../up",
    "..",
    "a&b=c",
    "a?b#c",
    "a=b;c,d:e@f!g$h'i(j)k*l",
    'a"b<c>d',
    "a\\b|c^d`e{f}g[h]",
    "~tilde-._",
    "é",
    "e\u0301",  # the same letter, composed
    "日本/語",
    "\U0001f600",
    " surrounded ",
)

SMALL_PARTS = PrefetchConfig(part_bytes=1 << 20)


@pytest.fixture
def bucket(gateway_bucket: str) -> str:
    return gateway_bucket


def put(bucket: str, objects: Mapping[str, bytes]) -> None:
    client = boto3.client("s3")
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda item: client.put_object(Bucket=bucket, Key=item[0], Body=item[1]),
                objects.items(),
            )
        )


def in_order(objects: Mapping[str, bytes]) -> bytes:
    return b"".join(objects[key] for key in sorted(objects, key=str.encode))


def test_odd_keys(bucket: str) -> None:
    objects = {key: f"<{key}>".encode() for key in ODD_KEYS}
    put(bucket, objects)
    with Prefetcher({"train": f"s3://{bucket}"}) as feed:
        assert read_epoch(feed.dirs["pipe_dir"], "train", 0) == in_order(objects)


def test_odd_prefixes(bucket: str) -> None:
    objects = {f"{key}/1": f"<{key}>".encode() for key in ODD_KEYS}
    put(bucket, objects)
    channels = {f"c{i}": f"s3://{bucket}/{key}/" for i, key in enumerate(ODD_KEYS)}
    with Prefetcher(channels, config=SMALL_PARTS) as feed:
        for channel, key in zip(channels, ODD_KEYS, strict=True):
            found = {name: body for name, body in objects.items() if name.startswith(f"{key}/")}
            assert read_epoch(feed.dirs["pipe_dir"], channel, 0) == in_order(found), key


def test_several_pages_of_keys(bucket: str) -> None:
    objects = {f"many/{i:04} +%é": b"%d," % i for i in range(2 * PAGE + 50)}
    put(bucket, {**objects, "many": b"before", "many0": b"behind"})
    with Prefetcher({"train": f"s3://{bucket}/many/"}) as feed:
        assert read_epoch(feed.dirs["pipe_dir"], "train", 0) == in_order(objects)
        assert feed.stats()["train"].listed_objects == len(objects)


def test_objects_in_ranges(bucket: str) -> None:
    made = random.Random(3)
    objects = {f"x/{i}": made.randbytes(size) for i, size in enumerate((9_000_001, 1, 0, 300_000))}
    put(bucket, objects)
    digest = hashlib.sha256(in_order(objects)).hexdigest()
    with Prefetcher({"train": f"s3://{bucket}/x/"}, config=SMALL_PARTS) as feed:
        for epoch in range(2):
            read = read_epoch(feed.dirs["pipe_dir"], "train", epoch)
            assert hashlib.sha256(read).hexdigest() == digest


@pytest.mark.parametrize(
    ("variable", "code"),
    [
        ("AWS_SECRET_ACCESS_KEY", "SignatureDoesNotMatch"),
        ("AWS_ACCESS_KEY_ID", "InvalidAccessKeyId"),
    ],
)
def test_wrong_credentials(
    bucket: str, monkeypatch: pytest.MonkeyPatch, variable: str, code: str
) -> None:
    put(bucket, {"x/1": b"secret"})
    monkeypatch.setenv(variable, "wrong")
    with pytest.raises(PermissionDeniedError) as caught:
        Prefetcher({"train": f"s3://{bucket}/x/"}).start()
    message = str(caught.value)
    assert f"s3://{bucket}/x/: 403 {code}" in message
    assert "look at the credentials" in message


def test_replaced_object_is_never_mixed(bucket: str) -> None:
    """What was listed is not what is there: S3 answers 412 to If-Match."""
    first = bytes(5_000_000)
    put(bucket, {"x/1": first, "x/2": b"listed"})
    # So small that the second object cannot have been fetched before the first is read.
    config = PrefetchConfig(
        connections=1, part_bytes=256 << 10, first_part_bytes=64 << 10, memory_bytes=1 << 20
    )
    with Prefetcher({"train": f"s3://{bucket}/x/"}, config=config) as feed:
        wait_until(lambda: feed.stats()["train"].listed_objects == 2, "both are listed")
        put(bucket, {"x/2": b"behind"})
        assert read_epoch(feed.dirs["pipe_dir"], "train", 0) == first
        ended = outcome(feed.dirs["pipe_dir"], "train", 0)
        error = error_of_kind(**ended["error"])
        assert isinstance(error, FailedPreconditionError), error
        assert f"s3://{bucket}/x/2" in str(error)
        assert "412 PreconditionFailed" in str(error)
        assert "replaced" in str(error)


def test_server_ends_with_its_block(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="of a test"), radosgw(tmp_path) as running:
        raise RuntimeError("of a test")
    assert len(running.pids) == 3
    assert all(has_ended(pid) for pid in running.pids)
