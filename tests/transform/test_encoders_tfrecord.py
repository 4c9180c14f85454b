from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.records import open_records
from sagemaker_tensorflow.transform.encoders import make_encoder
from sagemaker_tensorflow.transform.encoders.examples import encode_examples
from sagemaker_tensorflow.transform.records import Outputs

from .encoding import encode, floats, ragged, signature_of, strings

TFRECORD = "application/x-tfrecord"


def features_of(example: bytes) -> dict[str, tuple[str, list[Any]]]:
    """What TensorFlow finds in an Example: the kind and the values of each feature."""
    parsed = tf.train.Example.FromString(example)
    found = {}
    for name, feature in parsed.features.feature.items():
        kind = feature.WhichOneof("kind")
        found[name] = (kind, list(getattr(feature, kind).value))
    return found


@pytest.mark.parametrize("accept", [TFRECORD, "application/x-tfexample"])
def test_an_example_for_each_instance(accept: str) -> None:
    outputs = {
        "score": floats([0.5, np.inf], [2, -1]),
        "half": np.array([0.5, 1], np.float16),
        "class": np.array([300, -1], np.int32),
        "ok": np.array([True, False]),
        "name": strings([b"a", b""], [b"\xff\x00", b"x" * 300]),
        "box": np.arange(12, dtype=np.float64).reshape(2, 2, 3),
    }
    encoder = make_encoder(accept, signature_of(outputs), split_type="TFRecord")
    records = list(open_records(encode(encoder, outputs).body, "TFRecord"))
    assert [features_of(record) for record in records] == [
        {
            "score": ("float_list", [0.5, np.inf]),
            "half": ("float_list", [0.5]),
            "class": ("int64_list", [300]),
            "ok": ("int64_list", [1]),
            "name": ("bytes_list", [b"a", b""]),
            "box": ("float_list", [0, 1, 2, 3, 4, 5]),
            "box/shape": ("int64_list", [2, 3]),
        },
        {
            "score": ("float_list", [2, -1]),
            "half": ("float_list", [1]),
            "class": ("int64_list", [-1]),
            "ok": ("int64_list", [0]),
            "name": ("bytes_list", [b"\xff\x00", b"x" * 300]),
            "box": ("float_list", [6, 7, 8, 9, 10, 11]),
            "box/shape": ("int64_list", [2, 3]),
        },
    ]


def test_bytes_are_those_that_tensorflow_writes() -> None:
    expected = tf.train.Example()
    expected.features.feature["v"].float_list.value.extend([1.0] * 200)
    assert encode_examples({"v": np.ones((1, 200), np.float32)}, 1) == [
        expected.SerializeToString()
    ]


def test_documents_give_an_example_for_each_instance() -> None:
    outputs = {"v": floats(1, 2, 3)}
    encoder = make_encoder(TFRECORD, signature_of(outputs), split_type="Line")
    body = encode(encoder, outputs, counts=[2, 0, 1]).body
    examples = [features_of(record)["v"] for record in open_records(body, "TFRecord")]
    assert examples == [("float_list", [1]), ("float_list", [2]), ("float_list", [3])]
    assert encode(encoder, {"v": floats()}, counts=[0]).body == b""


def test_instances_of_different_shapes() -> None:
    outputs = {
        "box": ragged([[1, 2]], [[3, 4], [5, 6]]),
        "tags": ragged([b"a"], [b"b", b"c"]),
        "n": np.array([7, 8]),
    }
    dense = {"box": np.ones((1, 1, 1)), "tags": strings([b""]), "n": outputs["n"]}
    encoder = make_encoder(TFRECORD, signature_of(dense), split_type="TFRecord")
    records = open_records(encode(encoder, outputs).body, "TFRecord")
    assert [features_of(record) for record in records] == [
        {
            "box": ("float_list", [1, 2]),
            "box/shape": ("int64_list", [1, 2]),
            "tags": ("bytes_list", [b"a"]),
            "n": ("int64_list", [7]),
        },
        {
            "box": ("float_list", [3, 4, 5, 6]),
            "box/shape": ("int64_list", [2, 2]),
            "tags": ("bytes_list", [b"b", b"c"]),
            "n": ("int64_list", [8]),
        },
    ]


@pytest.mark.parametrize(
    "values", [np.empty((2, 0), np.float32), np.empty((2, 0), np.int64), np.empty((2, 0), object)]
)
def test_empty_lists(values: NDArray[Any]) -> None:
    for example in encode_examples({"v": values}, 2):
        ((name, (_, found)),) = features_of(example).items()
        assert (name, found) == ("v", [])


@given(st.lists(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=2), max_size=20))
def test_integers(rows: list[list[int]]) -> None:
    examples = encode_examples({"v": np.array(rows, np.int64).reshape(-1, 2)}, len(rows))
    assert [features_of(example)["v"][1] for example in examples] == rows


@given(
    st.lists(st.binary(max_size=200), min_size=1, max_size=20),
    st.text(max_size=200).filter(lambda name: name.isprintable()),
)
def test_strings_and_names(values: list[bytes], name: str) -> None:
    examples = encode_examples({name: strings(*values)}, len(values))
    assert [features_of(example) for example in examples] == [
        {name: ("bytes_list", [value])} for value in values
    ]


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"v": np.array([1], np.uint64)}, "v: uint64 .* does not fit in a tf.train.Example"),
        ({"v": np.array([1j])}, "v: complex128 .* does not fit"),
        ({"v": np.ones((1, 2, 2)), "v/shape": floats(1)}, "called as the shape of v"),
    ],
)
def test_what_an_example_cannot_hold_is_refused(outputs: Outputs, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        make_encoder(TFRECORD, signature_of(outputs), split_type="TFRecord")
