"""What SageMaker's SDK was given to write: one array of each kind, with and without labels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Written(NamedTuple):
    """One call of a writer: ``[N, D]``, and ``[N]`` or None."""

    array: NDArray[np.generic]
    labels: NDArray[np.generic] | None
    sparse: bool


def _dense(dtype: type) -> NDArray[np.generic]:
    if dtype is np.int64:  # written as int32
        return np.array([[0, 1, -1], [127, 128, -(2**31)], [300, 70_000, 2**31 - 1]], dtype)
    return np.array([[0, 1, -0.5], [1 / 3, 1e-40, -0.0], [np.inf, np.finfo(dtype).max, 7]], dtype)


def _sparse(dtype: type) -> NDArray[np.generic]:
    """Keys of one, two and three bytes, an empty row, and a row that is full of small keys."""
    array = np.zeros((4, 40_000), dtype)
    array[0, [0, 127, 128, 39_999]] = [1, -2, 3, 4]
    array[2, :200] = np.arange(1, 201)
    array[3, 16_384] = -5
    return array


def written() -> dict[str, Written]:
    """All cases by name."""
    cases = {}
    for name, dtype in {"float32": np.float32, "float64": np.float64, "int32": np.int64}.items():
        labels = np.array([1, 0, -3], dtype)
        cases[f"dense_{name}"] = Written(_dense(dtype), labels, sparse=False)
        cases[f"sparse_{name}"] = Written(_sparse(dtype), np.arange(4).astype(dtype), sparse=True)
    cases["dense_without_labels"] = Written(_dense(np.float32), None, sparse=False)
    cases["dense_float64_with_int_labels"] = Written(
        _dense(np.float64), np.array([1, 0, -3]), sparse=False
    )
    # scipy keeps what it was given: the keys of a row in no order.
    cases["sparse_in_no_order"] = Written(_sparse(np.float32)[:3], None, sparse=True)
    return cases
