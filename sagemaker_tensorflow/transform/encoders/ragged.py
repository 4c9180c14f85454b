"""Outputs whose instances are of different shapes.

A model's outputs are dense within a batch, such as texts padded to the longest. The instances of a
payload may have been in two batches, and then be of two shapes: their output is an array of objects
of one dimension, each the array of an instance (`batches.concatenated`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def is_ragged(values: NDArray[Any]) -> bool:
    """The instances are arrays of their own; those of strings are `bytes` otherwise."""
    return (
        values.dtype == object
        and values.ndim == 1
        and len(values) > 0
        and isinstance(values[0], np.ndarray)
    )


def dense_parts(values: NDArray[Any]) -> list[NDArray[Any]]:
    """The output as one array, or as one of a single instance for each of them."""
    return [values] if not is_ragged(values) else [instance[np.newaxis] for instance in values]
