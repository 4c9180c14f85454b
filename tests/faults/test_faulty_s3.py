"""The server itself, seen through boto3: what it says when it is well is what S3 says."""

from __future__ import annotations

import base64
import time
import zlib
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conftest import ACCESS_KEY, SECRET_KEY
from tests.faults.conftest import ServeS3
from tests.faults.test_keys import ODD_KEYS
from tests.faulty_s3 import Fault, FaultyS3, ServerOptions
from tests.faulty_s3.checksums import checksum
from tests.faulty_s3.faults import Asked, FaultPlan
from tests.faulty_s3.objects import Bucket

pytestmark = pytest.mark.timeout(60)


def client(s3: FaultyS3, secret: str = SECRET_KEY) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=s3.url,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}),
    )


def code_of(error: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    answer = error.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


# The check values of the CRC catalogue (https://reveng.sourceforge.io/crc-catalogue/).
@pytest.mark.parametrize(
    ("algorithm", "value"),
    [("crc32", 0xCBF43926), ("crc32c", 0xE3069283), ("crc64nvme", 0xAE8B14860A799888)],
)
def test_checksums(algorithm: str, value: int) -> None:
    assert checksum(algorithm, [memoryview(b"1234"), memoryview(b"56789")]) == value


def test_contents_depend_on_seed_key_and_version() -> None:
    contents = set()
    for seed in (1, 2):
        bucket = Bucket(seed)
        bucket.add({"a": 300_000, "b": 300_000})
        contents |= {bucket.content("a"), bucket.content("b")}
        bucket.replace("a")
        contents.add(bucket.content("a"))
    assert len(contents) == 6
    again = Bucket(1)
    again.add({"a": 300_000})
    stored = again.get("a")
    assert stored is not None
    assert again.content("a") in contents
    cut = b"".join(again.pieces(stored, 250_000, 299_999))
    assert cut == again.content("a")[250_000:299_999]
    assert len({stored.etag, Bucket(2).get("a")}) == 2


def test_faults_depend_on_the_seed_and_not_on_the_order() -> None:
    fault = Fault("slow_down", rate=0.3)
    asked = [Asked("GET", f"k{number % 50}", 0, 10) for number in range(500)]

    def given(seed: int, order: list[Asked]) -> list[tuple[str, int]]:
        plan = FaultPlan(seed)
        plan.set([fault])
        times: dict[str, int] = {}
        hit = []
        for request in order:
            times[request.key] = times.get(request.key, 0) + 1
            if plan.decide(request):
                hit.append((request.key, times[request.key]))
        return sorted(hit)

    assert given(1, asked) == given(1, asked[::-1])
    assert given(1, asked) != given(2, asked)
    assert 100 < len(given(1, asked)) < 200


def test_objects_and_ranges(s3: FaultyS3) -> None:
    s3.add(dict.fromkeys(ODD_KEYS, 600000))
    s3.put({"given": b"0123456789", "empty": b""})
    ask = client(s3)
    for key in ODD_KEYS:
        got = ask.get_object(Bucket="faulty", Key=key, Range="bytes=300000-300009")
        bucket = Bucket(20)
        bucket.add({key: 600_000})
        stored = bucket.get(key)
        assert stored is not None
        assert got["Body"].read() == b"".join(bucket.pieces(stored, 300_000, 300_010))
        assert got["ContentRange"] == "bytes 300000-300009/600000"
        assert got["ETag"] == stored.etag == ask.head_object(Bucket="faulty", Key=key)["ETag"]
    for asked, body in [("bytes=8-", b"89"), ("bytes=-3", b"789"), ("bytes=5-99", b"56789")]:
        assert ask.get_object(Bucket="faulty", Key="given", Range=asked)["Body"].read() == body
    assert ask.get_object(Bucket="faulty", Key="empty")["Body"].read() == b""


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"Key": "given", "Range": "bytes=10-12"}, (416, "InvalidRange")),
        ({"Key": "given", "IfMatch": '"other"'}, (412, "PreconditionFailed")),
        ({"Key": "nothing"}, (404, "NoSuchKey")),
        ({"Key": "given", "Bucket": "other"}, (404, "NoSuchBucket")),
    ],
)
def test_errors(s3: FaultyS3, asked: dict[str, str], answer: tuple[int, str]) -> None:
    s3.put({"given": b"0123456789"})
    with pytest.raises(ClientError) as caught:
        client(s3).get_object(**{"Bucket": "faulty", **asked})
    assert code_of(caught) == answer


def test_listing(s3: FaultyS3) -> None:
    keys = [*ODD_KEYS, *(f"a/{n}/{m}" for n in range(5) for m in range(30))]
    s3.add({key: len(key) for key in keys})
    pages = client(s3).get_paginator("list_objects_v2")

    def listed(**arguments: object) -> list[str]:
        found = []
        for page in pages.paginate(Bucket="faulty", **arguments):
            assert page["KeyCount"] == len(page.get("Contents", [])) + len(
                page.get("CommonPrefixes", [])
            )
            found += [item["Key"] for item in page.get("Contents", [])]
            found += [item["Prefix"] for item in page.get("CommonPrefixes", [])]
        return found

    in_order = sorted(keys, key=str.encode)
    for size in (7, 1000):
        config = {"PageSize": size}
        assert listed(PaginationConfig=config) == in_order
        assert listed(PaginationConfig=config, Prefix="a/1") == [
            key for key in in_order if key.startswith("a/1")
        ]
        assert listed(PaginationConfig=config, StartAfter="a/3/2") == [
            key for key in in_order if key.encode() > b"a/3/2"
        ]
        assert set(listed(PaginationConfig=config, Prefix="a/", Delimiter="/")) == {
            *("a//", "a/../", "a/./"),
            *(f"a/{n}/" for n in range(5)),
        }


def test_signatures(s3: FaultyS3) -> None:
    s3.put({"given": b"0123456789"})
    with pytest.raises(ClientError) as caught:
        client(s3, "wrong").get_object(Bucket="faulty", Key="given")
    assert code_of(caught) == (403, "SignatureDoesNotMatch")
    s3.expire_credentials()
    with pytest.raises(ClientError) as caught:
        client(s3).get_object(Bucket="faulty", Key="given")
    assert code_of(caught) == (400, "ExpiredToken")


def test_checksum_headers(serve: ServeS3) -> None:
    s3 = serve(ServerOptions(checksum="crc32"))
    s3.put({"given": b"0123456789"})
    got = client(s3).get_object(Bucket="faulty", Key="given", ChecksumMode="ENABLED")
    assert base64.b64decode(got["ChecksumCRC32"]) == zlib.crc32(b"0123456789").to_bytes(4, "big")
    part = client(s3).get_object(Bucket="faulty", Key="given", Range="bytes=0-1")
    assert "ChecksumCRC32" not in part


def test_log(s3: FaultyS3) -> None:
    s3.put({"given": b"0123456789"})
    s3.set_faults(Fault("slow_down", count=1))
    ask = client(s3)
    with pytest.raises(ClientError):
        ask.get_object(Bucket="faulty", Key="given", Range="bytes=2-4")
    ask.get_object(Bucket="faulty", Key="given", Range="bytes=2-4")["Body"].read()
    refused, got = s3.requests()
    assert (refused.status, refused.fault, got.status, got.fault) == (503, "slow_down", 206, "")
    assert (got.key, got.begin, got.end, got.sent, got.signer) == ("given", 2, 5, 3, 0)
    assert refused.ended <= got.started <= got.ended <= time.monotonic()
    assert s3.totals()["faults"] == {"slow_down": 1}
    assert ACCESS_KEY not in str(s3.command("requests"))
    s3.forget()
    assert s3.requests() == []
