"""Values of any kind as the arrays that a signature asks for."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.signatures import shape_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sagemaker_tensorflow.transform.signatures import TensorSpec

_MOST_SHOWN = 60
# NumPy's letters for the kinds of dtypes that become numbers: bool, int, uint, float.
_NUMBERS = "biuf"
# Python's integers beyond these are in no dtype.
_LEAST_INTEGER, _MOST_INTEGER = -(1 << 63), (1 << 64) - 1


def batch_of(values: Sequence[Any], spec: TensorSpec) -> NDArray[Any]:
    """Makes a batch of JSON values, one for each instance.

    Numbers and booleans become the input's dtype when they fit into it: 3.0 is an integer, 3.5 and
    300 are no uint8. Texts become UTF-8, and ``{"b64": "..."}``, as in TensorFlow Serving's REST
    API (https://www.tensorflow.org/tfx/serving/api_rest), the bytes that it stands for.

    Returns:
        An array of the input's dtype and of shape ``[len(values), ...]``; objects for strings.

    Raises:
        BadRecordError: The values have not the input's type or shape; names the input, what it
            takes and what was seen.
    """
    try:
        if spec.is_string:
            array = np.array([_encoded(value) for value in values], dtype=object)
        else:
            array = np.array(values)
    except (ValueError, TypeError, OverflowError, RecursionError, MemoryError) as error:
        # NumPy pads texts to the longest, so a long one among many numbers can ask for any memory.
        raise _mismatch(spec, _reason(values, error)) from None
    if not values:
        array = no_instances(spec)
    elif not spec.is_string and array.dtype.kind not in _NUMBERS:
        raise _mismatch(spec, _odd(values))
    return cast(array, spec)


def cast(array: NDArray[Any], spec: TensorSpec) -> NDArray[Any]:
    """Makes an array of instances what the input takes, without a copy where it can.

    Args:
        array: Of shape ``[instances, ...]``: numbers, booleans, or ``bytes`` as objects.
        spec: The input.

    Raises:
        BadRecordError: Its shape is not the input's, or values do not fit the input's dtype.
    """
    _check_shape(array, spec)
    if isinstance(spec.dtype, str):
        return _strings(array, spec)
    if array.dtype == spec.dtype:
        return array
    if array.dtype.kind not in _NUMBERS:
        raise _mismatch(spec, f"values of type {array.dtype}")
    if spec.dtype.kind == "b":
        fits = (array == 0) | (array == 1)
    elif spec.dtype.kind in "iu":
        fits = _fits_integers(array, spec.dtype)
    else:
        return _floats(array, spec)
    if not fits.all():
        raise _mismatch(spec, f"the value {array[~fits].flat[0]}")
    return array.astype(spec.dtype)


def _check_shape(array: NDArray[Any], spec: TensorSpec) -> None:
    sizes = spec.instance_shape
    if sizes is None:
        return
    seen = array.shape[1:]
    same = len(seen) == len(sizes) and all(
        size is None or size == found for size, found in zip(sizes, seen, strict=True)
    )
    if not same:
        raise _mismatch(spec, f"values of shape {shape_text(seen)}" if seen else "one value")


def _strings(array: NDArray[Any], spec: TensorSpec) -> NDArray[Any]:
    if array.dtype.kind != "O":
        raise _mismatch(spec, "numbers")
    if any(not isinstance(value, bytes) for value in array.flat):
        raise _mismatch(spec, "arrays of different lengths")
    return array


def _fits_integers(array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[np.bool_]:
    limits = np.iinfo(dtype)
    if array.dtype.kind == "b":
        return np.ones(array.shape, dtype=np.bool_)
    if array.dtype.kind == "f":
        # The upper limits of the widest types are no floats; those below 2**63 or 2**64 fit.
        below = array < float(limits.max) + 1
        return np.asarray((array >= float(limits.min)) & below & (array == np.trunc(array)))
    # Python's integers compare exactly with every integer type.
    return np.asarray((array >= limits.min) & (array <= limits.max))


def _floats(array: NDArray[Any], spec: TensorSpec) -> NDArray[Any]:
    with np.errstate(over="ignore"):
        result = array.astype(spec.array_dtype)
    lost = np.isinf(result)
    if array.dtype.kind == "f":
        lost &= ~np.isinf(array)
    if lost.any():
        raise _mismatch(spec, f"the value {array[lost].flat[0]}, which is too large")
    return result


def _encoded(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, list):
        return [_encoded(element) for element in value]
    if isinstance(value, bytes):
        return value
    if is_b64(value):
        return _from_base64(value["b64"])
    raise TypeError(f"{shown(value)} where a text is expected")


def is_b64(value: Any) -> bool:
    """It is TensorFlow Serving's way to write bytes in JSON: ``{"b64": "..."}``."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"bad base64: {error}") from None


def _reason(values: Sequence[Any], error: Exception) -> str:
    text = str(error)
    if "inhomogeneous" in text:  # NumPy's word for arrays of different lengths
        return "arrays of different lengths"
    if isinstance(error, RecursionError):
        return "arrays that are nested too deeply"
    if isinstance(error, MemoryError):
        return "texts among numbers"
    return text or shown(values)


def _odd(value: Any) -> str:
    """The first in nested lists that keeps them from being an array of numbers."""
    if isinstance(value, (list, tuple)):
        return next((odd for odd in map(_odd, value) if odd), "")
    if value is None:
        return "null"
    if isinstance(value, (bool, float)):
        return ""
    if isinstance(value, int) and _LEAST_INTEGER <= value <= _MOST_INTEGER:
        return ""
    return shown(value)


def shown(value: Any) -> str:
    """A value for messages, not too long."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 3] + "..."


def no_instances(spec: TensorSpec) -> NDArray[Any]:
    """A batch of none; sizes that are not known are 0."""
    sizes = spec.instance_shape or ()
    return np.empty((0, *(size or 0 for size in sizes)), dtype=spec.array_dtype)


def _mismatch(spec: TensorSpec, seen: str) -> BadRecordError:
    sizes = spec.instance_shape
    shape = "" if sizes is None else f" of shape {shape_text(sizes)}" if sizes else ", one value"
    return BadRecordError(f"input {spec.name!r} takes {spec.dtype}{shape}; got {seen}")
