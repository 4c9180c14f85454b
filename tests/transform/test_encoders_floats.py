from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_tensorflow.transform.encoders.floats import with_short_text


def texts(values: Any, dtype: Any) -> list[str]:
    return [repr(value) for value in with_short_text(np.array(values, dtype)).tolist()]


@pytest.mark.parametrize(
    ("dtype", "value", "text"),
    [
        (np.float32, 0.1, "0.1"),
        (np.float32, 0.2, "0.2"),
        (np.float32, 1, "1.0"),
        (np.float32, -2.5, "-2.5"),
        (np.float32, 0, "0.0"),
        (np.float32, -0.0, "-0.0"),
        (np.float32, 1 / 3, "0.33333334"),
        (np.float32, 16777216, "16777216.0"),
        (np.float32, 1e20, "1e+20"),
        (np.float32, 1e-20, "1e-20"),
        (np.float32, 1e-45, "1e-45"),
        (np.float32, 3.4028235e38, "3.4028235e+38"),
        (np.float32, 7.531536e29, "7.531536e+29"),
        (np.float32, np.nan, "nan"),
        (np.float32, -np.inf, "-inf"),
        (np.float16, 0.1, "0.1"),
        (np.float16, 65504, "65500.0"),
        (np.float16, 6e-8, "6e-08"),
        (np.float64, 0.1, "0.1"),
        (np.float64, np.float32(0.1), "0.10000000149011612"),
    ],
)
def test_text(dtype: Any, value: float, text: str) -> None:
    assert texts([value], dtype) == [text]


def test_shape_is_kept_and_the_argument_left_alone() -> None:
    values = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], np.float32)
    assert with_short_text(values.T).tolist() == [[0.1, 0.4], [0.2, 0.5], [0.3, 0.6]]
    many = np.repeat(values, 100, axis=0)
    assert with_short_text(many.T).tolist() == with_short_text(many).T.tolist()
    doubles = np.array([0.1])
    with_short_text(doubles)[0] = 1
    assert doubles[0] == 0.1
    assert with_short_text(np.empty((0, 3), np.float32)).shape == (0, 3)


@pytest.mark.parametrize(("dtype", "bits"), [(np.float32, np.uint32), (np.float16, np.uint16)])
@given(data=st.data())
def test_text_reads_back_and_is_short(dtype: Any, bits: Any, data: st.DataObject) -> None:
    most = int(np.iinfo(bits).max)
    patterns = data.draw(st.lists(st.integers(0, most), min_size=1, max_size=50))
    values = np.array(patterns, bits).view(dtype)
    values = values[np.isfinite(values)]
    for value, text in zip(values, texts(values, dtype), strict=True):
        assert np.array(text).astype(dtype) == value
        assert json.loads(text) == float(text)
        assert digits(text) <= digits(np.format_float_scientific(value, unique=True))


def digits(text: str) -> int:
    """How many significant digits a number is written with."""
    return len(text.lower().partition("e")[0].replace(".", "").strip("-0"))
