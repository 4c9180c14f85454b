"""Loads the dataset op, and says how to mend it when it does not load."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import tensorflow as tf

from sagemaker_tensorflow.op_file import OP_PATH, built_for

_PATH = OP_PATH
_REBUILD = (
    "in a clone of the repository, pip install --no-build-isolation --force-reinstall --no-deps ."
)


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


@functools.cache
def load() -> Any:
    """Loads the op library once and returns its module of generated op wrappers.

    Raises:
        ImportError: The library is missing, was built for another TensorFlow, or does not load.
    """
    if not _PATH.exists():
        raise ImportError(
            f"{_PATH} is missing: the package was installed without its dataset op; install it "
            f"again beside TensorFlow: {_REBUILD}"
        )
    built, found = built_for(_PATH), tf.__version__
    if _minor(built) != _minor(found):
        raise ImportError(
            f"{_PATH.name} was built for TensorFlow {built} and this is TensorFlow {found}; a "
            f"build fits one minor version. Install tensorflow=={_minor(built)}.*, or build for "
            f"this one: {_REBUILD}"
        )
    try:
        return tf.load_op_library(str(_PATH))
    except tf.errors.NotFoundError as error:
        raise ImportError(
            f"{_PATH.name}, built for TensorFlow {built}, does not load in TensorFlow {found}: "
            f"{error}; build it beside that very TensorFlow, with this system's compiler: "
            f"{_REBUILD}"
        ) from error


@functools.cache
def interrupt_readers() -> Any:
    """The library's C function that ends every read under way (csrc/ops/interrupts.h)."""
    load()
    function = ctypes.CDLL(str(_PATH)).smtf_interrupt_readers
    function.argtypes = []
    function.restype = None
    return function
