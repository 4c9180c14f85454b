from __future__ import annotations

import threading
from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_tensorflow import _core
from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.encoders.json_values import dump, instance_values
from sagemaker_tensorflow.transform.encoders.number_rows import NumberRows
from sagemaker_tensorflow.transform.records import Outputs

from .encoding import floats, ragged, signature_of, strings

TYPES = ["?", "b", "h", "i", "q", "B", "H", "I", "Q", "e", "f", "d"]


def arrays_of(data: st.DataObject, rows: int) -> np.ndarray[Any, Any]:
    dtype = np.dtype(data.draw(st.sampled_from(TYPES)))
    shape = (rows, *data.draw(st.lists(st.integers(0, 3), max_size=3)))
    count = int(np.prod(shape))
    if dtype.kind == "b":
        values = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
        return np.array(values, bool).reshape(shape)
    size = dtype.itemsize * count
    return np.frombuffer(data.draw(st.binary(min_size=size, max_size=size)), dtype).reshape(shape)


@given(data=st.data(), rows=st.integers(0, 4), columns=st.integers(1, 3))
def test_rows_are_those_of_the_values_one_by_one(
    data: st.DataObject, rows: int, columns: int
) -> None:
    outputs = {f"o{number}": arrays_of(data, rows) for number in range(columns)}
    values = values_of(outputs)
    numbers = NumberRows(signature_of(outputs))
    assert numbers.can_write(outputs)
    assert numbers.json(outputs, "\n") == b"".join(dump(value) + b"\n" for value in values)
    flat = [values_of({"o": array.reshape(rows, array[:1].size)}) for array in outputs.values()]
    rows_of_values = (chain.from_iterable(row) for row in zip(*flat, strict=True))
    expected = [b",".join(map(dump, row)) + b"\n" for row in rows_of_values]
    assert numbers.csv(outputs) == b"".join(expected)


def values_of(outputs: Outputs) -> list[Any]:
    return instance_values(signature_of(outputs), outputs)


def test_names_are_escaped() -> None:
    outputs = {'sc"ore': floats(0.5), "größe": floats(2)}
    rows = NumberRows(signature_of(outputs)).json(outputs, "\n")
    assert rows.decode() == '{"sc\\"ore":0.5,"größe":2.0}\n'


def test_texts_and_instances_of_different_shapes_are_for_others() -> None:
    texts = {"v": strings(b"a")}
    assert not NumberRows(signature_of(texts)).can_write(texts)
    numbers = NumberRows(signature_of({"v": floats([0.5])}))
    assert not numbers.can_write({"v": ragged([0.5], [1, 2])})


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ([], "needs a column"),
        ([("", np.array(1.0))], "different numbers of rows"),
        ([("", np.ones(2)), ("", np.ones(3))], "different numbers of rows"),
        ([("", np.ones((2, 2)).T[::2])], "contiguous"),
        ([("", np.ones((3, 2), order="F"))], "contiguous"),
        ([("", np.array([1j]))], "complex128"),
        ([("", np.array(["a"]))], "<U1"),
        ([("", np.ones(2, np.float16))], "float16"),
        ([("", np.ones(2, ">f4"))], ">f4"),
    ],
)
def test_what_is_refused(columns: Any, reason: str) -> None:
    with pytest.raises(InvalidArgumentError, match=reason):
        _core.number_rows(columns, "\n")


def test_other_threads_run_meanwhile() -> None:
    values = np.random.default_rng(1).normal(size=2_000_000).astype(np.float32)
    ended = threading.Event()
    counted = 0

    def write() -> None:
        _core.number_rows([("", values)], ",")
        ended.set()

    thread = threading.Thread(target=write)
    thread.start()
    while not ended.is_set():
        counted += 1
    thread.join()
    assert counted > 100
