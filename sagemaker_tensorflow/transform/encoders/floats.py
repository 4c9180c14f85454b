"""Floating-point values whose text is as short as their type allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Significant digits that are tried, by the size of the type. Six are what every float32 keeps of a
# text (FLT_DIG of C; subnormal ones are too small for this anyway), nine tell each from its
# neighbours. For float16 these are three and five, but its subnormal numbers keep as few as one.
_DIGITS = {2: (1, 5), 4: (6, 9)}
# As many values cost as much one by one as the calls of NumPy for any number do (70 us, AMD EPYC).
_FEW = 100
# The powers of ten that a double holds exactly, so that one division rounds once.
_EXACT_POWERS = 10.0 ** np.arange(23)


def with_short_text(values: NDArray[Any]) -> NDArray[np.float64]:
    """The doubles that Python prints with the fewest digits that stand for the same values.

    ``0.1`` as float32 is 0.100000001490116... as double, which is what `tolist` gives and what
    `json` would write. The double 0.1 reads back as the same float32 and is written ``0.1``. At a
    power of two there may be a digit more than needed.

    Args:
        values: Of any floating-point type and shape. bfloat16 is taken as the float32 that it is.

    Returns:
        Of the same shape.
    """
    if values.dtype.kind != "f":
        values = values.astype(np.float32)  # bfloat16, which NumPy knows as a user's type
    wide: NDArray[np.float64] = values.astype(np.float64)
    if values.dtype.itemsize not in _DIGITS:
        return wide
    flat, narrow = wide.reshape(-1), values.reshape(-1)
    if flat.size <= _FEW:
        flat[:] = _one_by_one(narrow)
        return flat.reshape(values.shape)
    rest = np.flatnonzero(np.isfinite(flat) & (flat != 0))
    exponents = np.floor(np.log10(np.abs(flat[rest]))).astype(np.int64)
    least, most = _DIGITS[values.dtype.itemsize]
    for digits in range(least, most + 1):
        short = _rounded(flat[rest], digits - 1 - exponents)
        with np.errstate(over="ignore"):
            same = short.astype(values.dtype) == flat[rest]
        flat[rest[same]] = short[same]
        rest, exponents = rest[~same], exponents[~same]
    flat[rest] = _one_by_one(narrow[rest])
    return flat.reshape(values.shape)


def _one_by_one(values: NDArray[Any]) -> list[float]:
    return [float(str(value)) for value in values]


def _rounded(values: NDArray[np.float64], places: NDArray[np.int64]) -> NDArray[np.float64]:
    """Rounds to a number of decimal places each; NaN where a double cannot hold the power of ten.

    What is left is one integer of few digits divided or multiplied by an exact power, which IEEE
    754 rounds to the double nearest to the decimal number: the one that reads and prints as it.
    """
    powers = _EXACT_POWERS[np.minimum(np.abs(places), 22)]
    with np.errstate(over="ignore"):
        short: NDArray[np.float64] = np.where(
            places >= 0,
            np.rint(values * powers) / powers,
            np.rint(values / powers) * powers,
        )
    short[np.abs(places) > 22] = np.nan
    return short
