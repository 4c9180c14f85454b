from __future__ import annotations

import gzip
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import pytest

from sagemaker_tensorflow.errors import (
    CancelledError,
    CorruptRecordError,
    DataLossError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    UnavailableError,
)
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.transform.input_objects import list_inputs
from sagemaker_tensorflow.transform.object_stream import ObjectStream
from sagemaker_tensorflow.transform.records import InputObject
from tests.conftest import PutObjects
from tests.pipes import has_ended, wait_until
from tests.record_samples import encode, some_records
from tests.servers import free_port

FORMATS = {"Line": "TextLine", "RecordIO": "RecordIO", "TFRecord": "TFRecord"}


@dataclass
class Seen:
    """An object's chunks put together."""

    records: list[bytes] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    failure: Exception | None = None


def read(objects: Sequence[InputObject], **arguments: object) -> list[Seen]:
    """Reads all objects, and checks that each comes whole, once and in order."""
    with ObjectStream(objects, **arguments) as stream:  # type: ignore[arg-type]
        return gather(objects, stream)


def gather(objects: Sequence[InputObject], stream: ObjectStream) -> list[Seen]:
    seen: list[Seen] = []
    ended = True
    for chunk in stream:
        if ended:
            seen.append(Seen())
        assert chunk.object == objects[len(seen) - 1]
        assert chunk.first_record == len(seen[-1].records)
        assert len(chunk.records) == len(chunk.offsets)
        assert chunk.records or chunk.ended
        seen[-1].records += chunk.records
        seen[-1].offsets += chunk.offsets
        seen[-1].failure = chunk.failure
        assert chunk.ended or chunk.failure is None
        ended = chunk.ended
    assert ended
    assert len(seen) == len(objects)
    return seen


def list_folder(folder: Path) -> Sequence[InputObject]:
    return list_inputs(f"{folder.as_uri()}/", "S3Prefix", S3Options())


def list_bucket(bucket: str) -> Sequence[InputObject]:
    return list_inputs(f"s3://{bucket}/", "S3Prefix", S3Options())


def write(folder: Path, files: dict[str, bytes]) -> Sequence[InputObject]:
    for name, body in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return list_folder(folder)


def offsets_of(record_format: str, records: list[bytes]) -> list[int]:
    ends = [0]
    for record in records:
        ends.append(ends[-1] + len(encode(record_format, [record])))
    return ends[:-1]


@pytest.mark.parametrize("gunzip", [False, True])
@pytest.mark.parametrize("split_type", FORMATS)
def test_records_of_s3_objects(
    put_objects: PutObjects, bucket: str, split_type: str, gunzip: bool
) -> None:
    record_format = FORMATS[split_type]
    truth = {
        "a/first": some_records(record_format),
        "a/ü/\U0001f600 +%41": [b"one"],
        "b/empty": [],
        "c": [random.Random(number).randbytes(10).hex().encode() for number in range(5000)],
    }
    bodies = {key: encode(record_format, records) for key, records in truth.items()}
    if gunzip:
        # Of two members.
        bodies = {k: gzip.compress(b[:100]) + gzip.compress(b[100:]) for k, b in bodies.items()}
    put_objects(bodies)
    seen = read(list_bucket(bucket), split_type=split_type, gunzip=gunzip)
    for got, records in zip(seen, truth.values(), strict=True):
        assert got.failure is None
        assert got.records == records
        assert got.offsets == offsets_of(record_format, records)


@pytest.mark.parametrize("gunzip", [False, True])
def test_whole_objects(tmp_path: Path, gunzip: bool) -> None:
    bodies = {"a": b"x" * 3_000_000, "b": b"", "c/d": b"\n\n", "e": random.randbytes(70_000)}
    packed = {name: gzip.compress(body) if gunzip else body for name, body in bodies.items()}
    seen = read(write(tmp_path, packed), gunzip=gunzip)
    assert [got.records for got in seen] == [[body] for body in bodies.values()]
    assert [got.offsets for got in seen] == [[0]] * 4


def test_empty_objects(tmp_path: Path) -> None:
    objects = write(tmp_path, {"a": b"", "b": b"x\n", "c": b"", "d": b""})
    assert [got.records for got in read(objects, split_type="Line")] == [[], [b"x"], [], []]
    assert [got.records for got in read(objects)] == [[b""], [b"x\n"], [b""], [b""]]


def test_no_objects_need_no_prefetcher() -> None:
    with ObjectStream([]) as stream:
        assert list(stream) == []
        assert stream.stats() is None


def test_chunks_are_bounded(tmp_path: Path) -> None:
    objects = write(tmp_path, {"a": b"123456789\n" * 1000, "b": b"x\n"})
    with ObjectStream(objects, split_type="Line", chunk_records=300) as stream:
        sizes = [len(chunk.records) for chunk in stream]
    assert sizes == [300, 300, 300, 100, 1]
    with ObjectStream(objects, split_type="Line", chunk_bytes=1000) as stream:
        sizes = [sum(map(len, chunk.records)) for chunk in stream]
    # The record that reaches the bound is the last of its chunk.
    assert sizes == [*[1008] * 8, 936, 1]


def test_two_thousand_small_objects(put_objects: PutObjects, bucket: str) -> None:
    bodies = {f"{number:05}": b"%d" % number * (number % 40) for number in range(2000)}
    put_objects(bodies)
    seen = read(list_bucket(bucket))
    assert [got.records for got in seen] == [[body] for body in bodies.values()]
    assert not any(got.failure for got in seen)


def test_record_that_is_corrupt_ends_its_object_only(tmp_path: Path) -> None:
    good = encode("TFRecord", [b"%d" % number for number in range(100)])
    bad = bytearray(good)
    at = offsets_of("TFRecord", [b"%d" % number for number in range(100)])[60]
    bad[at + 12] ^= 1
    objects = write(tmp_path, {"a": good, "b": bytes(bad), "c": good, "d": good[:-1]})
    seen = read(objects, split_type="TFRecord")
    assert [len(got.records) for got in seen] == [100, 60, 100, 99]
    assert [got.failure is None for got in seen] == [True, False, True, False]
    failure = seen[1].failure
    assert isinstance(failure, CorruptRecordError)
    assert (failure.record_index, failure.byte_offset) == (60, at)
    assert str(failure).startswith(f"{objects[1].uri}: record 60 at byte {at}: ")
    assert "ends after" in str(seen[3].failure)


def test_record_that_is_too_long(tmp_path: Path) -> None:
    objects = write(tmp_path, {"a": b"x" * 100 + b"\n", "b": b"y" * 101, "c": b"z\n"})
    for split_type in ("Line", "None"):
        seen = read(objects, split_type=split_type, max_record_bytes=101 - (split_type == "Line"))
        assert isinstance(seen[1].failure, CorruptRecordError) == (split_type == "Line")
        assert seen[0].failure is None
        assert seen[2].failure is None
    seen = read(objects, max_record_bytes=100)
    assert "b" in str(seen[1].failure)
    assert [bool(got.failure) for got in seen] == [True, True, False]


def test_objects_that_are_not_gzip(tmp_path: Path) -> None:
    body = gzip.compress(b"line\n" * 50_000)
    objects = write(tmp_path, {"a": body, "b": b"no gzip", "c": body, "d": body[:-9], "e": b""})
    seen = read(objects, split_type="Line", gunzip=True)
    assert [type(got.failure) for got in seen] == [
        type(None),
        DataLossError,
        type(None),
        DataLossError,
        type(None),
    ]
    assert str(tmp_path / "b") in str(seen[1].failure)
    assert seen[2].records == [b"line"] * 50_000


def test_s3_objects_that_changed_since_they_were_listed(
    put_objects: PutObjects, bucket: str
) -> None:
    put_objects({f"{number:02}": b"%02d\n" % number * 100 for number in range(20)})
    objects = list_bucket(bucket)
    client = boto3.client("s3")
    for deleted in ("00", "07", "08", "09", "19"):
        client.delete_object(Bucket=bucket, Key=deleted)
    for replaced in ("03", "10"):
        client.put_object(Bucket=bucket, Key=replaced, Body=b"xx\n" * 100)
    seen = read(objects, split_type="Line")
    failed = {number: type(got.failure) for number, got in enumerate(seen) if got.failure}
    assert failed == {
        **dict.fromkeys((0, 7, 8, 9, 19), NotFoundError),
        **dict.fromkeys((3, 10), FailedPreconditionError),
    }
    for number, got in enumerate(seen):
        assert got.records == ([] if number in failed else [b"%02d" % number] * 100)
        if got.failure:
            assert f"s3://{bucket}/{number:02}" in str(got.failure)


def test_local_files_that_changed_since_they_were_listed(tmp_path: Path) -> None:
    objects = write(tmp_path, {name: name.encode() * 100_000 for name in "abcdefgh"})
    (tmp_path / "a").unlink()
    (tmp_path / "c").write_bytes(b"c" * 99_999)
    os.utime(tmp_path / "d", ns=(1, 1))  # written to, with the same size
    (tmp_path / "h").unlink()
    (tmp_path / "h").mkdir()
    seen = read(objects)
    assert [type(got.failure).__name__ for got in seen] == [
        "NotFoundError",
        "NoneType",
        "DataLossError",
        "FailedPreconditionError",
        "NoneType",
        "NoneType",
        "NoneType",
        "DataLossError",
    ]
    assert seen[5].records == [b"f" * 100_000]


def test_large_object_whose_end_is_missing(tmp_path: Path) -> None:
    """It is seen after megabytes of it were given."""
    config = PrefetchConfig(part_bytes=64 << 10, memory_bytes=1 << 20, connections=2)
    objects = write(tmp_path, {"a": b"line\n" * 2_000_000, "b": b"next\n"})
    with ObjectStream(objects, split_type="Line", config=config) as stream:
        first = next(stream)
        assert first.records[0] == b"line"
        os.truncate(tmp_path / "a", 5_000_000)
        chunks = list(stream)
    failures = [chunk for chunk in chunks if chunk.failure]
    assert [chunk.object.relative for chunk in failures] == ["a"]
    assert isinstance(failures[0].failure, DataLossError)
    assert chunks[-1].records == [b"next"]


def test_server_that_cannot_be_reached(bucket: str) -> None:
    objects = [
        InputObject(number, f"s3://{bucket}/{number}", str(number), str(number), 5, '"e"')
        for number in range(10)
    ]
    options = S3Options(endpoint_url=f"http://127.0.0.1:{free_port()}")
    stream = ObjectStream(objects, s3_options=options, config=PrefetchConfig(retry_seconds=0))
    with pytest.raises(UnavailableError), stream:
        pass


def test_no_credentials(clean_aws: None) -> None:
    objects = [InputObject(0, "s3://some-bucket/k", "k", "k", 5, '"e"')]
    with pytest.raises(PermissionDeniedError), ObjectStream(objects):
        pass


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", None)
    objects = write(tmp_path / "in", {"a": b"x\n", "b": b"y\n"})
    with ObjectStream(objects, split_type="Line") as stream:
        assert not [path for path in temporary.iterdir() if path.suffix]  # no list any more
        next(stream)
        pid = pid_of(stream)
    assert list(temporary.iterdir()) == []
    assert has_ended(pid)


def pid_of(stream: ObjectStream) -> int:
    assert stream._feed is not None
    prefetcher = stream._feed._prefetcher
    assert prefetcher is not None
    assert prefetcher._process is not None
    assert prefetcher._process._popen is not None
    return prefetcher._process._popen.pid


@pytest.mark.parametrize("after", [0, 5], ids=["before the first record", "in the middle"])
def test_prefetcher_is_killed(tmp_path: Path, after: int) -> None:
    objects = write(tmp_path, dict.fromkeys("abc", b"line\n" * 2_000_000))
    config = PrefetchConfig(memory_bytes=1 << 20, part_bytes=64 << 10)
    with ObjectStream(objects, split_type="Line", config=config) as stream:
        for _ in range(after):
            next(stream)
        os.kill(pid_of(stream), signal.SIGKILL)
        wait_until(lambda: has_ended(pid_of(stream)), "the prefetcher is gone")
        with pytest.raises(UnavailableError):
            for chunk in stream:
                assert chunk.failure is None
                assert chunk.object.relative == "a"


def waiting_stream(folder: Path) -> ObjectStream:
    """A stream whose next record never comes: its prefetcher is stopped."""
    stream = ObjectStream(write(folder, {"a": b"x\n"}), split_type="Line")
    stream.start()
    suspend(pid_of(stream))
    return stream


def suspend(pid: int) -> None:
    """Stops a process, and waits until it is: its threads may run on until then."""
    os.kill(pid, signal.SIGSTOP)
    stat = Path(f"/proc/{pid}/stat")
    wait_until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "it is stopped")


def test_close_from_another_thread(tmp_path: Path) -> None:
    stream = waiting_stream(tmp_path)
    errors: list[BaseException] = []

    def take() -> None:
        try:
            next(stream)
        except BaseException as error:
            errors.append(error)

    reader = threading.Thread(target=take)
    reader.start()
    reader.join(0.3)
    assert reader.is_alive()
    os.kill(pid_of(stream), signal.SIGCONT)
    stream.close()
    reader.join(20)
    assert not reader.is_alive()
    # The record may have come, between the one signal and the other call.
    assert [type(error) for error in errors] in ([CancelledError], [])
    with pytest.raises((CancelledError, StopIteration)):
        next(stream)


def test_close_ends_a_wait(tmp_path: Path) -> None:
    stream = waiting_stream(tmp_path)
    assert stream._records is not None
    timer = threading.Timer(0.3, stream._records.close)
    timer.start()
    try:
        with pytest.raises(CancelledError):
            next(stream)
    finally:
        os.kill(pid_of(stream), signal.SIGCONT)
        stream.close()
        timer.join()


CTRL_C = """
import os, signal, sys, threading
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.transform.input_objects import list_inputs
from sagemaker_tensorflow.transform.object_stream import ObjectStream
from tests.transform.test_object_stream import pid_of, suspend

stream = ObjectStream(list_inputs(sys.argv[1], "S3Prefix", S3Options()), split_type="Line")
with stream:
    pid = pid_of(stream)
    suspend(pid)
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        next(stream)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    finally:
        os.kill(pid, signal.SIGCONT)
"""


def test_ctrl_c(tmp_path: Path) -> None:
    write(tmp_path, {"a": b"x\n"})
    done = subprocess.run(
        [sys.executable, "-c", CTRL_C, tmp_path.as_uri()],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr


def test_leaving_early(tmp_path: Path) -> None:
    objects = write(tmp_path, dict.fromkeys("abc", b"line\n" * 1_000_000))
    with ObjectStream(objects, split_type="Line") as stream:
        next(stream)
        pid = pid_of(stream)
    assert has_ended(pid)


def in_other_places(objects: list[InputObject]) -> list[InputObject]:
    return [objects[0], InputObject(1, "s3://other/k", "k", "k", 1, "")]


def as_relative_path(objects: list[InputObject]) -> list[InputObject]:
    return [objects[0], InputObject(1, "file:///k", "k", "k", 1, "")]


@pytest.mark.parametrize("spoil", [in_other_places, as_relative_path])
def test_objects_of_several_places(
    tmp_path: Path, spoil: Callable[[list[InputObject]], list[InputObject]]
) -> None:
    objects = spoil(list(write(tmp_path, {"a": b"x"})))
    with pytest.raises(InvalidArgumentError, match="one bucket"), ObjectStream(objects):
        pass


def test_list_that_fails_after_its_beginning(tmp_path: Path) -> None:
    """Most of it is written, and looked at, while the first objects are read already."""
    objects = list(write(tmp_path, {f"{number:02}": b"x\n" for number in range(40)}))
    objects[30] = InputObject(30, "s3://other/k", "k", "k", 1, "")
    with ObjectStream(objects) as stream, pytest.raises(InvalidArgumentError, match="one bucket"):
        for chunk in stream:
            assert chunk.object.index < 30


def test_arguments_are_checked(tmp_path: Path) -> None:
    objects = write(tmp_path, {"a": b"x"})
    with pytest.raises(InvalidArgumentError, match="Line"):
        ObjectStream(objects, split_type="TextLine")
    with pytest.raises(InvalidArgumentError), ObjectStream(objects, chunk_records=0):
        pass
    with pytest.raises(FailedPreconditionError):
        next(ObjectStream(objects))
    with ObjectStream(objects) as stream, pytest.raises(FailedPreconditionError):
        stream.start()


def test_objects_that_all_came_do_not_need_the_prefetchers_last_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Which it may have had no room to write down."""
    with ObjectStream(write(tmp_path, {"a": b"1", "b": b"2"})) as stream:
        assert stream._feed is not None
        word = Path(stream._feed.pipe_dir, ".objects_0.outcome.json")
        at_first = word.read_bytes()
        assert b"".join(next(stream).records) == b"1"
        assert b"".join(next(stream).records) == b"2"
        wait_until(lambda: Path(stream._feed.pipe_dir, "objects_1").exists(), "it goes on")
        word.write_bytes(at_first)
        assert list(stream) == []
    assert "every object was read" in caplog.text
