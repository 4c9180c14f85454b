"""Checkpoints of every kind of channel, and of epochs in which something goes wrong."""

from __future__ import annotations

import contextlib
import gzip
import multiprocessing
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from sagemaker_tensorflow import (
    PipeModeDataset,
    PrefetchConfig,
    Prefetcher,
    ShuffleConfig,
    TrainingInput,
)
from tests.conftest import ACCESS_KEY, SECRET_KEY, point_boto3_at
from tests.faulty_s3 import Fault, FaultyS3, ServerOptions, faulty_s3
from tests.pipes import PATIENCE_SECONDS
from tests.record_samples import encode
from tests.small_disk import small_disk

# Of 4 to 1,500 bytes, so that files, parts and batches end at different places.
RECORDS = [b"%d %s" % (i, b"x" * (i % 13 * 120)) for i in range(240)]
FILES = 12


def files(folder: Path, record_format: str, pack: Callable[[bytes], bytes] = bytes) -> str:
    """All records in order; the first file has none."""
    folder.mkdir()
    share = len(RECORDS) // (FILES - 1) + 1
    for number in range(FILES):
        records = RECORDS[max(0, number - 1) * share : number * share]
        (folder / f"part-{number:02}").write_bytes(pack(encode(record_format, records)))
    return str(folder)


@dataclass(frozen=True)
class Kind:
    """A channel, how it is fed, and how it is read."""

    channel: dict[str, Any] = field(default_factory=dict)
    record_format: str = "TFRecord"
    pack: Callable[[bytes], bytes] = bytes
    feed: dict[str, Any] = field(default_factory=dict)
    dataset: dict[str, Any] = field(default_factory=dict)
    pipe: str = "train"
    elements: int = 50  # before the checkpoint


SHARDED = {"distribution": "ShardedByS3Key"}
KINDS = {
    "gzip": Kind({"compression": "Gzip"}, pack=gzip.compress),
    # A record is an object, which is the last but two here.
    "wrapped": Kind({"record_wrapping": "RecordIO"}, "RecordIO", elements=9),
    "gzip-wrapped": Kind(
        {"compression": "Gzip", "record_wrapping": "RecordIO"},
        "RecordIO",
        gzip.compress,
        elements=9,
    ),
    "pipes": Kind({"pipes_per_channel": 3}, "TextLine", pipe="train-1"),
    "sharded": Kind(SHARDED, "RecordIO", feed={"hosts": ["a", "b"], "current_host": "b"}),
    "drop-remainder": Kind(dataset={"batch_size": 7, "drop_remainder": True}, elements=20),
}


def open_dataset(
    feed: Prefetcher, record_format: str, channel: str = "train", **options: Any
) -> PipeModeDataset:
    limits = {"timeout": PATIENCE_SECONDS, "stall_timeout": PATIENCE_SECONDS}
    return PipeModeDataset(channel, record_format, **{**feed.dirs, **limits, **options})


def save(iterator: Any, tmp_path: Path) -> str:
    return str(tf.train.Checkpoint(iterator=iterator).write(str(tmp_path / "saved")))


def restore(iterator: Any, path: str) -> Any:
    tf.train.Checkpoint(iterator=iterator).read(path).assert_consumed()
    return iterator


def rest(iterator: Any) -> list[bytes]:
    return [record for element in iterator for record in tf.reshape(element, [-1]).numpy()]


@pytest.mark.parametrize("kind", KINDS)
def test_another_prefetcher_goes_on_at_the_record(kind: str, tmp_path: Path) -> None:
    case = KINDS[kind]
    framed = "TextLine" if case.channel.get("record_wrapping") else case.record_format
    data = files(tmp_path / "data", framed, case.pack)
    given = {"train": TrainingInput(data, **case.channel)}

    def open_kind(feed: Prefetcher) -> Any:
        return iter(open_dataset(feed, case.record_format, case.pipe, **case.dataset))

    with Prefetcher(given, **case.feed) as feed:
        iterator = open_kind(feed)
        begin = [next(iterator) for _ in range(case.elements)]
        path = save(iterator, tmp_path)
        expected = rest(iterator)
    assert len(begin) == case.elements and expected
    with Prefetcher(given, **case.feed) as feed:
        assert rest(restore(open_kind(feed), path)) == expected


def test_a_record_that_is_corrupt_is_met_again(tmp_path: Path) -> None:
    """Saved after its error, before the batch under way is full."""
    good, bad = encode("TFRecord", RECORDS[:33]), bytearray(encode("TFRecord", RECORDS[33:]))
    bad[12] ^= 1  # of the payload, behind its length and that number's checksum
    data = tmp_path / "data"
    data.write_bytes(good + bad)
    place = f"record 33 at byte .*; that is in .*{data}, at byte {len(good)} of what"
    with Prefetcher({"train": str(data)}) as feed:
        iterator = iter(open_dataset(feed, "TFRecord", batch_size=8))
        for _ in range(4):
            next(iterator)
        with pytest.raises(tf.errors.DataLossError, match=place):
            next(iterator)
        path = save(iterator, tmp_path)
        expected = rest(iterator)
    assert expected == [RECORDS[32], *RECORDS[34:]]
    with Prefetcher({"train": str(data)}) as feed:
        iterator = restore(iter(open_dataset(feed, "TFRecord", batch_size=8)), path)
        with pytest.raises(tf.errors.DataLossError, match=place):
            next(iterator)
        assert rest(iterator) == expected


@pytest.fixture
def s3(clean_aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    with faulty_s3(ServerOptions(seed=31)) as server:
        point_boto3_at(monkeypatch, server.url, ACCESS_KEY, SECRET_KEY)
        yield server


def test_the_rest_may_come_from_a_cache(s3: FaultyS3, tmp_path: Path) -> None:
    s3.put({f"data/{i}": encode("TFRecord", RECORDS[i * 60 : i * 60 + 60]) for i in range(4)})
    given = {"train": f"{s3.uri}/data/"}
    config = PrefetchConfig(cache_dir=str(tmp_path / "cache"), cache_bytes=1 << 24)
    with Prefetcher(given, config=config) as feed:
        dataset = open_dataset(feed, "TFRecord")
        assert rest(iter(dataset)) == RECORDS
        iterator = iter(dataset)
        for _ in range(100):
            next(iterator)
        path = save(iterator, tmp_path)
    s3.forget()
    with Prefetcher(given, config=config) as feed:
        assert rest(restore(iter(open_dataset(feed, "TFRecord")), path)) == RECORDS[100:]
    # But for what is left of the part under way, which was not cached by itself.
    assert [request.key for request in s3.requests() if request.key != ""] == ["data/1"]


def test_while_the_list_is_still_growing(s3: FaultyS3, tmp_path: Path) -> None:
    """A part of a channel depends on all objects, which the second page completes."""
    lines = [b"%d" % i for i in range(1100)]
    s3.put({f"data/{int(line):04}": line + b"\n" for line in lines})
    given = {"train": TrainingInput(f"{s3.uri}/data/", pipes_per_channel=2)}
    slow = Fault("stall", methods=("LIST",), seconds=0.2)

    def iterate(feed: Prefetcher) -> Any:
        return iter(open_dataset(feed, "TextLine", "train-1"))

    s3.set_faults(slow)
    with Prefetcher(given) as feed:
        iterator = iterate(feed)
        begin = [next(iterator).numpy() for _ in range(20)]
        growing = save(iterator, tmp_path)
    s3.set_faults()
    with Prefetcher(given) as feed:
        iterator = restore(iterate(feed), growing)
        middle = [next(iterator).numpy() for _ in range(500)]
        complete = save(iterator, tmp_path)
        end = rest(iterator)
    assert len({*begin, *middle, *end}) == len(begin + middle + end) == len(lines) / 2
    s3.set_faults(slow)
    with Prefetcher(given) as feed:
        assert rest(restore(iterate(feed), complete)) == end


def test_without_room_for_the_log_epochs_are_whole_and_not_saved(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for number in range(600):  # lines of 200 bytes in the log
        (data / f"{number:03}").write_bytes(b"%d\n" % number)
    records = [b"%d" % number for number in range(600)]
    with small_disk(tmp_path / "pipes", "64k") as disk:
        with Prefetcher({"train": str(data)}, pipe_dir=disk) as feed:
            dataset = open_dataset(feed, "TextLine")
            iterator = iter(dataset)
            assert rest(iterator) == records
            with pytest.raises(tf.errors.UnavailableError, match="make room"):
                save(iterator, tmp_path)
            subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
            iterator = iter(dataset)
            for _ in range(400):
                next(iterator)
            path = save(iterator, tmp_path)
        with Prefetcher({"train": str(data)}, pipe_dir=disk) as feed:
            iterator = restore(iter(open_dataset(feed, "TextLine")), path)
            assert rest(iterator) == records[400:]


def read_beside(connection: Connection, dirs: dict[str, str], path: str) -> None:
    """Another process: what is left of a restored iterator, and an epoch for each word it gets."""
    options: dict[str, Any] = {**dirs, "timeout": PATIENCE_SECONDS}
    dataset: Any = PipeModeDataset("train", "TextLine", **options)
    connection.send(rest(restore(iter(dataset), path)))
    with contextlib.suppress(EOFError):
        while connection.recv():
            connection.send(rest(iter(dataset)))


@pytest.mark.timeout(120)  # the other process imports TensorFlow
def test_processes_that_are_restored_together_get_each_epoch_once(tmp_path: Path) -> None:
    data = files(tmp_path / "data", "TextLine")
    given = {"train": TrainingInput(data, shuffle_config=ShuffleConfig(5))}
    with Prefetcher(given) as feed:
        dataset = open_dataset(feed, "TextLine")
        ended, reading = iter(dataset), iter(dataset)
        rest(ended)
        for _ in range(50):
            next(reading)
        (tmp_path / "other").mkdir()
        others, path = save(ended, tmp_path / "other"), save(reading, tmp_path)
        expected = [rest(reading), *(rest(iter(dataset)) for _ in range(3))]
    spawn = multiprocessing.get_context("spawn")
    connection, there = spawn.Pipe()
    with Prefetcher(given) as feed, connection:
        other = spawn.Process(target=read_beside, args=(there, feed.dirs, others), daemon=True)
        other.start()
        there.close()
        dataset = open_dataset(feed, "TextLine")
        assert rest(restore(iter(dataset), path)) == expected[0]
        assert connection.recv() == []
        connection.send("next")
        assert connection.recv() == expected[1]  # the one behind what this process reads
        assert rest(iter(dataset)) == expected[2]
        connection.send("next")
        assert connection.recv() == expected[3]
        connection.close()
        other.join(PATIENCE_SECONDS)
        assert other.exitcode == 0
