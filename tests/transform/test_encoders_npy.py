from __future__ import annotations

import io

import numpy as np
import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.encoders import make_encoder
from sagemaker_tensorflow.transform.records import Outputs

from .encoding import encode, floats, ragged, signature_of, strings

NPY = "application/x-npy"


@pytest.mark.parametrize(
    "values",
    [
        floats([0.1, np.nan], [3, 4]),
        np.array([1 + 2j, 3]),
        np.array([True, False]),
        np.arange(8, dtype=np.int16).reshape(2, 2, 2),
        np.arange(12, dtype=np.float64).reshape(2, 3, 2).transpose(0, 2, 1),
    ],
)
def test_each_payload_is_an_array(values: np.ndarray) -> None:
    encoder = make_encoder(NPY, signature_of({"v": values}), split_type="Line")
    responses = [encode(encoder, {"v": part}) for part in (values, values[:1])]
    file = io.BytesIO(b"".join(response.body for response in responses))
    for expected in (values, values[:1]):
        array = np.load(file, allow_pickle=False)
        assert array.dtype == values.dtype
        np.testing.assert_array_equal(array, expected)
    assert file.read() == b""


def test_nothing_is_left_of_a_payload_whose_records_all_failed() -> None:
    encoder = make_encoder(NPY, signature_of({"v": floats(1)}), split_type="Line")
    assert encode(encoder, {"v": floats()}, counts=[0]).body == b""


def test_instances_of_different_shapes_fail() -> None:
    encoder = make_encoder(NPY, signature_of({"v": floats([1])}), split_type="Line")
    response = encode(encoder, {"v": ragged([1], [2, 3])}, counts=[1, 0, 1])
    assert response.body == b""
    assert [(failure.record, failure.offset) for failure in response.failures] == [(0, 0), (2, 20)]
    assert "instances of shapes [1], [2], which one array cannot" in response.failures[0].reason


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"a": floats(1), "b": floats(1)}, "has 2 outputs: a, b; choose a signature with one"),
        ({"a": strings(b"x")}, "has strings; use application/x-tfrecord"),
    ],
)
def test_what_is_no_single_array_is_refused(outputs: Outputs, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        make_encoder(NPY, signature_of(outputs), split_type="Line")
