"""TensorFlow's dtypes, arrays and devices as the rest of `transform` has them."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from sagemaker_tensorflow import op_library
from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.packed_strings import PackedStrings
from sagemaker_tensorflow.transform.signatures import TensorSpec

_log = logging.getLogger(__name__)

# Each is two inputs of an op, and each number of inputs a kernel that TensorFlow keeps. Where there
# are more, of small objects, copying them into one is the smaller cost.
_MOST_PIECES = 8
# TensorFlow's messages can hold whole graphs.
_LONGEST_ERROR = 500


def one_line(error: Exception) -> str:
    """An error of TensorFlow's or Keras's as a part of another's message."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:_LONGEST_ERROR]}"


def spec_of(name: str, dtype: tf.DType, shape: tf.TensorShape) -> TensorSpec:
    """A signature's input or output without TensorFlow.

    Raises:
        InvalidArgumentError: It is nothing that an array can hold, such as a variant.
    """
    sizes = None if shape.rank is None else tuple(shape.as_list())
    return TensorSpec(name, _numpy_dtype(name, dtype), sizes)


def _numpy_dtype(name: str, dtype: tf.DType) -> np.dtype[Any] | Literal["string"]:
    if dtype == tf.string:
        return "string"
    if dtype == tf.bfloat16:  # NumPy has none; `to_tensor` and `to_array` convert
        return np.dtype(np.float32)
    if dtype.is_floating or dtype.is_integer or dtype.is_bool or dtype.is_complex:
        with contextlib.suppress(TypeError, KeyError):
            known: np.dtype[Any] = np.dtype(dtype.as_numpy_dtype)
            return known
    raise InvalidArgumentError(f"tensor {name!r} has dtype {dtype.name}, which no array can hold")


def to_tensor(array: NDArray[Any], dtype: tf.DType) -> tf.Tensor:
    """An array as a tensor, its objects as strings; or `PackedStrings`, without the GIL."""
    if isinstance(array, PackedStrings):
        data, ends = zip(*array.in_few_pieces(_MOST_PIECES), strict=True)
        with tf.device(
            "/CPU:0"
        ):  # where strings are; a GPU's scope would send the bytes there first
            return op_library.load().smtf_cut_strings(data=data, ends=ends)
    if dtype == tf.bfloat16:
        return tf.cast(tf.convert_to_tensor(array), dtype)
    return tf.convert_to_tensor(array, dtype)


def to_array(value: Any) -> NDArray[Any]:
    """A tensor, or what a session gives, as an array; bfloat16 as float32."""
    array = np.asarray(value.numpy() if isinstance(value, tf.Tensor) else value)
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


@functools.cache
def packs_strings() -> bool:
    """Whether `to_tensor` takes `PackedStrings`: not where the op library does not load.

    The library is loaded to find out. Why it does not load is logged, once.
    """
    try:
        return callable(op_library.load().smtf_cut_strings)
    except Exception as error:  # whatever ails it, the job does without
        _log.warning("records are copied one by one, which costs CPU time: %s", one_line(error))
        return False


def on_device(device: str) -> contextlib.AbstractContextManager[Any]:
    """``tf.device``, or nothing for ""."""
    context: contextlib.AbstractContextManager[Any] = (
        tf.device(device) if device else contextlib.nullcontext()
    )
    return context


def zero_inputs(specs: Iterable[TensorSpec]) -> dict[str, NDArray[Any]] | None:
    """One instance of zeros for every input; None where a size is not known."""
    arrays = {}
    for spec in specs:
        if spec.shape is None or None in spec.shape[1:] or spec.is_string:
            return None
        sizes = [1 if size is None else size for size in spec.shape]
        arrays[spec.name] = np.zeros(sizes, spec.array_dtype)
    return arrays
