"""Keys that are revoked while their bucket is streamed, on a server that checks them."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.prefetcher import Prefetcher
from tests.pipes import outcome
from tests.servers import moto_server

BODY = os.urandom(1 << 20) * 8
POLICY = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
)
SMALL = PrefetchConfig(
    connections=2, part_bytes=256 << 10, first_part_bytes=64 << 10, memory_bytes=1 << 20
)


def new_key(iam: Any) -> dict[str, str]:
    return dict(iam.create_access_key(UserName="reader")["AccessKey"])


def write_key(key: dict[str, str]) -> None:
    Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]).write_text(
        f"[default]\naws_access_key_id = {key['AccessKeyId']}\n"
        f"aws_secret_access_key = {key['SecretAccessKey']}\n"
    )


@pytest.fixture
def iam(aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of a server that checks, with rights of its own; the prefetcher finds a file."""
    with moto_server() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="checked")
        s3.put_object(Bucket="checked", Key="x", Body=BODY)
        iam = boto3.client("iam")
        for user in ("admin", "reader"):
            iam.create_user(UserName=user)
            iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=POLICY)
        keys = iam.create_access_key(UserName="admin")["AccessKey"]
        request = urllib.request.Request(
            f"{url}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"}, method="POST"
        )
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 200
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        yield boto3.client(
            "iam",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
        )


@pytest.mark.parametrize("renewed", [True, False])
def test_key_is_revoked_in_the_middle_of_an_epoch(
    iam: Any, renewed: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    first = new_key(iam)
    write_key(first)
    with Prefetcher({"train": "s3://checked/x"}, config=SMALL) as feed:
        pipe_dir = feed.dirs["pipe_dir"]
        with Path(pipe_dir, "train_0").open("rb") as pipe:
            data = pipe.read(100)
            if renewed:
                write_key(second := new_key(iam))
            iam.delete_access_key(UserName="reader", AccessKeyId=first["AccessKeyId"])
            data += pipe.read()
        ended = outcome(pipe_dir, "train", 0)
    said = capfd.readouterr().err
    assert first["SecretAccessKey"] not in said
    if renewed:
        assert ended["state"] == "done"
        assert data == BODY
        assert second["SecretAccessKey"] not in said
    else:
        assert ended["error"]["kind"] == "PermissionDenied"
        assert "s3://checked/x" in ended["error"]["message"]
        assert data == BODY[: len(data)]
        assert len(data) < len(BODY)
