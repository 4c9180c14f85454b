"""The native module _prefetch: its sources, its feed, and the errors that come out of both."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from sagemaker_tensorflow import errors
from sagemaker_tensorflow.records import open_records
from tests.conftest import ACCESS_KEY, SECRET_KEY, PutObjects
from tests.pipes import outcome, read_epoch, wait_until
from tests.prefetch.native_engine import Engine
from tests.servers import free_port, moto_server

ODD_KEYS = {
    "plain": b"1" * 10,
    "with space": b"2" * 20,
    "caf\u00e9": b"3" * 30,
    "a&b=c": b"4" * 40,
    "%41": b"5" * 50,
    "plus+": b"6" * 60,
    "/leading": b"7" * 70,
    "up/../x": b"8" * 80,
    "a//b": b"9" * 90,
}

MakeFeed = Callable[..., Any]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as engine:
        yield engine


@pytest.fixture
def make_feed(engine: Engine, tmp_path: Path) -> Iterator[MakeFeed]:
    """Makes and starts a feed of the channel "train" in tmp_path."""
    feeds = []

    def make(source: Any, objects: list[tuple[str, int, str]], **options: Any) -> Any:
        listed = engine.ObjectList()
        feed = engine.Feed(
            channel="train", pipe_dir=str(tmp_path), source=source, objects=listed, **options
        )
        feeds.append(feed)
        feed.start()
        listed.add(objects)
        listed.finish()
        return feed

    yield make
    for feed in feeds:
        feed.stop()


@pytest.fixture
def s3_source(engine: Engine, aws: str, bucket: str) -> Any:
    source = engine.S3Source(endpoint_url=aws, bucket=bucket, region="us-east-1")
    source.set_credentials(ACCESS_KEY, SECRET_KEY)
    return source


def listed(bucket: str) -> list[tuple[str, int, str]]:
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [(o["Key"], o["Size"], o["ETag"]) for page in pages for o in page.get("Contents", [])]


def error_of(pipe_dir: Path, epoch: int = 0) -> tuple[str, str]:
    ended = outcome(pipe_dir, "train", epoch)
    assert ended["state"] == "error"
    return ended["error"]["kind"], ended["error"]["message"]


def test_files_are_streamed_in_order_epoch_after_epoch(
    engine: Engine, make_feed: MakeFeed, tmp_path: Path
) -> None:
    files = [tmp_path / name for name in ("z", "a", "m\udcff")]
    for number, file in enumerate(files):
        file.write_bytes(os.urandom(300_000 * number + 7))
    expected = b"".join(file.read_bytes() for file in files)
    feed = make_feed(
        engine.FileSource(),
        [(str(file), file.stat().st_size, "") for file in files],
        part_bytes=65536,
        first_part_bytes=1000,
    )
    for epoch in range(3):
        assert read_epoch(tmp_path, "train", epoch) == expected
        assert outcome(tmp_path, "train", epoch) == {
            "state": "done",
            "bytes": len(expected),
            "objects": 3,
        }
    stats = feed.stats()
    assert stats["bytes_written"] == 3 * len(expected)
    assert stats["epochs_done"] == 3
    assert stats["listed_bytes"] == len(expected)
    assert stats["error"] == ""


def test_stats_are_those_of_the_stub(engine: Engine, make_feed: MakeFeed) -> None:
    stub = Path(errors.__file__).with_name("_prefetch.pyi").read_text()
    body = stub.partition("class Stats(TypedDict):")[2].partition("\nclass ")[0]
    fields = [line.split(":") for line in body.splitlines() if ": " in line and '"""' not in line]
    stats = make_feed(engine.FileSource(), []).stats()
    assert {name: type(value).__name__ for name, value in stats.items()} == {
        name.strip(): kind.split()[0] for name, kind, *_ in fields
    }


def test_fake_source_streams_its_content_despite_faults(
    engine: Engine, make_feed: MakeFeed, tmp_path: Path
) -> None:
    source = engine.FakeSource(seed=7, transient_rate=0.05, truncate_rate=0.1)
    objects = [(f"object-{n}", 40_000 * n, "") for n in range(20)]
    feed = make_feed(source, objects, part_bytes=65536, retry_tries=50)
    expected = b"".join(source.content(name, size) for name, size, _ in objects)
    assert read_epoch(tmp_path, "train", 0) == expected
    assert feed.stats()["retries"] > 0


def test_reader_that_closes_early_gets_the_next_epoch_whole(
    engine: Engine, make_feed: MakeFeed, tmp_path: Path
) -> None:
    source = engine.FakeSource(seed=1)
    make_feed(source, [("a", 20_000_000, "")])
    expected = source.content("a", 20_000_000)
    fifo = os.open(tmp_path / "train_0", os.O_RDONLY)
    assert os.read(fifo, 10) == expected[:10]
    os.close(fifo)
    assert read_epoch(tmp_path, "train", 1) == expected
    assert outcome(tmp_path, "train", 0)["state"] == "abandoned"


def test_shuffled_epochs_hold_everything_in_orders_of_their_own(
    engine: Engine, make_feed: MakeFeed, tmp_path: Path
) -> None:
    source = engine.FakeSource(seed=1)
    make_feed(source, [(f"{n}", 10, "") for n in range(50)], shuffle_seed=7)
    names = {source.content(f"{n}", 10): n for n in range(50)}
    orders = []
    for epoch in range(3):
        data = read_epoch(tmp_path, "train", epoch)
        orders.append([names[data[at : at + 10]] for at in range(0, len(data), 10)])
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert len({tuple(order) for order in [list(range(50)), *orders]}) == 4


def test_shards_of_one_list_hold_it_once(engine: Engine, tmp_path: Path) -> None:
    source = engine.FakeSource(seed=1)
    objects = engine.ObjectList()
    sizes = {f"{n}": 1000 * n % 7777 + 100 for n in range(100)}
    feeds = []
    for shard in range(3):
        feed = engine.Feed(
            channel=f"train-{shard}",
            pipe_dir=str(tmp_path),
            source=source,
            objects=objects,
            shards=3,
            shard=shard,
        )
        feed.start()
        feeds.append(feed)
    objects.add([(name, size, "") for name, size in sizes.items()])
    objects.finish()
    shards = [read_epoch(tmp_path, f"train-{shard}", 0) for shard in range(3)]
    assert sum(len(shard) for shard in shards) == sum(sizes.values())
    for name, size in sizes.items():
        assert sum(source.content(name, size) in shard for shard in shards) == 1
    assert max(map(len, shards)) - min(map(len, shards)) <= 2 * max(sizes.values())
    for feed in feeds:
        feed.stop()


def test_objects_are_unzipped_and_wrapped(
    engine: Engine, make_feed: MakeFeed, tmp_path: Path
) -> None:
    bodies = [b"first" * 50_000, b"", os.urandom(100_000)]
    files = []
    for number, body in enumerate(bodies):
        file = tmp_path / f"{number}.gz"
        # Of two members.
        file.write_bytes(gzip.compress(body[:1000]) + gzip.compress(body[1000:]))
        files.append((str(file), file.stat().st_size, ""))
    make_feed(engine.FileSource(), files, gunzip=True, wrap_recordio=True, part_bytes=65536)
    with open_records(io.BytesIO(read_epoch(tmp_path, "train", 0)), "RecordIO") as records:
        assert list(records) == bodies


def test_object_that_is_not_gzip_is_data_loss(
    engine: Engine, make_feed: MakeFeed, tmp_path: Path
) -> None:
    file = tmp_path / "plain.txt"
    file.write_bytes(b"this is no gzip file")
    make_feed(engine.FileSource(), [(str(file), file.stat().st_size, "")], gunzip=True)
    assert read_epoch(tmp_path, "train", 0) == b""
    kind, message = error_of(tmp_path)
    assert kind == "DataLoss"
    assert message.startswith(f"{file}: ")


def test_entries_of_several_sources_and_of_none(
    engine: Engine, put_objects: PutObjects, s3_source: Any, tmp_path: Path
) -> None:
    put_objects({"a": b"from S3"})
    file = tmp_path / "file"
    file.write_bytes(b"from a file")
    objects = engine.ObjectList()
    sources = engine.MultiSource(sources=[])
    assert [sources.add(source=s3_source), sources.add(source=engine.FileSource())] == [0, 1]
    feed = engine.Feed(channel="train", pipe_dir=str(tmp_path), source=sources, objects=objects)
    feed.start()
    objects.add([("a", 7, "")], 0)
    objects.add_inline(b'{"label": 1}')
    objects.add([(str(file), 11, "")], 1)
    objects.finish()
    assert read_epoch(tmp_path, "train", 0) == b'from S3{"label": 1}from a file'
    feed.stop()


def test_listing_and_sizes(
    engine: Engine, put_objects: PutObjects, s3_source: Any, tmp_path: Path
) -> None:
    bodies = {f"d/{n:04}": b"x" * (n % 5 + 1) for n in range(30)} | {"d/é": b"unicode", "e": b"no"}
    put_objects(bodies)
    objects = engine.ObjectList()
    listing = engine.S3Listing(source=s3_source, prefix="d/", start_after="d/0003", connections=4)
    assert listing.run(objects=objects) == 27
    objects.finish()
    feed = engine.Feed(channel="train", pipe_dir=str(tmp_path), source=s3_source, objects=objects)
    feed.start()
    expected = b"".join(bodies[key] for key in sorted(bodies) if "d/0003" < key < "e")
    assert read_epoch(tmp_path, "train", 0) == expected
    feed.stop()
    stats = s3_source.stat(["d/0001", "none", "d/é"])
    assert [size for size, _ in stats] == [2, -1, 7]
    assert stats[0][1].startswith('"')


def test_second_epoch_comes_from_the_cache(
    engine: Engine,
    bucket: str,
    put_objects: PutObjects,
    s3_source: Any,
    make_feed: MakeFeed,
    tmp_path: Path,
) -> None:
    body = os.urandom(3_000_000)
    put_objects({"a": body, "b": b"small"})
    cached = engine.CachedSource(
        source=s3_source,
        namespace=bucket,
        cache_dir=str(tmp_path / "cache"),
        cache_bytes=10_000_000,
    )
    make_feed(cached, listed(bucket), part_bytes=1 << 20)
    for epoch in range(3):
        assert read_epoch(tmp_path, "train", epoch) == body + b"small"
    stats = cached.stats()
    assert stats["hits"] >= stats["misses"] > 0
    assert stats["failures"] == 0
    files = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)
    assert sum(path.stat().st_size for path in files) <= 10_000_000


def test_odd_keys_arrive_as_they_are(
    bucket: str, put_objects: PutObjects, s3_source: Any, make_feed: MakeFeed, tmp_path: Path
) -> None:
    put_objects(ODD_KEYS)
    objects = listed(bucket)
    assert {key for key, _, _ in objects} == set(ODD_KEYS)
    make_feed(s3_source, objects)
    assert read_epoch(tmp_path, "train", 0) == b"".join(ODD_KEYS[key] for key, _, _ in objects)


def test_s3_object_in_many_parts_over_few_buffers(
    bucket: str, put_objects: PutObjects, s3_source: Any, make_feed: MakeFeed, tmp_path: Path
) -> None:
    body = os.urandom(3_000_000)
    put_objects({"large": body})
    feed = make_feed(s3_source, listed(bucket), part_bytes=100_000, memory_bytes=600_000)
    assert read_epoch(tmp_path, "train", 0) == body
    assert feed.stats()["memory_bytes"] <= 600_000


def test_missing_object_is_not_found(
    bucket: str, s3_source: Any, make_feed: MakeFeed, tmp_path: Path
) -> None:
    make_feed(s3_source, [("none", 5, "")])
    assert read_epoch(tmp_path, "train", 0) == b""
    kind, message = error_of(tmp_path)
    assert kind == "NotFound"
    assert message.startswith(f"s3://{bucket}/none bytes 0-4: 404 NoSuchKey (")


def test_replaced_object_is_a_failed_precondition(
    bucket: str, put_objects: PutObjects, s3_source: Any, make_feed: MakeFeed, tmp_path: Path
) -> None:
    put_objects({"key": b"old"})
    objects = listed(bucket)
    put_objects({"key": b"new"})
    make_feed(s3_source, objects)
    assert read_epoch(tmp_path, "train", 0) == b""
    kind, message = error_of(tmp_path)
    assert kind == "FailedPrecondition"
    assert "412" in message
    assert "replaced" in message


@pytest.mark.parametrize("size", [2, 4])
def test_object_of_another_size_is_data_loss(
    size: int, put_objects: PutObjects, s3_source: Any, make_feed: MakeFeed, tmp_path: Path
) -> None:
    put_objects({"key": b"abc"})
    make_feed(s3_source, [("key", size, "")])
    assert read_epoch(tmp_path, "train", 0) == b""
    assert error_of(tmp_path)[0] == "DataLoss"


def test_refused_connection_is_unavailable_after_the_tries(
    engine: Engine, make_feed: MakeFeed, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    source = engine.S3Source(endpoint_url=url, bucket="b", region="us-east-1")
    make_feed(source, [("k", 5, "")], retry_tries=3)
    assert read_epoch(tmp_path, "train", 0) == b""
    kind, message = error_of(tmp_path)
    assert kind == "Unavailable"
    assert message.startswith("s3://b/k bytes 0-4: ")
    assert "after 3 tries in " in message
    assert url in message


@pytest.fixture
def strict_bucket(
    clean_aws: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, str, str]]:
    """A server that checks signatures, with an object "a key" in "bucket"; URL and credentials."""
    with moto_server() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "setup")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "setup")
        iam = boto3.client("iam")
        iam.create_user(UserName="user")
        key = iam.create_access_key(UserName="user")["AccessKey"]
        policy = (
            '{"Version": "2012-10-17", "Statement": '
            '[{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
        )
        iam.put_user_policy(UserName="user", PolicyName="s3", PolicyDocument=policy)
        boto3.client("s3").create_bucket(Bucket="bucket")
        boto3.client("s3").put_object(Bucket="bucket", Key="a key", Body=b"secret data")
        # From the next request on.
        check_signatures = urllib.request.Request(
            f"{url}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"}
        )
        urllib.request.urlopen(check_signatures).close()
        yield url, key["AccessKeyId"], key["SecretAccessKey"]


def test_signature_is_accepted(
    engine: Engine, strict_bucket: tuple[str, str, str], make_feed: MakeFeed, tmp_path: Path
) -> None:
    url, access_key, secret_key = strict_bucket
    source = engine.S3Source(endpoint_url=url, bucket="bucket", region="us-east-1")
    source.set_credentials(access_key, secret_key)
    make_feed(source, [("a key", 11, "")])
    assert read_epoch(tmp_path, "train", 0) == b"secret data"


@pytest.mark.parametrize("signed", [True, False])
def test_wrong_or_no_signature_is_permission_denied(
    signed: bool,
    engine: Engine,
    strict_bucket: tuple[str, str, str],
    make_feed: MakeFeed,
    tmp_path: Path,
) -> None:
    url, access_key, _ = strict_bucket
    source = engine.S3Source(endpoint_url=url, bucket="bucket", region="us-east-1")
    if signed:
        source.set_credentials(access_key, SECRET_KEY)
    make_feed(source, [("a key", 11, "")])
    assert read_epoch(tmp_path, "train", 0) == b""
    kind, message = error_of(tmp_path)
    assert kind == "PermissionDenied"
    assert message.startswith("s3://bucket/a key bytes 0-10: 403 ")
    assert SECRET_KEY not in message


def test_stop_in_mid_epoch_is_an_error_for_the_reader(
    engine: Engine, make_feed: MakeFeed, tmp_path: Path
) -> None:
    source = engine.FakeSource(seed=1)
    feed = make_feed(source, [("a", 50_000_000, "")])
    fifo = os.open(tmp_path / "train_0", os.O_RDONLY)
    assert os.read(fifo, 10) == source.content("a", 10)
    feed.stop()
    feed.stop()
    os.close(fifo)
    kind, message = error_of(tmp_path)
    assert kind == "Unavailable"
    assert message.startswith("the prefetcher was stopped after ")
    assert not list(tmp_path.glob("train_*"))


def test_listing_that_fails_or_is_empty_is_the_epochs_error(
    engine: Engine, make_feed: MakeFeed, tmp_path: Path
) -> None:
    make_feed(engine.FileSource(), [])
    assert read_epoch(tmp_path, "train", 0) == b""
    assert error_of(tmp_path)[0] == "NotFound"
    (tmp_path / "other").mkdir()
    objects = engine.ObjectList()
    feed = engine.Feed(
        channel="train",
        pipe_dir=str(tmp_path / "other"),
        source=engine.FileSource(),
        objects=objects,
    )
    objects.fail("PermissionDenied", "listing s3://b/p: AccessDenied")
    feed.start()
    assert read_epoch(tmp_path / "other", "train", 0) == b""
    feed.stop()
    assert error_of(tmp_path / "other") == ("PermissionDenied", "listing s3://b/p: AccessDenied")


def test_errors_are_those_of_the_package(
    engine: Engine, make_feed: MakeFeed, tmp_path: Path
) -> None:
    source = engine.FileSource()
    make_feed(source, [])
    objects = engine.ObjectList()
    objects.finish()
    given = {"pipe_dir": str(tmp_path), "source": source, "objects": objects}
    with pytest.raises(errors.FailedPreconditionError):
        engine.Feed(channel="train", **given)
    for options, message in (
        ({"connections": -1}, "connections is -1"),
        ({"part_bytes": 1}, "part_bytes is 1"),
        ({"shards": 2, "shard": 2}, "shard"),
        ({"group": 0}, "group"),
    ):
        with pytest.raises(errors.InvalidArgumentError, match=message):
            engine.Feed(channel="x", **given, **options)
    with pytest.raises(errors.InvalidArgumentError, match="without user name and path"):
        engine.S3Source(endpoint_url="http://h/path", bucket="b", region="r")
    with pytest.raises(errors.InvalidArgumentError, match="NoSuchKind"):
        objects.fail("NoSuchKind", "")
    with pytest.raises(errors.FailedPreconditionError, match="finished"):
        objects.add([("late", 1, "")])


def test_feed_that_is_dropped_stops(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from sagemaker_tensorflow import _prefetch\n"
        "source = _prefetch.FakeSource(seed=1, bytes_per_second=1)\n"
        "objects = _prefetch.ObjectList()\n"
        "feed = _prefetch.Feed(\n"
        "    channel='c', pipe_dir=sys.argv[1], source=source, objects=objects)\n"
        "feed.start()\n"
        "objects.add([('a', 1000, '')])\n"
        "del source, objects, feed\n"
        "print('stopped', flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "stopped\n"
    assert not (tmp_path / "c_0").exists()


def test_fetching_begins_before_the_list_is_complete(engine: Engine, tmp_path: Path) -> None:
    objects = engine.ObjectList()
    source = engine.FakeSource(seed=1)
    feed = engine.Feed(channel="c", pipe_dir=str(tmp_path), source=source, objects=objects)
    feed.start()
    objects.add([("a", 1000, "")])
    wait_until(lambda: feed.stats()["queue_bytes"] == 1000, "the first object is fetched")
    feed.stop()


def test_module_refuses_a_process_that_has_tensorflow() -> None:
    script = "import tensorflow; from sagemaker_tensorflow import _prefetch"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode != 0
    assert "ImportError: sagemaker_tensorflow._prefetch cannot be loaded into a process" in (
        done.stderr
    )
    assert "Prefetcher" in done.stderr
