from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec
from tests.transform.decoding import decoder, failed, payload, signature, tensor

EXAMPLE = "application/x-tfexample"
VECTOR = signature(tensor("x", "float32", 2))
TWO = signature(tensor("id", "int64"), tensor("name", "string", 1))


def example(**features: Any) -> bytes:
    """A tf.Example of lists of floats, integers or bytes."""
    made = {}
    for name, values in features.items():
        if isinstance(values[0], bytes):
            made[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
        elif isinstance(values[0], int):
            made[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=values))
        else:
            made[name] = tf.train.Feature(float_list=tf.train.FloatList(value=values))
    message = tf.train.Example(features=tf.train.Features(feature=made))
    return bytes(message.SerializeToString())


@pytest.mark.parametrize(
    ("inputs", "data", "expected"),
    [
        (VECTOR, example(x=[1.5, 2.5]), {"x": [[1.5, 2.5]]}),
        (VECTOR, example(x=[1.5, 2.5], other=[1]), {"x": [[1.5, 2.5]]}),
        (TWO, example(id=[7], name=[b"\xff\0"]), {"id": [7], "name": [[b"\xff\0"]]}),
        (
            signature(tensor("x", "uint8", 2, 1), tensor("y", "bool")),
            example(x=[0, 255], y=[1]),
            {"x": [[[0], [255]]], "y": [True]},
        ),
        (signature(tensor("x", "int32", 2)), example(x=[-5, 5]), {"x": [[-5, 5]]}),
        (signature(tensor("x", "float64")), example(x=[0.5]), {"x": [0.5]}),
        (signature(tensor("x", "float16", 1)), example(x=[0.5]), {"x": [[0.5]]}),
        (signature(tensor("w", "string", 2)), example(w=[b"a", b""]), {"w": [[b"a", b""]]}),
    ],
)
def test_features(inputs: Signature, data: bytes, expected: Any) -> None:
    decoded = decoder(EXAMPLE, inputs).decode(payload(data, data))
    assert failed(decoded) == {}
    assert list(decoded.counts) == [1, 1]
    assert {name: array.tolist() for name, array in decoded.inputs.items()} == {
        name: value * 2 for name, value in expected.items()
    }
    for spec in inputs.inputs:
        assert decoded.inputs[spec.name].dtype == spec.array_dtype


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"no example", "no tf.Example: its 10 bytes cannot be parsed"),
        (example(y=[1.0]), "no feature 'x'; the Example has 'y'"),
        (b"", "no feature 'x'; the Example has none"),
        (example(x=[1, 2]), "feature 'x' is int64_list; the input takes float_list"),
        (example(x=[1.0]), "feature 'x' has 1 values; [2] takes 2"),
        (example(x=[1.0] * 3), "feature 'x' has 3 values; [2] takes 2"),
        (
            tf.train.Example(
                features=tf.train.Features(feature={"x": tf.train.Feature()})
            ).SerializeToString(),
            "feature 'x' is empty; the input takes float_list",
        ),
    ],
)
def test_bad_records(data: bytes, reason: str) -> None:
    decoded = decoder(EXAMPLE, VECTOR).decode(
        payload(example(x=[1.0, 2.0]), data, example(x=[3.0, 4.0]))
    )
    assert failed(decoded) == {1: reason}
    assert decoded.inputs["x"].tolist() == [[1, 2], [3, 4]]


def test_values_that_do_not_fit() -> None:
    decoded = decoder(EXAMPLE, signature(tensor("x", "uint8"))).decode(
        payload(example(x=[255]), example(x=[256]))
    )
    assert failed(decoded) == {1: "input 'x' takes uint8, one value; got the value 256"}
    assert decoded.inputs["x"].tolist() == [255]


def test_an_empty_payload() -> None:
    assert decoder(EXAMPLE, VECTOR).decode(payload()).inputs["x"].shape == (0, 2)


@pytest.mark.parametrize(
    "spec", [tensor("x", "float32", None), TensorSpec("x", np.dtype("int64"), None)]
)
def test_sizes_that_examples_do_not_tell(spec: TensorSpec) -> None:
    with pytest.raises(InvalidArgumentError, match="all sizes of an instance must be fixed"):
        decoder(EXAMPLE, signature(spec))


def test_threads_share_a_decoder() -> None:
    decode = decoder(EXAMPLE, VECTOR).decode
    payloads = [payload(*[example(x=[float(i), 0.0])] * 3, b"bad") for i in range(40)]
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(decode, payloads))
    for i, decoded in enumerate(results):
        assert decoded.inputs["x"].tolist() == [[i, 0]] * 3
        assert set(failed(decoded)) == {3}
