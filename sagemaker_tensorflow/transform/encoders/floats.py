"""Floating-point values whose text is as short as their type allows."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_tensorflow import _core

if TYPE_CHECKING:
    from numpy.typing import NDArray


def with_short_text(values: NDArray[Any]) -> NDArray[np.float64]:
    """The doubles that Python prints with the fewest digits that stand for the same values.

    ``0.1`` as float32 is 0.100000001490116... as double, which is what `tolist` gives and what
    `json` would write. The double 0.1 reads back as the same float32 and is written ``0.1``.

    Args:
        values: Of any floating-point type and shape. bfloat16 is taken as the float32 that it is.

    Returns:
        Of the same shape.
    """
    if values.dtype.kind != "f":
        values = values.astype(np.float32)  # bfloat16, which NumPy knows as a user's type
    if values.dtype.itemsize == 2:
        return _doubles_of_halves()[values.view(np.uint16)]
    if values.dtype.itemsize == 4:
        return _core.doubles_of_same_text(values)
    return values.astype(np.float64)


@functools.cache
def _doubles_of_halves() -> NDArray[np.float64]:
    """The doubles of all float16 values, by their bits; 0.1 s to make."""
    halves = np.arange(1 << 16).astype(np.uint16).view(np.float16)
    return np.array([float(str(value)) for value in halves])
