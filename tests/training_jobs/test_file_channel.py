"""Input mode File: what is in the folder, and what is not, however the download ends."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from sagemaker_tensorflow.errors import (
    CancelledError,
    FailedPreconditionError,
    InternalError,
    InvalidArgumentError,
    PermissionDeniedError,
    UnavailableError,
)
from sagemaker_tensorflow.hosts import HostPlace
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.training.channel_files import PARTIAL_PREFIX
from sagemaker_tensorflow.training.download_progress import DownloadProgress, DownloadStats
from sagemaker_tensorflow.training.file_channel import ChannelDownload, download_channel
from sagemaker_tensorflow.training_input import TrainingInput
from tests.conftest import PutObjects
from tests.faults.conftest import ServeS3, s3, serve  # noqa: F401 - fixtures
from tests.faults.epochs import PART, SIZES, small_parts
from tests.faulty_s3 import Fault, FaultyS3, ServerOptions
from tests.pipes import has_ended, wait_until


def download(
    uri: str,
    directory: Path,
    config: PrefetchConfig | None = None,
    progress: Callable[[DownloadProgress], None] | None = None,
) -> DownloadStats:
    return download_channel(
        TrainingInput(uri),
        directory,
        s3_options=S3Options(),
        prefetch_config=config or PrefetchConfig(),
        progress=progress,
    )


def contents(directory: Path) -> dict[str, bytes]:
    """Every file below, hidden ones too."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_objects_are_files(put_objects: PutObjects, tmp_path: Path) -> None:
    objects = {
        "a.csv": b"1,2\n",
        "empty": b"",
        "sub/deep/b": b"b" * 70_000,
        "sub/c": b"c" * 3_000_000,
        "ünï/日本 語 \U0001f600.bin": b"unicode",
        "odd'\" &+%41;x": b"odd",
        "z/empty": b"",
    }
    uri = put_objects({f"data/{key}": body for key, body in objects.items()})
    put_objects({"data/": b"", "data/folder/": b""})
    said: list[DownloadProgress] = []
    # What is there already stays, but for files of the same names and what a killed one left.
    channel = tmp_path / "input" / "train"
    (channel / "sub").mkdir(parents=True)
    (channel / "sub" / "c").write_bytes(b"old")
    (channel / "other").write_bytes(b"other")
    (channel / f"{PARTIAL_PREFIX}1").write_bytes(b"half")
    stats = download(f"{uri}/data/", channel, progress=said.append)
    assert contents(channel) == {**objects, "other": b"other"}
    total = sum(len(body) for body in objects.values())
    assert (stats.objects, stats.bytes) == (len(objects), total)
    assert [(p.objects, p.bytes) for p in (said[0], said[-1])] == [(0, 0), (len(objects), total)]
    assert {(p.objects_total, p.bytes_total) for p in said} == {(len(objects), total)}


def test_local_files(folder: Path, tmp_path: Path) -> None:
    channel = tmp_path / "train"
    stats = download(str(folder), channel)
    assert contents(channel) == contents(folder)
    assert stats.objects == 3


def test_host_without_objects(folder: Path, tmp_path: Path) -> None:
    channel = tmp_path / "train"
    done = download_channel(
        TrainingInput(str(folder), distribution="ShardedByS3Key"),
        channel,
        s3_options=S3Options(),
        prefetch_config=PrefetchConfig(),
        host=HostPlace(3, 4),
    )
    assert done == DownloadStats(0, 0, 0.0, 0)
    assert contents(channel) == {}
    assert channel.is_dir()


def test_big_object(s3: FaultyS3, tmp_path: Path) -> None:  # noqa: F811 - a fixture
    s3.add({"data/big": 64 << 20, "data/small": 10})
    stats = download(f"{s3.uri}/data", tmp_path)
    assert stats.bytes == (64 << 20) + 10
    assert (tmp_path / "big").read_bytes() == s3.truth("data/big")
    assert (tmp_path / "small").read_bytes() == s3.truth("data/small")


def test_names_are_checked_before_anything_is_fetched(
    s3: FaultyS3,  # noqa: F811 - a fixture
    tmp_path: Path,
) -> None:
    s3.put({"data/a": b"x", "data/a/b": b"x"})
    with pytest.raises(InvalidArgumentError):
        download(f"{s3.uri}/data", tmp_path)
    assert s3.requests(key="data/a") == []
    assert list(tmp_path.iterdir()) == []


def test_room_is_looked_for_before_anything_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with (tmp_path / "data" / "hole").open("wb") as hole:
        hole.truncate(8 << 40)
    with pytest.raises(FailedPreconditionError, match="has room for"):
        download(str(tmp_path / "data"), tmp_path / "train")
    assert contents(tmp_path / "train") == {}


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_disk_that_takes_no_more(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").write_bytes(b"a" * 100_000)
    (tmp_path / "data" / "b").write_bytes(b"b" * 8_000_000)
    with (
        file_size_limit(3_000_000),
        pytest.raises(InternalError, match=r"train/b: File too large"),
    ):
        download(str(tmp_path / "data"), tmp_path / "train")
    assert contents(tmp_path / "train") == {"a": b"a" * 100_000}


def test_file_in_the_place_of_a_folder(folder: Path, tmp_path: Path) -> None:
    channel = tmp_path / "train"
    channel.mkdir()
    (channel / "b").write_bytes(b"in the way")
    with pytest.raises(InternalError, match=f"{channel}/b"):
        download(str(folder), channel)
    assert contents(channel) == {"a": (folder / "a").read_bytes(), "b": b"in the way"}


def test_faults_that_are_recovered_from(serve: ServeS3, tmp_path: Path) -> None:  # noqa: F811
    server = serve(ServerOptions(seed=21, checksum="crc32c"))
    server.add(SIZES)
    server.set_faults(
        Fault("reset_in_body", rate=0.3, asks=2),
        Fault("slow_down", rate=0.2, asks=2),
        Fault("flip", keys="data/b", asks=1),
    )
    stats = download(f"{server.uri}/data", tmp_path, small_parts(retry_tries=10))
    assert stats.retries > 0
    assert contents(tmp_path) == {key.removeprefix("data/"): server.truth(key) for key in SIZES}


def test_object_that_cannot_be_had(s3: FaultyS3, tmp_path: Path) -> None:  # noqa: F811
    """Those before it are there, and nothing of it."""
    s3.add(SIZES)
    s3.set_faults(Fault("access_denied", keys="data/d", from_offset=5 * PART))
    with pytest.raises(PermissionDeniedError, match="data/d"):
        download(f"{s3.uri}/data", tmp_path, small_parts())
    assert contents(tmp_path) == {name: s3.truth(f"data/{name}") for name in "abc"}


def test_what_progress_raises_ends_it(folder: Path, tmp_path: Path) -> None:
    def refuse(now: DownloadProgress) -> None:
        if now.objects == now.objects_total:
            raise KeyError("refused")

    with pytest.raises(KeyError, match="refused"):
        download(str(folder), tmp_path / "train", progress=refuse)


@pytest.fixture
def stalling(s3: FaultyS3) -> FaultyS3:  # noqa: F811 - a fixture
    """Objects of which the second never comes whole."""
    s3.add({"data/a": 1000, "data/big": 40 * PART})
    s3.set_faults(Fault("stall", keys="data/big", from_offset=20 * PART))
    return s3


def partial_bytes(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.glob(f"{PARTIAL_PREFIX}*"))


def prefetchers_of(parent: int) -> list[int]:
    """The process ids of prefetchers that a process has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            mother = int(stat.read_text().rpartition(")")[2].split()[1])
            command = stat.with_name("cmdline").read_bytes()
        except OSError:
            continue
        if mother == parent and b"sagemaker_tensorflow.prefetch_process" in command:
            found.append(int(stat.parent.name))
    return found


@contextmanager
def half_done(s3: FaultyS3, directory: Path) -> Iterator[tuple[ChannelDownload, Future[object]]]:  # noqa: F811
    """A download in another thread that has written a part of the big object and stands still."""
    running = ChannelDownload(
        TrainingInput(f"{s3.uri}/data"),
        directory,
        s3_options=S3Options(),
        prefetch_config=small_parts(stall_seconds=3600),
    )
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(running.run)
        try:
            wait_until(lambda: partial_bytes(directory) > 0 or done.done(), "bytes are written")
            assert not done.done()
            yield running, done
        finally:
            running.cancel()


def test_prefetcher_is_killed(stalling: FaultyS3, tmp_path: Path) -> None:
    with half_done(stalling, tmp_path) as (_, done):
        (pid,) = prefetchers_of(os.getpid())
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(UnavailableError, match="prefetcher"):
            done.result(60)
    assert contents(tmp_path) == {"a": stalling.truth("data/a")}


def test_cancel(stalling: FaultyS3, tmp_path: Path) -> None:
    with half_done(stalling, tmp_path) as (running, done):
        pids = prefetchers_of(os.getpid())
        running.cancel()
        with pytest.raises(CancelledError):
            done.result(60)
    assert contents(tmp_path) == {"a": stalling.truth("data/a")}
    assert all(has_ended(pid) for pid in pids)


SCRIPT = """
import sys
from pathlib import Path
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.training.file_channel import download_channel
from sagemaker_tensorflow.training_input import TrainingInput
from tests.faults.epochs import small_parts

download_channel(
    TrainingInput(sys.argv[1]), Path(sys.argv[2]), s3_options=S3Options(),
    prefetch_config=small_parts(stall_seconds=3600),
)
"""


@pytest.mark.parametrize(
    ("number", "left"), [(signal.SIGKILL, 1), (signal.SIGINT, 0)], ids=["SIGKILL", "SIGINT"]
)
def test_download_is_killed(
    stalling: FaultyS3, tmp_path: Path, number: signal.Signals, left: int
) -> None:
    """No file is half there, no process stays, and the next download cleans up."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, f"{stalling.uri}/data", str(tmp_path)],
        cwd=Path(__file__).parents[2],
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: partial_bytes(tmp_path) > 0, "bytes are written")
        (prefetcher,) = prefetchers_of(process.pid)
        process.send_signal(number)
        assert process.wait(60) != 0
    finally:
        process.kill()
    wait_until(lambda: has_ended(prefetcher), "the prefetcher is gone")
    partial = list(tmp_path.glob(f"{PARTIAL_PREFIX}*"))
    assert len(partial) == left
    assert {p.name for p in tmp_path.iterdir()} == {"a", *(p.name for p in partial)}
    stalling.set_faults()
    download(f"{stalling.uri}/data", tmp_path)
    assert contents(tmp_path) == {name: stalling.truth(f"data/{name}") for name in ("a", "big")}
