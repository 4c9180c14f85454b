"""Which epoch comes next: after an early stop, for another run, for another prefetcher."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import pytest
import tensorflow as tf

from sagemaker_tensorflow import PipeModeDataset, Prefetcher
from tests.pipes import outcome, wait_until
from tests.streams import streaming
from tests.training.conftest import (
    RECORD_COUNT,
    RECORDS,
    numbered,
    open_dataset,
    read,
    write_shards,
)
from tests.training.jobs import run, running

WHOLE = list(range(RECORD_COUNT))


def next_epoch(root: Path) -> int:
    return int((root / "state" / ".train-pipe_mode-state").read_text().split()[0])


def test_script_that_is_run_again_goes_on_with_the_next_epoch(shards: Path, tmp_path: Path) -> None:
    with streaming(tmp_path, "--channel", f"train={shards}") as stream:
        wait_until((stream.pipe_dir / "train_0").exists, "the pipe is made")
        assert run(tmp_path, "train", "all", "10") == [WHOLE, WHOLE[:10]]
        assert next_epoch(tmp_path) == 2
        assert run(tmp_path, "train", "all", "all") == [WHOLE, WHOLE]
        assert next_epoch(tmp_path) == 4
        states = [outcome(stream.pipe_dir, "train", epoch)["state"] for epoch in range(4)]
        assert states == ["done", "abandoned", "done", "done"]


def test_killed_script_costs_only_its_epoch(shards: Path, tmp_path: Path) -> None:
    with streaming(tmp_path, "--channel", f"train={shards}") as stream:
        wait_until((stream.pipe_dir / "train_0").exists, "the pipe is made")
        with running(tmp_path, "train", "hang") as job:
            assert job.line() == "ready"
            assert job.line() == [0]
            # Who would read the channel too, at the same time, is told who does.
            dirs = {f"{name}_dir": tmp_path / name for name in ("state", "config")}
            dataset = PipeModeDataset(
                "train", "TFRecord", pipe_dir=stream.pipe_dir, timeout=0.5, **dirs
            )
            with pytest.raises(tf.errors.DeadlineExceededError) as caught:
                read(dataset)
            reader = f"epoch 0 is still being read by process {job.process.pid}: "
            assert reader in caught.value.message
            assert "pipes_per_channel" in caught.value.message
            job.kill()
        assert run(tmp_path, "train", "all") == [WHOLE]
        assert outcome(stream.pipe_dir, "train", 0)["state"] == "abandoned"
        assert outcome(stream.pipe_dir, "train", 1)["state"] == "done"
        assert stream.stop() == 0


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_new_prefetcher_in_the_same_directories_begins_again(
    shards: Path, tmp_path: Path, ending: signal.Signals
) -> None:
    channel = ["--channel", f"train={shards}"]
    with streaming(tmp_path, *channel) as stream:
        wait_until((stream.pipe_dir / "train_0").exists, "the pipe is made")
        assert run(tmp_path, "train", "all", "all", "10") == [WHOLE, WHOLE, WHOLE[:10]]
        assert next_epoch(tmp_path) == 3
        stream.process.send_signal(ending)
        stream.process.wait()
    # The script is there first, with the state of the other run.
    with running(tmp_path, "train", "all", "all") as job:
        assert job.line() == "ready"
        with streaming(tmp_path, *channel):
            assert job.end() == [WHOLE, WHOLE]
        assert next_epoch(tmp_path) == 2


def test_early_stop_then_whole_epochs(shards: Path) -> None:
    with Prefetcher({"train": str(shards)}) as feed:
        dataset = open_dataset(feed)
        for count in (10, 1, 500):
            assert read(dataset.take(count)) == RECORDS[:count]
            assert read(dataset) == RECORDS
        # Stages that read ahead are stopped in the middle of it.
        ahead = dataset.batch(8).prefetch(4)
        assert next(iter(ahead)).numpy().tolist() == RECORDS[:8]
        assert read(dataset.repeat(2)) == RECORDS * 2
        assert read(dataset.skip(1000)) == RECORDS[1000:]
        assert read(open_dataset(feed, batch_size=100).take(1))[0].tolist() == RECORDS[:100]
        assert read(dataset) == RECORDS


def test_iterators_that_begin_together_get_an_epoch_each(shards: Path) -> None:
    epochs: list[list[bytes]] = []
    with Prefetcher({"train": str(shards)}) as feed:
        dataset = open_dataset(feed)
        iterators = [iter(dataset) for _ in range(4)]

        def drain(iterator: tf.data.Iterator) -> None:
            epochs.append([element.numpy() for element in iterator])

        threads = [threading.Thread(target=drain, args=(iterator,)) for iterator in iterators]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert epochs == [RECORDS] * 4


def test_two_iterators_of_one_channel_in_turns_are_refused(shards: Path) -> None:
    """The second waits for an epoch that comes only when the first one is through."""
    with Prefetcher({"train": str(shards)}) as feed:
        impatient = open_dataset(feed, timeout=0.5)
        both = tf.data.Dataset.zip((impatient, impatient))
        with pytest.raises(tf.errors.DeadlineExceededError) as caught:
            next(iter(both))
        reader = "epoch 0 is still being read by another iterator of this process: "
        assert reader in caught.value.message
        assert "pipes_per_channel" in caught.value.message
        assert read(open_dataset(feed)) == RECORDS


class TwoChannels:
    """Two channels of one prefetcher; the second has fewer records, of its own."""

    def __init__(self, tmp_path: Path) -> None:
        self.small = [b"small" + record for record in numbered(300)]
        self.uris = {
            "train": str(write_shards(tmp_path / "large", RECORDS, 5)),
            "small": str(write_shards(tmp_path / "small", self.small, 2)),
        }


@pytest.fixture
def two(tmp_path: Path) -> TwoChannels:
    return TwoChannels(tmp_path)


def test_two_channels_zipped(two: TwoChannels) -> None:
    with Prefetcher(two.uris) as feed:
        large, small = open_dataset(feed), open_dataset(feed, "small")
        for _ in range(2):
            pairs = read(tf.data.Dataset.zip((large, small)))
            assert pairs == list(zip(RECORDS, two.small, strict=False))
        # Each epoch of one beside four of the other.
        pairs = read(tf.data.Dataset.zip((large, small.repeat())))
        assert [pair[0] for pair in pairs] == RECORDS
        assert [pair[1] for pair in pairs] == (two.small * 4)[:RECORD_COUNT]


def test_two_channels_sampled(two: TwoChannels) -> None:
    with Prefetcher(two.uris) as feed:
        sampled = tf.data.Dataset.sample_from_datasets(
            [open_dataset(feed), open_dataset(feed, "small")], weights=[0.7, 0.3], seed=1
        )
        for _ in range(2):
            records = read(sampled)
            small = [record for record in records if record.startswith(b"small")]
            assert small == two.small
            assert [record for record in records if not record.startswith(b"small")] == RECORDS


def test_two_channels_read_by_threads(two: TwoChannels) -> None:
    epochs: dict[str, list[list[bytes]]] = {"train": [], "small": []}
    with Prefetcher(two.uris) as feed:

        def drain(channel: str) -> None:
            dataset = open_dataset(feed, channel)
            epochs[channel] += [read(dataset) for _ in range(3)]

        threads = [threading.Thread(target=drain, args=(channel,)) for channel in epochs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert epochs == {"train": [RECORDS] * 3, "small": [two.small] * 3}
