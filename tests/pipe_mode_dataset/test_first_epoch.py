"""A training that is started again says which epoch of the data comes first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import tensorflow as tf

from tests.pipe_mode_dataset.conftest import Channel, framed
from tests.pipe_mode_dataset.shuffled_lines import numbers, orders, shuffled, write_lines
from tests.roads import Road, pipes, ring


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lines(tmp_path_factory.mktemp("first") / "data")


@pytest.fixture(scope="module")
def epochs(folder: Path) -> list[list[int]]:
    """Each epoch's records, in their order."""
    return orders(folder, 6)


@pytest.fixture(params=[pipes, ring])
def road(folder: Path, request: pytest.FixtureRequest) -> Iterator[Road]:
    with request.param(shuffled(folder)) as opened:
        yield opened


def read(dataset: tf.data.Dataset) -> list[int]:
    return numbers(dataset.as_numpy_iterator())


def test_it_is_the_first_iterators_and_the_others_go_on(
    road: Road, epochs: list[list[int]]
) -> None:
    dataset = road.dataset("TextLine", first_epoch=3).prefetch(2)
    unread = [iter(dataset) for _ in range(2)]
    assert read(dataset) == epochs[3]
    assert read(dataset.map(tf.identity)) == epochs[4]
    assert [int(record.numpy()) for record in unread[0]] == epochs[5]


def test_another_dataset_may_go_back(folder: Path, epochs: list[list[int]]) -> None:
    with pipes(shuffled(folder)) as road:
        dataset = road.dataset("TextLine", first_epoch=4)
        assert read(dataset) == epochs[4]
        assert read(road.dataset("TextLine")) == epochs[5]
        again = road.dataset("TextLine", first_epoch=1)
        assert read(again.repeat(2)) == epochs[1] + epochs[2]
        assert read(dataset) == epochs[3]


def test_what_dies_unread_passes_it_on(road: Road, epochs: list[list[int]], tmp_path: Path) -> None:
    dataset = road.dataset("TextLine", first_epoch=2)
    unread = iter(dataset)
    tf.train.Checkpoint(iterator=unread).write(str(tmp_path / "saved"))
    del unread
    assert read(dataset) == epochs[2]


def test_a_restored_iterator_knows_better(
    road: Road, epochs: list[list[int]], tmp_path: Path
) -> None:
    iterator = iter(road.dataset("TextLine", first_epoch=4))
    fresh = tf.train.Checkpoint(iterator=iterator).write(str(tmp_path / "fresh"))
    assert int(next(iterator).numpy()) == epochs[4][0]
    later = tf.train.Checkpoint(iterator=iterator).write(str(tmp_path / "later"))
    del iterator
    for path, read_before in ((later, 1), (fresh, 0)):
        dataset = road.dataset("TextLine", first_epoch=1)
        restored = iter(dataset)
        tf.train.Checkpoint(iterator=restored).read(path).assert_consumed()
        assert [int(record.numpy()) for record in restored] == epochs[4][read_before:]
        assert read(dataset) == epochs[5]


def test_a_writer_that_cannot_be_asked_gives_its_next(
    channel: Channel, capfd: pytest.CaptureFixture[str]
) -> None:
    channel.feed(framed([b"0"]), framed([b"1"]))
    dataset = channel.dataset(first_epoch=7)
    assert read(dataset) == [0]
    assert "first_epoch=7 is ignored" in capfd.readouterr().err
    assert read(dataset) == [1]
    assert "first_epoch" not in capfd.readouterr().err


def test_it_is_a_number_from_0(channel: Channel) -> None:
    for wrong in (-1, 1 << 63):
        with pytest.raises(ValueError, match=f"first_epoch must be 0 or more .* not {wrong}"):
            channel.dataset(first_epoch=wrong)
    channel.dataset(first_epoch=(1 << 63) - 1)
