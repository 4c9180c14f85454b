"""Fixtures: S3 servers, buckets, and an environment in which boto3 finds nothing else."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import boto3
import hypothesis
import pytest

from tests import radosgw
from tests.servers import moto_server

# Recognisable, so that tests can look for them where no secret may be.
ACCESS_KEY = "AKIDTESTTESTTEST"
SECRET_KEY = "not-a-secret-but-must-not-leak"


# How long an example takes depends on what else the machine does: a test is no stopwatch.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Keeps binary data out of the names of tests.

    Some of it is another for every process, as the order of a protobuf map is, but the processes of
    `make test` have to agree on names.
    """
    binary = isinstance(val, bytes) and not val.decode("latin-1").isprintable()
    return argname if binary else None


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The URL of moto's server."""
    with moto_server() as url:
        yield url


@pytest.fixture
def clean_aws(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Takes away everything that boto3 could find: credentials, profiles, endpoints, proxies.

    Also boto3's default session, which keeps the credentials that an earlier test gave it.
    """
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("aws")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    # Retries are for networks; here they only make failing tests slow.
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


def point_boto3_at(
    monkeypatch: pytest.MonkeyPatch, url: str, access_key: str, secret_key: str
) -> None:
    """Makes boto3, here and in child processes, find a server."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret_key)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)


def make_bucket() -> str:
    """A new, empty bucket's name."""
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    boto3.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def aws(clean_aws: None, s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Points boto3, here and in child processes, at moto's server. Returns its URL."""
    point_boto3_at(monkeypatch, s3_server, ACCESS_KEY, SECRET_KEY)
    return s3_server


@pytest.fixture
def bucket(aws: str) -> str:
    """A new, empty bucket's name, on moto's server."""
    return make_bucket()


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[radosgw.Radosgw]:
    """Ceph's radosgw, whose S3 has nothing in common with moto's."""
    if missing := radosgw.missing_programs():
        pytest.skip(f"not installed: {', '.join(missing)}; see tools/system_packages.sh test")
    with radosgw.radosgw(tmp_path_factory.mktemp("radosgw")) as running:
        yield running


@pytest.fixture
def gateway_bucket(
    gateway: radosgw.Radosgw, clean_aws: None, monkeypatch: pytest.MonkeyPatch
) -> str:
    """The same as `bucket` on radosgw, which boto3 finds then."""
    point_boto3_at(monkeypatch, gateway.endpoint_url, radosgw.ACCESS_KEY, radosgw.SECRET_KEY)
    return make_bucket()


PutObjects = Callable[[Mapping[str, bytes]], str]


@pytest.fixture
def put_objects(bucket: str) -> PutObjects:
    """A function that uploads ``{key: body}`` and returns the bucket's URI."""
    client = boto3.client("s3")

    def put(objects: Mapping[str, bytes]) -> str:
        for key, body in objects.items():
            client.put_object(Bucket=bucket, Key=key, Body=body)
        return f"s3://{bucket}"

    return put


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of three files, listed as "a", "b/c", "d"; see FOLDER_BYTES."""
    root = tmp_path / "data"
    (root / "b").mkdir(parents=True)
    for name, body in FOLDER_FILES.items():
        (root / name).write_bytes(body)
    return root


FOLDER_FILES = {"a": b"first" * 1000, "b/c": b"second" * 200_000, "d": b"third"}
FOLDER_BYTES = b"".join(FOLDER_FILES.values())
