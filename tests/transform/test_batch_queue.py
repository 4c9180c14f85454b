"""How payloads are cut into batches, and put together again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_tensorflow.errors import CancelledError, InvalidArgumentError
from sagemaker_tensorflow.transform.batch_queue import BatchQueue, QueueLimits
from sagemaker_tensorflow.transform.batches import (
    Batch,
    InstancesFailedError,
    Part,
    Piece,
    Slot,
    bytes_of,
    rows_of,
)
from sagemaker_tensorflow.transform.engine_stats import EngineStats


def queue(size: int, batch_bytes: int | None = None) -> BatchQueue:
    limits = QueueLimits(ready_batches=1000, batches=1000, batch_bytes=batch_bytes)
    return BatchQueue(lambda: size, limits, EngineStats())


def rows(count: int, width: int = 1, first: int = 0) -> dict[str, Any]:
    return {"x": np.arange(first, first + count, dtype=np.int64).repeat(width).reshape(-1, width)}


def taken(source: BatchQueue) -> list[int]:
    source.end()
    sizes = []
    while (batch := source.take()) is not None:
        sizes.append(batch.rows)
    return sizes


def test_a_payload_larger_than_a_batch_is_cut() -> None:
    source = queue(4)
    source.add("tag", rows(10), 10)
    assert taken(source) == [4, 4, 2]


def test_a_batch_ends_before_it_has_too_many_bytes() -> None:
    source = queue(100, batch_bytes=2500)
    source.add("small", rows(5, width=125), 5)  # 1000 bytes each
    source.add("large", rows(2, width=1250), 2)  # one alone is too much
    assert taken(source) == [2, 2, 1, 1, 1]


def test_rows_of_another_dtype_begin_a_batch() -> None:
    source = queue(4)
    source.add(0, rows(1), 1)
    source.add(1, {"x": np.zeros((1, 1), np.float32)}, 1)
    source.add(2, {"x": np.zeros((1, 1), np.float32)}, 1)
    assert taken(source) == [1, 2]


def test_a_stopped_queue_takes_and_gives_nothing() -> None:
    source = queue(4)
    source.add(0, rows(4), 4)
    source.stop()
    assert source.take() is None
    assert source.next_slot() is None
    with pytest.raises(CancelledError):
        source.add(1, rows(4), 4)


@given(st.lists(st.integers(1, 7), min_size=1, max_size=8))
def test_halves_are_the_batch(sizes: list[int]) -> None:
    pieces = []
    for tag, size in enumerate(sizes):
        slot = Slot(tag, size + 2, size + 2, 0, size, [])
        pieces.append(Piece(slot, rows(size + 2, first=100 * tag), 1, size + 1))
    batch = Batch(pieces, sum(sizes))
    if batch.rows == 1:
        return
    first, second = batch.halves()
    assert (first.rows, second.rows) == (batch.rows // 2, batch.rows - batch.rows // 2)
    both = [half.inputs()["x"][:, 0].tolist() for half in (first, second)]
    assert [len(values) for values in both] == [first.rows, second.rows]
    assert both[0] + both[1] == batch.inputs()["x"][:, 0].tolist()


def test_padding_repeats_the_last_row() -> None:
    batch = Batch([Piece(Slot(0, 2, 2, 0, 2, []), rows(2), 0, 2)], 2)
    assert batch.inputs(5)["x"][:, 0].tolist() == [0, 1, 1, 1, 1]


def test_rows_of_one_payload_are_not_copied() -> None:
    inputs = rows(10)
    batch = Batch([Piece(Slot(0, 10, 10, 0, 10, []), inputs, 2, 6)], 4)
    assert np.shares_memory(batch.inputs()["x"], inputs["x"])


def test_parts_in_any_order_become_a_result() -> None:
    def part(start: int, stop: int) -> Part:
        return Part(start, stop, {"y": np.arange(start, stop)})

    slot = Slot(0, 9, 9, 0, 0, [part(5, 9), part(0, 2), part(2, 5)])
    result = slot.result()
    assert not isinstance(result, Exception)
    assert result["y"].tolist() == list(range(9))
    bad = ValueError("bad")
    slot = Slot(0, 9, 9, 0, 0, [part(5, 9), Part(2, 5, bad), part(0, 2)])
    failure = slot.result()
    assert isinstance(failure, InstancesFailedError)
    assert failure.failures == {2: bad, 3: bad, 4: bad}
    assert failure.outputs["y"].tolist() == [0, 1, 5, 6, 7, 8]


def test_outputs_of_differing_shapes_become_objects() -> None:
    parts = [Part(0, 1, {"y": np.zeros((1, 3))}), Part(1, 3, {"y": np.ones((2, 5))})]
    result = Slot(0, 3, 3, 0, 0, parts).result()
    assert not isinstance(result, Exception)
    assert [value.shape for value in result["y"]] == [(3,), (5,), (5,)]


def test_sizes_of_arrays() -> None:
    texts = np.array([[b"ab"], [b"cde"]], object)
    assert bytes_of({"a": texts, "b": np.zeros((2, 2), np.float32)}) == 5 + 16
    assert rows_of({"a": texts}) == 2
    for inputs in ({}, {"a": np.float32(1)}, {"a": texts, "b": np.zeros(3)}):
        with pytest.raises(InvalidArgumentError):
            rows_of(inputs)  # type: ignore[arg-type]
