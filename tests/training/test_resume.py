"""A reader that goes on where a checkpoint was saved."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from sagemaker_tensorflow import Prefetcher, ShuffleConfig, TrainingInput
from tests.record_samples import encode
from tests.training.conftest import open_dataset

FORMATS = ["TFRecord", "RecordIO", "TextLine"]
COUNT = 600
SCRIPT = Path(__file__).with_name("resume_script.py")


def lines(count: int) -> list[bytes]:
    """Records that are lines and begin with their number, of 5 to about 1,700 bytes."""
    return [b"%d %s" % (i, b"x" * (i % 17 * 100)) for i in range(count)]


RECORDS = lines(COUNT)


@pytest.fixture(params=FORMATS)
def record_format(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def write_files(folder: Path, record_format: str) -> Path:
    """Twelve files of different lengths, one of them empty."""
    folder.mkdir()
    ends = [0, 0, 7, 70, 100, 180, 250, 333, 400, 480, 555, COUNT]
    for number, (begin, end) in enumerate(zip([0, *ends], ends, strict=False)):
        data = encode(record_format, RECORDS[begin:end])
        (folder / f"part-{number:02}").write_bytes(data)
    return folder


@pytest.fixture
def folder(tmp_path: Path, record_format: str) -> Path:
    return write_files(tmp_path / "data", record_format)


def shuffled(folder: Path) -> dict[str, TrainingInput]:
    return {"train": TrainingInput(str(folder), shuffle_config=ShuffleConfig(5))}


def save(iterator: Any, tmp_path: Path) -> str:
    return str(tf.train.Checkpoint(iterator=iterator).write(str(tmp_path / "saved")))


def restore(iterator: Any, path: str) -> Any:
    tf.train.Checkpoint(iterator=iterator).read(path).assert_consumed()
    return iterator


def rest(iterator: Any) -> list[bytes]:
    return [record for element in iterator for record in tf.reshape(element, [-1]).numpy()]


@pytest.mark.parametrize("batch_size", [None, 32])
def test_another_prefetcher_goes_on_at_the_record(
    folder: Path, record_format: str, batch_size: int | None, tmp_path: Path
) -> None:
    with Prefetcher(shuffled(folder)) as feed:
        dataset = open_dataset(feed, record_format=record_format, batch_size=batch_size)
        rest(iter(dataset))  # so that the epoch in question is not the first
        iterator = iter(dataset)
        begin = [next(iterator) for _ in range(5)]
        path = save(iterator, tmp_path)
        expected, epoch_after = rest(iterator), rest(iter(dataset))
    assert len(begin) * (batch_size or 1) + len(expected) == COUNT
    with Prefetcher(shuffled(folder)) as feed:
        dataset = open_dataset(feed, record_format=record_format, batch_size=batch_size)
        assert rest(restore(iter(dataset), path)) == expected
        assert rest(iter(dataset)) == epoch_after


def test_fresh_and_ended_iterators_are_saved_too(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "data", "TextLine")
    with Prefetcher(shuffled(folder)) as feed:
        dataset = open_dataset(feed, record_format="TextLine")
        first = iter(dataset)
        rest(first)
        ended = save(first, tmp_path / "ended")
        fresh = save(iter(dataset), tmp_path / "fresh")
        expected = rest(iter(dataset))
    with Prefetcher(shuffled(folder)) as feed:
        dataset = open_dataset(feed, record_format="TextLine")
        assert rest(restore(iter(dataset), ended)) == []
        assert rest(restore(iter(dataset), fresh)) == expected


def test_around_the_end_of_an_epoch(tmp_path: Path) -> None:
    """Where the iterator has ended, and what tf.data has read ahead of it has not."""
    folder = write_files(tmp_path / "data", "TextLine")

    def build(feed: Prefetcher) -> Any:
        dataset = open_dataset(feed, record_format="TextLine")
        return dataset.prefetch(8).repeat(3)

    with Prefetcher(shuffled(folder)) as feed:
        whole = rest(iter(build(feed)))
    with Prefetcher(shuffled(folder)) as feed:
        iterator = iter(build(feed))
        saved = {}
        for read in range(COUNT + 3):
            if read >= COUNT - 10:
                time.sleep(0.01)  # so that it has read as far ahead as it can
                saved[read] = save(iterator, tmp_path / str(read))
            next(iterator)
    for read in (COUNT - 10, COUNT - 9, COUNT - 8, COUNT - 1, COUNT, COUNT + 1):
        with Prefetcher(shuffled(folder)) as feed:
            assert rest(restore(iter(build(feed)), saved[read])) == whole[read:], read


def test_an_ended_iterator_is_followed_by_the_next_epoch(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "data", "TextLine")
    with Prefetcher(shuffled(folder)) as feed:
        dataset = open_dataset(feed, record_format="TextLine")
        iterator = iter(dataset)
        rest(iterator)
        path = save(iterator, tmp_path)
        second, third = rest(iter(dataset)), rest(iter(dataset))
    with Prefetcher(shuffled(folder)) as feed:
        dataset = open_dataset(feed, record_format="TextLine")
        assert rest(restore(iter(dataset), path)) == []
        assert rest(iter(dataset)) == second
        assert rest(iter(dataset)) == third


def test_iterators_of_one_channel_are_restored_in_any_order(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "data", "TextLine")
    with Prefetcher(shuffled(folder)) as feed:
        dataset = open_dataset(feed, record_format="TextLine", batch_size=50)
        ended, reading = iter(dataset), iter(dataset)
        rest(ended)
        next(reading)
        saved = {"ended": save(ended, tmp_path / "ended")}
        saved["reading"] = save(reading, tmp_path / "reading")
        expected, third, fourth = rest(reading), rest(iter(dataset)), rest(iter(dataset))
    for order in (["ended", "reading"], ["reading", "ended"]):
        with Prefetcher(shuffled(folder)) as feed:
            dataset = open_dataset(feed, record_format="TextLine", batch_size=50)
            restored = {name: restore(iter(dataset), saved[name]) for name in order}
            assert rest(restored["ended"]) == []
            assert rest(iter(dataset)) == third
            assert rest(restored["reading"]) == expected
            assert rest(iter(dataset)) == fourth


def test_a_restore_that_failed_can_be_saved_again(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "data", "TextLine")
    with Prefetcher({"train": str(folder)}) as feed:
        iterator = iter(open_dataset(feed, record_format="TextLine"))
        for _ in range(300):
            next(iterator)
        path = save(iterator, tmp_path / "good")
        expected = rest(iterator)
    victim = folder / "part-07"
    original = victim.read_bytes()
    victim.write_bytes(original + b"more\n")
    with Prefetcher({"train": str(folder)}) as feed:
        iterator = restore(iter(open_dataset(feed, record_format="TextLine")), path)
        with pytest.raises(tf.errors.FailedPreconditionError):
            next(iterator)
        again = save(iterator, tmp_path / "again")
    victim.write_bytes(original)
    with Prefetcher({"train": str(folder)}) as feed:
        assert rest(restore(iter(open_dataset(feed, record_format="TextLine")), again)) == expected


def test_symbolic_checkpoints(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "data", "TextLine")
    options = tf.data.Options()
    options.experimental_symbolic_checkpoint = True
    with Prefetcher(shuffled(folder)) as feed:

        def build() -> Any:
            dataset = open_dataset(feed, record_format="TextLine")
            return dataset.shuffle(20, seed=3).prefetch(5).with_options(options)

        iterator = iter(build())
        for _ in range(300):
            next(iterator)
        path = save(iterator, tmp_path)
        expected = rest(iterator)
        assert rest(restore(iter(build()), path)) == expected


@pytest.mark.parametrize("change", ["object", "settings", "format", "missing"])
def test_what_was_changed_is_an_error(tmp_path: Path, change: str) -> None:
    folder = write_files(tmp_path / "data", "TextLine")
    with Prefetcher({"train": str(folder)}) as feed:
        iterator = iter(open_dataset(feed, record_format="TextLine"))
        for _ in range(300):
            next(iterator)
        path = save(iterator, tmp_path)
    channels: Any = shuffled(folder) if change == "settings" else {"train": str(folder)}
    record_format = "RecordIO" if change == "format" else "TextLine"
    victim = folder / "part-07"
    if change == "object":
        victim.write_bytes(victim.read_bytes() + b"more\n")
    elif change == "missing":
        victim.unlink()
    words = {"object": "part-07", "settings": "shuffled with seed", "format": "record_format"}
    with Prefetcher(channels) as feed:
        iterator = iter(open_dataset(feed, record_format=record_format))
        with pytest.raises(tf.errors.FailedPreconditionError, match=words.get(change, "part-07")):
            rest(restore(iterator, path))


class Lives:
    """resume_script.py."""

    def __init__(self, root: Path, *arguments: str) -> None:
        self._log = root / "training-log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, SCRIPT, root, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        assert line, self._log.read_text()
        return line

    def begin(self) -> int:
        """Returns the pid."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.line())

    def words(self) -> str:
        return self._log.read_text()


@contextlib.contextmanager
def lives(root: Path, *arguments: str) -> Iterator[Lives]:
    those = Lives(root, *arguments)
    try:
        yield those
    finally:
        those.process.kill()
        those.process.communicate()


def stitched(seen: Path) -> list[int]:
    """What a training saw: of batches that were read again after a kill, the last reading."""
    batches: dict[int, list[int]] = {}
    for line in seen.read_text().splitlines():
        number, ids = json.loads(line)
        # It is the same both times, but where a batch was at the end of what was written.
        assert batches.setdefault(number, ids) == ids
    assert sorted(batches) == list(range(len(batches)))
    return [one for number in sorted(batches) for one in batches[number]]


def train(job: Lives, pauses: list[float]) -> None:
    """Runs a training to its end and kills it after each pause, which are used up by that."""
    while pauses:
        pid = job.begin()
        time.sleep(pauses[-1])
        with contextlib.suppress(ProcessLookupError):  # it has ended
            os.kill(pid, signal.SIGKILL)
        if (end := job.line()) != "killed":
            assert end == "ended", job.words()
            return
        pauses.pop()
    job.begin()
    assert job.line() == "ended", job.words()


@contextlib.contextmanager
def source(road: str, folder: Path, root: Path) -> Iterator[str]:
    """The script's FOLDER. Pipes are fed by a prefetcher that outlives all of its lives."""
    if road == "ring":
        yield str(folder)
        return
    dirs = {"pipe_dir": "pipes", "state_dir": "state", "config_dir": "config"}
    with Prefetcher(shuffled(folder), **{name: root / below for name, below in dirs.items()}):
        yield ""


@pytest.mark.parametrize(
    ("road", "record_format", "batch", "kills"),
    [
        ("pipe", "TFRecord", 0, 15),
        ("pipe", "RecordIO", 2, 17),
        ("pipe", "TextLine", 2, 18),
        ("ring", "TextLine", 2, 8),
    ],
)
def test_killed_at_random_it_sees_what_it_would_have_seen(
    tmp_path: Path, road: str, record_format: str, batch: int, kills: int
) -> None:
    folder = write_files(tmp_path / "data", record_format)
    epochs = 3
    with Prefetcher(shuffled(folder)) as feed:
        dataset = open_dataset(feed, record_format=record_format)
        expected = [int(r.split()[0]) for _ in range(epochs) for r in rest(iter(dataset))]
    chance = random.Random(kills)
    start = 0.4 if road == "ring" else 0  # each life starts a prefetcher of its own
    pauses = [start + chance.uniform(0.05, 0.5) for _ in range(kills)]
    while pauses:  # another training, where one has ended before all of them
        root = tmp_path / f"training-{len(pauses)}"
        root.mkdir()
        with (
            source(road, folder, root) as read,
            lives(root, read, record_format, str(epochs), str(batch)) as job,
        ):
            train(job, pauses)
        assert stitched(root / "seen") == expected
