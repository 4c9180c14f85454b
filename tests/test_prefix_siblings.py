from __future__ import annotations

import boto3
import pytest

from sagemaker_tensorflow.listing import ListedObject
from sagemaker_tensorflow.locations import S3Location
from sagemaker_tensorflow.prefix_siblings import find_sibling, warn_of_sibling
from tests.conftest import PutObjects
from tests.servers import free_port


@pytest.mark.parametrize(
    ("prefix", "keys", "sibling"),
    [
        ("train", ["train/1", "train/2", "training/1"], "training"),
        ("train", ["train-old/1", "train/1", "train2"], "train-old"),
        ("train", ["train", "train.idx"], "train.idx"),
        ("train", ["train", "train/1"], None),
        ("a/train", ["a/train/1", "a/training/x/y"], "a/training"),
        ("train", ["train/"], None),
        ("train", ["train/", "training/"], "training"),
        # The prefix is no name by itself, so it is meant as one.
        ("train", ["training/1", "trainer/1"], None),
        ("part-", ["part-1", "part-2"], None),
        ("train/", ["train/1", "train/2"], None),
        ("", ["a/1", "b/1"], None),
        ("train", [], None),
    ],
)
def test_find_sibling(prefix: str, keys: list[str], sibling: str | None) -> None:
    assert find_sibling(prefix, keys) == sibling


@pytest.mark.parametrize("listed", [True, False])
def test_warning_names_the_sibling_once(
    put_objects: PutObjects, bucket: str, caplog: pytest.LogCaptureFixture, listed: bool
) -> None:
    keys = [*(f"train/{n:03}" for n in range(200)), "training/1"]
    put_objects(dict.fromkeys(keys, b""))
    objects: list[ListedObject] | None = [(key, 0, "") for key in keys] if listed else None
    client = boto3.client("s3")
    warn_of_sibling(client, S3Location(bucket, "train"), objects)
    [record] = caplog.records
    assert record.levelname == "WARNING"
    assert f"s3://{bucket}/train also matches s3://{bucket}/training" in record.getMessage()
    warn_of_sibling(client, S3Location(bucket, "train/"), objects)
    warn_of_sibling(client, S3Location(bucket, "training"), None)
    assert len(caplog.records) == 1


def test_no_answer_is_no_warning(aws: str, caplog: pytest.LogCaptureFixture) -> None:
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{free_port()}")
    warn_of_sibling(client, S3Location("bkt", "x"), None)
    assert not caplog.records
