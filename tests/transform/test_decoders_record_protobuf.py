from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from sagemaker_tensorflow.transform.decoders.record_protobuf import record_message
from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec
from tests.transform.decoding import decoder, failed, payload, signature, tensor

PROTOBUF = "application/x-recordio-protobuf"
VECTOR = signature(tensor("x", "float32", 3))
OPEN = signature(tensor("x", "float32", None, None))
UNKNOWN = signature(TensorSpec("x", np.dtype("float64"), None))
TWO = signature(tensor("a", "int64", 2), tensor("b", "string"))


def record(**features: dict[str, Any]) -> bytes:
    """A Record with features such as ``values={"float32_tensor": {"values": [1, 2]}}``."""
    message = record_message()()
    for name, value in features.items():
        ((kind, fields),) = value.items()
        content = getattr(message.features[name], kind)
        content.SetInParent()
        for field, items in fields.items():
            getattr(content, field).extend(items)
    return bytes(message.SerializeToString())


def floats(*values: float, **others: Any) -> dict[str, Any]:
    return {"float32_tensor": {"values": values, **others}}


@pytest.mark.parametrize(
    ("inputs", "data", "expected"),
    [
        (VECTOR, record(values=floats(1, 2, 3)), {"x": [[1, 2, 3]]}),
        (VECTOR, record(x=floats(1, 2, 3), values=floats(0)), {"x": [[1, 2, 3]]}),
        (VECTOR, record(other=floats(1, 2, 3)), {"x": [[1, 2, 3]]}),
        (VECTOR, record(x={"float64_tensor": {"values": [0.5, 2, 3]}}), {"x": [[0.5, 2, 3]]}),
        (VECTOR, record(x={"int32_tensor": {"values": [-1, 2, 3]}}), {"x": [[-1, 2, 3]]}),
        (VECTOR, record(x=floats(5, keys=[2])), {"x": [[0, 0, 5]]}),
        (VECTOR, record(x=floats(5, 6, keys=[2, 0], shape=[3])), {"x": [[6, 0, 5]]}),
        (VECTOR, record(x=floats(shape=[3])), {"x": [[0, 0, 0]]}),
        (OPEN, record(x=floats(1, 2, shape=[2, 1])), {"x": [[[1], [2]]]}),
        (OPEN, record(x=floats(7, keys=[3], shape=[2, 2])), {"x": [[[0, 0], [0, 7]]]}),
        (UNKNOWN, record(x=floats(1, 2)), {"x": [[1, 2]]}),
        (
            TWO,
            record(a={"int32_tensor": {"values": [1, 2]}}, b={"bytes": {"value": [b"\xff"]}}),
            {"a": [[1, 2]], "b": [b"\xff"]},
        ),
    ],
)
def test_features(inputs: Signature, data: bytes, expected: Any) -> None:
    decoded = decoder(PROTOBUF, inputs).decode(payload(data))
    assert failed(decoded) == {}
    assert {name: array.tolist() for name, array in decoded.inputs.items()} == expected
    for spec in inputs.inputs:
        assert decoded.inputs[spec.name].dtype == spec.array_dtype


def test_the_wire_format_is_sagemakers() -> None:
    """A record put together by hand from the field numbers of AWS's schema."""

    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    packed = field(1, struct.pack("<3f", 1, 2, 3))
    entry = field(1, b"values") + field(2, field(2, packed))
    label = field(1, b"values") + field(2, field(2, field(1, struct.pack("<f", 9))))
    decoded = decoder(PROTOBUF, VECTOR).decode(payload(field(1, entry) + field(2, label)))
    assert decoded.inputs["x"].tolist() == [[1, 2, 3]]


@pytest.mark.parametrize(
    ("inputs", "data", "reason"),
    [
        (VECTOR, b"\x07", "no Record message: its 1 bytes cannot be parsed"),
        (VECTOR, b"", "no feature for input 'x'; the record has none"),
        (VECTOR, record(a=floats(1), b=floats(2)), "the record has 'a', 'b'"),
        (VECTOR, record(x=floats(1, 2)), "the feature for input 'x' has 2 values; [3] takes 3"),
        (VECTOR, record(x=floats(1, keys=[3])), "has a key 3, and 3 values"),
        (VECTOR, record(x=floats(1, keys=[0, 1])), "has 2 keys and 1 values"),
        (VECTOR, record(x={"bytes": {"value": [b"a"] * 3}}), "got values of type object"),
        (OPEN, record(x=floats(1, keys=[1])), "sparse tensor without a shape cannot fill input x"),
        (
            OPEN,
            record(x=floats(1, keys=[1], shape=[1 << 40])),
            "of shape [1099511627776] cannot fill input x",
        ),
        (VECTOR, record(x=floats(1, keys=[1], shape=[4])), "of shape [4] cannot fill input x"),
        (OPEN, record(x=floats(1, 2, shape=[3])), "has 2 values; [3] takes 3"),
        (OPEN, record(x=floats(1, 2)), "got values of shape [2]"),
        (TWO, record(a=floats(1.5, 2), b={"bytes": {"value": [b""]}}), "got the value 1.5"),
        (TWO, record(a=floats(1, 2), b=floats(1)), "input 'b' takes string"),
    ],
)
def test_bad_records(inputs: Signature, data: bytes, reason: str) -> None:
    decoded = decoder(PROTOBUF, inputs).decode(payload(data))
    assert reason in failed(decoded)[0]


def test_good_records_around_a_bad_one() -> None:
    good = record(values=floats(1, 2, 3))
    decoded = decoder(PROTOBUF, VECTOR).decode(payload(good, b"\x07", good))
    assert set(failed(decoded)) == {1}
    assert decoded.inputs["x"].tolist() == [[1, 2, 3]] * 2
