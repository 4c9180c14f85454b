"""Which TensorFlow this is, for tests that only some have, and in pytest's first lines."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

import sagemaker_tensorflow

TENSORFLOW = tuple(map(int, tf.__version__.split(".")[:2]))


def pytest_report_header() -> str:
    return (
        f"TensorFlow {tf.__version__}, Keras {keras.__version__}, NumPy {np.__version__}, "
        f"{sagemaker_tensorflow.__file__}"
    )
