"""`PipeModeDataset.from_uri`: what it streams, and that it is a dataset like a channel's."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
import tensorflow as tf

from sagemaker_tensorflow import PipeModeDataset, ShuffleConfig, TrainingInput
from sagemaker_tensorflow.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    PipeModeDatasetException,
    UnavailableError,
)
from tests.conftest import PutObjects, make_bucket
from tests.pipe_mode_dataset.conftest import Channel, framed
from tests.pipes import PATIENCE_SECONDS, wait_until

RECORDS = [b"%d" % i * 100 for i in range(300)]
LIMITS: dict[str, Any] = {"timeout": PATIENCE_SECONDS, "stall_timeout": PATIENCE_SECONDS}


def open_uri(given: Any, record_format: str = "TFRecord", **options: Any) -> PipeModeDataset:
    return PipeModeDataset.from_uri(given, record_format, **{**LIMITS, **options})


def read(dataset: tf.data.Dataset) -> list[bytes]:
    return list(dataset.as_numpy_iterator())


def lines(dataset: PipeModeDataset) -> bytes:
    return b" ".join(read(dataset))


def write(folder: Path, files: Mapping[str, bytes]) -> str:
    folder.mkdir()
    for name, body in files.items():
        (folder / name).write_bytes(body)
    return str(folder)


@pytest.fixture
def shards(tmp_path: Path) -> str:
    """A folder whose three files hold RECORDS."""
    thirds = {f"part-{k}": framed(RECORDS[k * 100 : k * 100 + 100]) for k in range(3)}
    return write(tmp_path / "shards", thirds)


def test_a_prefix_epoch_after_epoch(put_objects: PutObjects) -> None:
    uri = put_objects({"x/1": framed(RECORDS[:200]), "x/2": framed(RECORDS[200:]), "y": b"no"})
    dataset = open_uri(f"{uri}/x/")
    assert dataset.channel == "x"
    assert dataset.element_spec == tf.TensorSpec([], tf.string)
    off = tf.data.experimental.AutoShardPolicy.OFF
    assert dataset.batch(2).options().experimental_distribute.auto_shard_policy == off
    unread = iter(dataset)
    assert read(dataset.repeat(2)) == RECORDS * 2
    assert read(dataset.take(1)) == RECORDS[:1]
    assert read(dataset.take(1)) == RECORDS[:1]
    assert [record.numpy() for record in unread] == RECORDS
    assert sum(1 for _ in dataset.batch(7).prefetch(2)) == 43


def test_two_datasets_of_one_uri_are_independent(shards: str) -> None:
    first, second = open_uri(shards, batch_size=50), open_uri(shards, name="second")
    zipped = tf.data.Dataset.zip((first.unbatch(), second))
    assert [pair[0].numpy() for pair in zipped] == RECORDS
    assert first._stream.process.pid != second._stream.process.pid


def test_several_uris_are_one_stream_in_their_order(
    put_objects: PutObjects, tmp_path: Path
) -> None:
    uri = put_objects({"b/1": b"b1\n", "b/2": b"b2\n", "a": b"a\n"})
    other = make_bucket()
    boto3.client("s3").put_object(Bucket=other, Key="k", Body=b"other\n")
    local = write(tmp_path / "local", {"z": b"z\n", "y": b"y\n"})
    manifest = put_objects({"manifest": json.dumps([{"prefix": f"{uri}/"}, "a", "b/2"]).encode()})
    named = TrainingInput(f"{manifest}/manifest", s3_data_type="ManifestFile")
    dataset = open_uri([f"{uri}/b/", f"s3://{other}/k", Path(local), named], "TextLine")
    assert lines(dataset) == b"b1 b2 other y z a b2"
    assert lines(dataset) == b"b1 b2 other y z a b2"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "no URI"),
        (["/x", TrainingInput("/y", compression="Gzip")], "/y has compression='Gzip' and /x has"),
        (
            [
                "/x",
                TrainingInput("/y", s3_data_type="AugmentedManifestFile", attribute_names=["a"]),
            ],
            "cannot be one of several",
        ),
        (TrainingInput("/x", pipes_per_channel=2), "pipes_per_channel=2 is for named pipes"),
        (TrainingInput("/x", input_mode="File"), "it streams"),
        ("ftp://x", "no place for a channel"),
    ],
)
def test_what_cannot_be_one_stream_is_refused(given: Any, says: str) -> None:
    with pytest.raises(InvalidArgumentError, match=says):
        open_uri(given)


def test_options_are_checked_before_anything_is_started() -> None:
    with pytest.raises(InvalidArgumentError, match="batch_size"):
        open_uri("/no/such/folder", batch_size=0)
    with pytest.raises(InvalidArgumentError, match="current_host='c'"):
        open_uri("/no/such/folder", hosts=["a", "b"], current_host="c")


def test_what_is_not_there_is_an_error_at_once(bucket: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    missing: list[tuple[Any, type[PipeModeDatasetException], str]] = [
        ("s3://no-such-bucket-at-all/x", NotFoundError, "no-such-bucket-at-all.*NoSuchBucket"),
        (f"s3://{bucket}/nothing", NotFoundError, f"{bucket}.*'nothing'"),
        ([str(Path(__file__)), f"s3://{bucket}/nothing"], NotFoundError, f"{bucket}.*'nothing'"),
        ([str(Path(__file__)), str(tmp_path / "empty")], NotFoundError, "holds no file"),
    ]
    for given, kind, says in missing:
        with pytest.raises(kind, match=says):
            open_uri(given)


def test_no_credentials(clean_aws: None) -> None:
    with pytest.raises(PermissionDeniedError, match="no AWS credentials"):
        open_uri("s3://bkt/x", region="us-east-1")


def test_gzip_and_wrapping(tmp_path: Path) -> None:
    folder = write(tmp_path / "zipped", {"1": gzip.compress(b"one"), "2": gzip.compress(b"two")})
    wrapped = TrainingInput(folder, compression="Gzip", record_wrapping="RecordIO")
    assert read(open_uri(wrapped, "RecordIO")) == [b"one", b"two"]


def test_augmented_manifest(tmp_path: Path) -> None:
    entries = [{"image-ref": str(tmp_path / f"{k}.jpg"), "label": k} for k in range(3)]
    for k in range(3):
        (tmp_path / f"{k}.jpg").write_bytes(b"image %d" % k)
    (tmp_path / "manifest").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    given = TrainingInput(
        str(tmp_path / "manifest"),
        s3_data_type="AugmentedManifestFile",
        attribute_names=["image-ref", "label"],
        record_wrapping="RecordIO",
    )
    expected = [b"image 0", b"0", b"image 1", b"1", b"image 2", b"2"]
    assert read(open_uri(given, "RecordIO")) == expected


def test_shards_of_hosts_and_shuffled_epochs(tmp_path: Path) -> None:
    """Each host has a part of each epoch; first_epoch begins with another one."""
    names = [b"%02d" % k for k in range(8)]
    folder = write(tmp_path / "lines", {name.decode(): name + b"\n" for name in names})
    given = TrainingInput(folder, distribution="ShardedByS3Key", shuffle_config=ShuffleConfig(3))
    hosts = {"hosts": ["a", "b"]}
    first, second = (open_uri(given, "TextLine", **hosts, current_host=h) for h in "ab")
    epochs = [read(first) + read(second) for _ in range(3)]
    assert all(sorted(epoch) == names for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]
    begun_later = open_uri(given, "TextLine", **hosts, current_host="a", first_epoch=1)
    assert read(begun_later) == epochs[1][:4]
    assert read(begun_later) == epochs[2][:4]


def test_a_corrupt_record_is_an_error_behind_what_was_good(tmp_path: Path) -> None:
    last = bytearray(framed(RECORDS[200:]))
    last[-10] ^= 1
    at = len(framed(RECORDS[200:-1]))
    objects = {"a": framed(RECORDS[:100]), "b": framed(RECORDS[100:200]), "c": bytes(last)}
    folder = write(tmp_path / "broken", objects)
    iterator = iter(open_uri(folder))
    got = []
    place = f"record 299 at byte .*; that is in {folder}/c, at byte {at} of what"
    with pytest.raises(tf.errors.DataLossError, match=place):
        for record in iterator:
            got.append(record.numpy())
    assert got == RECORDS[:-1]


def test_a_stream_that_cannot_be_read_on_is_left_to_the_next_iterator(tmp_path: Path) -> None:
    records = [bytes(1 << 18)] * 16  # more than a reader looks ahead
    stream = bytearray(framed(records))
    stream[len(stream) // 16 + 8] ^= 1  # the CRC of the second one's length
    dataset = open_uri(write(tmp_path / "broken", {"x": bytes(stream)}))
    failed = [iter(dataset) for _ in range(2)]
    for iterator in failed:
        assert len(next(iterator).numpy()) == 1 << 18
        with pytest.raises(tf.errors.DataLossError, match="record 1 at byte"):
            next(iterator)
        assert list(iterator) == []


def test_the_process_tells_how_it_is_doing(shards: str, channel: Channel) -> None:
    dataset = open_uri(shards)
    assert read(dataset.repeat(2)) == RECORDS * 2
    stats = dataset.stats()
    assert (stats.epochs_done, stats.objects, stats.error) == (2, 6, "")
    assert stats.bytes_written == 2 * len(framed(RECORDS))
    process = dataset._stream.process
    os.kill(process.pid, signal.SIGKILL)
    for _ in range(2):  # also when it has been cleaned up
        with pytest.raises(UnavailableError, match="killed by SIGKILL"):
            dataset.stats()
        wait_until(lambda: process._closed, "its pipes are closed")
    with pytest.raises(FailedPreconditionError, match="'training' reads pipes"):
        channel.dataset().stats()


# Reads with so many descriptors left; tells what comes of it, and then of the whole.
WITHOUT_DESCRIPTORS = """
import os, resource, sys
import tensorflow as tf
from sagemaker_tensorflow import PipeModeDataset
resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
dataset = PipeModeDataset.from_uri(sys.argv[1], "TFRecord")
for left in (0, 1, 2):
    iterator, taken = iter(dataset), []
    try:
        while True:
            taken.append(os.dup(1))
    except OSError:
        pass
    for _ in range(left):
        os.close(taken.pop())
    try:
        next(iterator)
    except tf.errors.OpError as error:
        print(error.message)
    for descriptor in taken:
        os.close(descriptor)
print(sum(1 for _ in dataset), dataset.stats().epochs_done)
"""


def test_a_reader_without_descriptors_is_told_and_costs_no_epoch(shards: str) -> None:
    command = [sys.executable, "-W", "ignore", "-c", WITHOUT_DESCRIPTORS, shards]
    told = subprocess.run(command, capture_output=True, check=False, text=True)
    lines = told.stdout.splitlines()
    assert len(lines) == 4, told
    assert "connecting to the prefetcher at smtf-" in lines[0]
    for line in lines[1:3]:
        assert "receiving a ring's memory and signals from the prefetcher" in line
    for line in lines[:3]:
        assert "Too many open files" in line
        assert "raise the limit of open files of this process (ulimit -n)" in line
    assert lines[3] == "300 1"


def test_the_graph_holds_the_address_and_says_that_it_is_of_this_machine(shards: str) -> None:
    dataset = open_uri(shards, batch_size=100)
    graph = tf.raw_ops.DatasetToGraphV2(
        input_dataset=dataset._variant_tensor, external_state_policy=1
    )
    variant = tf.raw_ops.DatasetFromGraph(graph_def=graph)
    again = tf.data.experimental.from_variant(variant, dataset.element_spec)
    assert read(again.unbatch()) == RECORDS
    with pytest.raises(tf.errors.FailedPreconditionError, match="from_uri has started"):
        tf.raw_ops.DatasetToGraphV2(input_dataset=dataset._variant_tensor, external_state_policy=2)


def test_a_second_iterator_waits_for_the_end_of_the_first(tmp_path: Path) -> None:
    large = write(tmp_path / "large", {"x": framed([bytes(1 << 20)] * 40)})
    dataset = open_uri(large, timeout=0.2)
    first = iter(dataset)
    next(first)
    with pytest.raises(tf.errors.DeadlineExceededError, match="iterator"):
        next(iter(dataset))
    assert sum(1 for _ in first) == 39
    assert sum(1 for _ in dataset) == 40


@pytest.mark.parametrize("symbolic", [False, True])
def test_a_checkpoint_goes_on_with_another_process(
    shards: str, tmp_path: Path, symbolic: bool
) -> None:
    options = tf.data.Options()
    options.experimental_symbolic_checkpoint = symbolic
    given = TrainingInput(shards, shuffle_config=ShuffleConfig(5))

    def behind() -> tf.data.Dataset:
        return open_uri(given, batch_size=10).prefetch(2).repeat(2).with_options(options)

    iterator = iter(behind())
    for _ in range(37):
        next(iterator)
    path = tf.train.Checkpoint(iterator=iterator).save(str(tmp_path / "checkpoint"))
    rest = [batch.numpy().tolist() for batch in iterator]
    assert len(rest) == 60 - 37
    restored = iter(behind())
    tf.train.Checkpoint(iterator=restored).restore(path).assert_consumed()
    assert [batch.numpy().tolist() for batch in restored] == rest


def test_the_tf_data_service_deals_objects_out_or_reads_epochs(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files = {f"{k:02}": framed(RECORDS[k * 10 : k * 10 + 10]) for k in range(30)}
    dataset = open_uri(write(tmp_path / "objects", files), first_epoch=2)
    service = tf.data.experimental.service
    dispatcher = service.DispatchServer()
    address = dispatcher.target.removeprefix("grpc://")
    workers = [service.WorkerServer(service.WorkerConfig(address)) for _ in range(2)]
    for policy, times in ((service.ShardingPolicy.DYNAMIC, 1), (service.ShardingPolicy.OFF, 2)):
        dealt = dataset.apply(service.distribute(policy, dispatcher.target))
        assert sorted(read(dealt)) == sorted(RECORDS * times)
    del workers
    assert "first_epoch=2 is ignored, because the tf.data service deals" in capfd.readouterr().err
