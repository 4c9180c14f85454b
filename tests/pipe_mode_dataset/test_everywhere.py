"""Wherever a source of tf.data is used: whole epochs, no record lost, none twice.

What Keras makes of it is in tests/training/test_keras.py, strategies over several workers are in
tests/training/test_distribute.py, checkpoints in tests/training/test_resume.py.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from sagemaker_tensorflow import Prefetcher
from tests.pipe_mode_dataset.conftest import framed
from tests.pipe_mode_dataset.shuffled_lines import (
    COUNT,
    Channels,
    numbers,
    orders,
    shuffled,
    write_lines,
)

EPOCHS = 4
Passes = dict[str, list[list[int]]]


def read(dataset: Any) -> list[int]:
    return numbers(dataset.as_numpy_iterator())


def cut(records: list[int], size: int = COUNT) -> list[list[int]]:
    """One stream as passes of the same size."""
    return [records[begin : begin + size] for begin in range(0, len(records), size)]


def eager_loops(channels: Channels) -> Passes:
    dataset = channels.dataset()
    return {"train": [[int(record.numpy()) for record in dataset] for _ in range(3)]}


def tf_function(channels: Channels) -> Passes:
    dataset = channels.dataset().map(tf.strings.to_number)

    @tf.function
    def one_pass() -> Any:
        seen = tf.TensorArray(tf.float32, 0, dynamic_size=True, clear_after_read=False)
        for number in dataset:
            seen = seen.write(seen.size(), number)
        return seen.stack()

    return {"train": [[int(number) for number in one_pass().numpy()] for _ in range(3)]}


def made_in_a_tf_function(channels: Channels) -> Passes:
    @tf.function
    def one_pass() -> Any:
        dataset = channels.dataset().map(tf.strings.to_number)
        return dataset.batch(COUNT + 1).get_single_element()

    return {"train": [[int(number) for number in one_pass().numpy()] for _ in range(2)]}


def repeat(channels: Channels) -> Passes:
    return {"train": cut(read(channels.dataset().repeat(3).prefetch(tf.data.AUTOTUNE)))}


def batches_and_parallel_maps(channels: Channels) -> Passes:
    def parse(lines: Any) -> Any:
        return tf.strings.to_number(lines, tf.int64)

    dataset = channels.dataset(batch_size=32).map(parse, num_parallel_calls=2).unbatch()
    return {"train": [[int(n) for n in dataset.as_numpy_iterator()] for _ in range(2)]}


def zip_of_two_channels(channels: Channels) -> Passes:
    both = tf.data.Dataset.zip((channels.dataset("train"), channels.dataset("other")))
    passes = [list(both.as_numpy_iterator()) for _ in range(2)]
    return {
        name: [numbers(pair[side] for pair in pairs) for pairs in passes]
        for side, name in enumerate(("train", "other"))
    }


def interleave_of_two_channels(channels: Channels) -> Passes:
    """Each channel's records keep their order, and say here whose they are."""

    def named(name: str) -> Any:
        records = channels.dataset(name).map(lambda record: (name, record))
        return tf.data.Dataset.from_tensors(records)

    sources = named("train").concatenate(named("other"))
    dataset = sources.interleave(lambda records: records, cycle_length=2, block_length=3)
    passes = [list(dataset.as_numpy_iterator()) for _ in range(2)]
    assert [name for name, _ in passes[0][:8]] == [b"train"] * 3 + [b"other"] * 3 + [b"train"] * 2
    return {
        name: [numbers(r for n, r in pairs if n == name.encode()) for pairs in passes]
        for name in ("train", "other")
    }


def sample_from_two_channels(channels: Channels) -> Passes:
    datasets = [channels.dataset(name).map(lambda r, n=name: (n, r)) for name in ("train", "other")]
    sampled = tf.data.Dataset.sample_from_datasets(
        datasets, seed=1, rerandomize_each_iteration=True
    )
    pairs = list(sampled.as_numpy_iterator())
    return {
        name: [numbers(r for n, r in pairs if n == name.encode())] for name in ("train", "other")
    }


def data_service_without_sharding(channels: Channels) -> Passes:
    with data_service(workers=1) as served:
        dataset = channels.dataset().apply(served)
        return {"train": [read(dataset) for _ in range(2)]}


@contextlib.contextmanager
def data_service(workers: int) -> Iterator[Callable[[Any], Any]]:
    """A dispatcher and workers in this process; what makes a dataset one of theirs."""
    service = tf.data.experimental.service
    dispatcher = service.DispatchServer()
    config = service.WorkerConfig(dispatcher.target.partition("://")[2])
    running = [service.WorkerServer(config) for _ in range(workers)]
    yield service.distribute(service.ShardingPolicy.OFF, dispatcher.target)
    del running, dispatcher  # they end then


WHOLE: list[Callable[[Channels], Passes]] = [
    eager_loops,
    tf_function,
    made_in_a_tf_function,
    repeat,
    batches_and_parallel_maps,
    zip_of_two_channels,
    interleave_of_two_channels,
    sample_from_two_channels,
    data_service_without_sharding,
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lines(tmp_path_factory.mktemp("everywhere") / "data")


@pytest.fixture(scope="module")
def expected(folder: Path) -> list[list[int]]:
    """Each epoch's records, in their order."""
    return orders(folder, EPOCHS)


@pytest.fixture
def channels(folder: Path) -> Iterator[Channels]:
    with Prefetcher({name: shuffled(folder) for name in ("train", "other")}) as feed:
        yield Channels(feed)


@pytest.mark.parametrize("use", WHOLE, ids=lambda use: use.__name__)
def test_each_pass_is_the_next_epoch(
    channels: Channels, expected: list[list[int]], use: Callable[[Channels], Passes]
) -> None:
    for name, passes in use(channels).items():
        assert passes == expected[: len(passes)]
        assert channels.epochs_used(name) == len(passes)


def test_shuffled_again_by_tf_data(channels: Channels) -> None:
    dataset = channels.dataset().shuffle(50, reshuffle_each_iteration=True).repeat(2)
    passes = cut(read(dataset))
    assert passes[0] != passes[1]
    assert [sorted(records) for records in passes] == [list(range(COUNT))] * 2
    assert channels.epochs_used() == 2


def test_take_one_and_then_again(channels: Channels, expected: list[list[int]]) -> None:
    """An epoch that was begun is over: who comes later gets the next one, whole."""
    dataset = channels.dataset()
    assert read(dataset.take(1)) == expected[0][:1]
    assert read(dataset) == expected[1]
    assert read(dataset.take(1)) == expected[2][:1]
    assert read(dataset) == expected[3]


def test_each_worker_of_the_data_service_reads_an_epoch_of_its_own(channels: Channels) -> None:
    with data_service(workers=2) as served:
        seen = Counter(read(channels.dataset().apply(served)))
    assert seen == dict.fromkeys(range(COUNT), 2)
    assert channels.epochs_used() == 2


@pytest.mark.parametrize("kept", ["in memory", "in a file", "saved"])
def test_what_is_kept_is_one_epoch(
    channels: Channels, expected: list[list[int]], tmp_path: Path, kept: str
) -> None:
    dataset = channels.dataset()
    if kept == "saved":
        dataset.save(str(tmp_path / "saved"))
        again = tf.data.Dataset.load(str(tmp_path / "saved"))
    else:
        again = dataset.cache(str(tmp_path / "cache") if kept == "in a file" else "")
    assert [read(again) for _ in range(3)] == [expected[0]] * 3
    assert channels.epochs_used() == 1


def test_ignored_errors_cost_one_record_each(tmp_path: Path) -> None:
    """Of a record that is damaged: the same one in each epoch, and nothing else."""
    folder = tmp_path / "damaged"
    folder.mkdir()
    stream = bytearray(framed([b"%d" % number for number in range(100, 200)]))
    stream[50 * len(stream) // 100 + 12] ^= 1  # in the payload, which is behind a length and a CRC
    (folder / "records").write_bytes(stream)
    kept = [number for number in range(100, 200) if number != 150]
    with Prefetcher({"train": str(folder)}) as feed:
        dataset = Channels(feed).dataset(record_format="TFRecord").ignore_errors()
        assert [read(dataset) for _ in range(2)] == [kept] * 2
