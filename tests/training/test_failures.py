"""What goes wrong on the way becomes an error in the training script, and never a short epoch."""

from __future__ import annotations

import json
import os
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import pytest
import tensorflow as tf

from sagemaker_tensorflow import PipeModeDataset, PrefetchConfig, Prefetcher
from sagemaker_tensorflow.errors import NotFoundError, PermissionDeniedError
from tests.conftest import PutObjects
from tests.record_samples import encode
from tests.roads import OpenRoad, kill
from tests.servers import moto_server
from tests.training.conftest import RECORDS, numbered, open_dataset, read, write_shards

# So small that what lies behind a few MiB has not been fetched when the first record is read.
SMALL = PrefetchConfig(
    connections=1,
    part_bytes=256 << 10,
    first_part_bytes=64 << 10,
    memory_bytes=1 << 20,
    retry_seconds=2,
    retry_tries=2,
)
FIRST = numbered(2000)  # 5 MB
# More than lies in memory on the way, in either form, when the first record is read.
LONG = numbered(6000)  # 15 MB
OBJECTS = {"train/1": encode("TFRecord", FIRST), "train/2": encode("TFRecord", [b"last"])}


def records_of(element: tf.Tensor) -> list[bytes]:
    value = element.numpy()
    return [value] if isinstance(value, bytes) else value.tolist()


def read_until_error(iterator: Iterator[Any], records: list[bytes]) -> tf.errors.OpError:
    """Adds what comes to `records`. The end of the data is not an error, and fails the test."""
    with pytest.raises(tf.errors.OpError) as caught:
        for element in iterator:
            records.extend(records_of(element))
    assert isinstance(caught.value, tf.errors.OpError)
    return caught.value


PIPELINES: dict[str, Callable[[PipeModeDataset], tf.data.Dataset]] = {
    "plain": lambda dataset: dataset,
    "batched": lambda dataset: dataset.batch(7).prefetch(2),
    "repeated": lambda dataset: dataset.repeat(),
}


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_prefetcher_killed_in_the_middle_of_an_epoch(
    open_road: OpenRoad, tmp_path: Path, pipeline: str
) -> None:
    shards = write_shards(tmp_path / "shards", LONG, 2)
    with open_road(str(shards), SMALL) as road:
        dataset = PIPELINES[pipeline](road.dataset())
        iterator = iter(dataset)
        records = records_of(next(iterator))
        kill(road)
        error = read_until_error(iterator, records)
        assert isinstance(error, tf.errors.UnavailableError), error
        assert "prefetcher" in error.message
        assert records == LONG[: len(records)]
        assert len(records) < len(LONG)
        for _ in range(2):
            with pytest.raises(tf.errors.UnavailableError):
                next(iter(dataset))


def test_prefetcher_killed_in_a_fused_batch(open_road: OpenRoad, shards: Path) -> None:
    with open_road(str(shards)) as road:
        iterator = iter(road.dataset(batch_size=100, drop_remainder=True))
        records = next(iterator).numpy().tolist()
        kill(road)
        assert isinstance(read_until_error(iterator, records), tf.errors.UnavailableError)
        assert len(records) % 100 == 0


def test_prefetcher_killed_between_epochs(open_road: OpenRoad, shards: Path) -> None:
    with open_road(str(shards)) as road:
        dataset = road.dataset()
        assert read(dataset) == RECORDS
        kill(road)
        with pytest.raises(tf.errors.UnavailableError, match="gone"):
            next(iter(dataset))


def test_prefetcher_killed_while_a_reader_waits_for_the_next_epoch(
    open_road: OpenRoad, shards: Path
) -> None:
    errors: list[BaseException] = []

    def wait_for_next(dataset: PipeModeDataset, begun: threading.Event) -> None:
        iterator = iter(dataset)
        begun.set()
        try:
            next(iterator)
        except tf.errors.OpError as error:
            errors.append(error)

    with open_road(str(shards)) as road:
        dataset = road.dataset()
        first = iter(dataset)  # while it is in the middle of epoch 0, epoch 1 is not to be had
        next(first)
        begun = threading.Event()
        waiter = threading.Thread(target=wait_for_next, args=(dataset, begun), daemon=True)
        waiter.start()
        begun.wait()
        kill(road)
        waiter.join(60)
        assert isinstance(errors[0], tf.errors.UnavailableError), errors


def test_closed_prefetcher_whose_directories_are_gone(tmp_path: Path) -> None:
    """Lines, because a cut one is a line too: the framing does not notice."""
    lines = [b"%d" % i * 100 for i in range(20_000)]
    (tmp_path / "lines").write_bytes(b"\n".join(lines))
    with Prefetcher({"train": str(tmp_path / "lines")}) as feed:
        iterator = iter(open_dataset(feed, record_format="TextLine"))
        records = [next(iterator).numpy()]
    error = read_until_error(iterator, records)
    assert isinstance(error, tf.errors.UnavailableError), error
    assert records == lines[: len(records)]


@pytest.fixture
def stored(put_objects: PutObjects) -> str:
    """OBJECTS' URI."""
    return put_objects(OBJECTS) + "/train/"


def test_deleted_object_is_not_found_and_the_next_epoch_goes_on(
    open_road: OpenRoad, stored: str, bucket: str, put_objects: PutObjects
) -> None:
    with open_road(stored, SMALL) as road:
        dataset = road.dataset()
        iterator = iter(dataset)
        records = [next(iterator).numpy()]
        boto3.client("s3").delete_object(Bucket=bucket, Key="train/2")
        error = read_until_error(iterator, records)
        assert isinstance(error, tf.errors.NotFoundError), error
        assert f"s3://{bucket}/train/2" in error.message
        assert records == FIRST, "what came before the object was lost"
        put_objects({"train/2": OBJECTS["train/2"]})
        assert read(dataset) == [*FIRST, b"last"]
        assert road.process().alive


@pytest.mark.parametrize("key", ["train/1", "train/2"], ids=["half read", "not begun"])
def test_replaced_object_is_never_mixed(
    open_road: OpenRoad, stored: str, bucket: str, put_objects: PutObjects, key: str
) -> None:
    with open_road(stored, SMALL) as road:
        iterator = iter(road.dataset())
        records = [next(iterator).numpy()]
        put_objects({key: bytes(len(OBJECTS[key]))})
        error = read_until_error(iterator, records)
        assert isinstance(error, tf.errors.FailedPreconditionError), error
        assert f"s3://{bucket}/{key}" in error.message
        assert records == FIRST[: len(records)]


def test_server_that_stops_is_unavailable(
    open_road: OpenRoad, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(moto_server())
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="stopped")
        for key, body in OBJECTS.items():
            s3.put_object(Bucket="stopped", Key=key, Body=body)
        with open_road("s3://stopped/train/", SMALL) as road:
            iterator = iter(road.dataset())
            records = [next(iterator).numpy()]
            stack.close()
            error = read_until_error(iterator, records)
            assert isinstance(error, tf.errors.UnavailableError), error
            assert "s3://stopped/train/1" in error.message
            assert records == FIRST[: len(records)]


def allow(actions: list[str], denied: str) -> str:
    """A policy: S3 actions on everything, except for reading one object."""
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": actions, "Resource": "*"},
                {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{denied}"},
            ],
        }
    )


@pytest.fixture(scope="module")
def checking_server() -> Iterator[dict[str, dict[str, str]]]:
    """A server that checks rights. Yields two users' environments: "lister" may list the bucket
    and read all objects but denied/train/2; "reader" may not list.
    """
    with moto_server() as url:
        root = {"aws_access_key_id": "root", "aws_secret_access_key": "root"}
        session = boto3.Session(region_name="us-east-1", **root)
        s3 = session.client("s3", endpoint_url=url)
        s3.create_bucket(Bucket="denied")
        for key, body in OBJECTS.items():
            s3.put_object(Bucket="denied", Key=key, Body=body)
        iam = session.client("iam", endpoint_url=url)
        environments = {}
        rights = {"lister": ["s3:ListBucket", "s3:GetObject"], "reader": ["s3:GetObject"]}
        for user, actions in rights.items():
            iam.create_user(UserName=user)
            policy = allow(actions, "denied/train/2")
            iam.put_user_policy(UserName=user, PolicyName="s3", PolicyDocument=policy)
            key = iam.create_access_key(UserName=user)["AccessKey"]
            environments[user] = {
                "AWS_ENDPOINT_URL": url,
                "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            }
        check = urllib.request.Request(
            f"{url}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"}, method="POST"
        )
        with urllib.request.urlopen(check) as answer:
            assert answer.status == 200
        yield environments


def become(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def test_object_that_may_not_be_read_is_permission_denied(
    open_road: OpenRoad,
    aws: str,
    checking_server: dict[str, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    become(monkeypatch, checking_server["lister"])
    with open_road("s3://denied/train/", SMALL) as road:
        records: list[bytes] = []
        error = read_until_error(iter(road.dataset()), records)
        assert isinstance(error, tf.errors.PermissionDeniedError), error
        assert "s3://denied/train/2" in error.message
        assert records == FIRST


def test_channel_that_may_not_be_listed_fails_at_start(
    aws: str, checking_server: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    become(monkeypatch, checking_server["reader"])
    feed = Prefetcher({"train": "s3://denied/train/"})
    with pytest.raises(PermissionDeniedError, match="s3://denied/train/"):
        feed.start()
    assert not feed.alive
    with pytest.raises(PermissionDeniedError, match="s3://denied/train/"):
        PipeModeDataset.from_uri("s3://denied/train/")


def test_one_empty_channel_of_two_fails_at_start(stored: str, bucket: str) -> None:
    feed = Prefetcher({"train": stored, "validation": f"s3://{bucket}/validation/"})
    with pytest.raises(NotFoundError, match=f"{bucket}.*validation"):
        feed.start()
    assert not feed.alive


def test_folder_file_that_is_cut_short_is_an_error(open_road: OpenRoad, tmp_path: Path) -> None:
    (tmp_path / "train").write_bytes(OBJECTS["train/1"])
    with open_road(str(tmp_path / "train"), SMALL) as road:
        iterator = iter(road.dataset())
        records = [next(iterator).numpy()]
        os.truncate(tmp_path / "train", len(OBJECTS["train/1"]) - 100_000)
        error = read_until_error(iterator, records)
        assert str(tmp_path / "train") in error.message
        assert records == FIRST[: len(records)]
