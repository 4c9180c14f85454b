"""Finds out before a job starts whether XLA can compile its model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.signatures import Signature
from sagemaker_tensorflow.transform.tensor_specs import one_line, zero_inputs


def refuse_strings(signature: Signature, what: str) -> None:
    """Raises InvalidArgumentError for a signature with strings."""
    if any(spec.is_string for spec in (*signature.inputs, *signature.outputs)):
        raise InvalidArgumentError(
            f"jit_compile: {what} has strings, which XLA has not; choose a signature of numbers"
        )


def try_compiled(
    function: Callable[[Mapping[str, NDArray[Any]]], object], signature: Signature, what: str
) -> None:
    """Runs a compiled function on zeros, if it has sizes for all of its inputs.

    Raises:
        InvalidArgumentError: It cannot be compiled.
    """
    zeros = zero_inputs(signature.inputs)
    if zeros is None:
        return
    try:
        function(zeros)
    except (tf.errors.OpError, TypeError, ValueError) as error:
        raise InvalidArgumentError(
            f"jit_compile: {what} cannot be compiled: {one_line(error)}"
        ) from error
