from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec
from tests.transform.decoding import decoder, failed, payload, signature, tensor

OCTETS = "application/octet-stream"


@pytest.mark.parametrize(
    "content_type", [OCTETS, "application/x-image", "image/jpeg", "application/x-tfexample"]
)
@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (tensor("data", "string"), [b"a\0", b"", b"\xff"]),
        (tensor("data", "string", 1), [[b"a\0"], [b""], [b"\xff"]]),
        (tensor("data", "string", None), [[b"a\0"], [b""], [b"\xff"]]),
        (TensorSpec("data", "string", None), [b"a\0", b"", b"\xff"]),
    ],
)
def test_bytes_pass_as_they_are(content_type: str, spec: TensorSpec, expected: Any) -> None:
    decoded = decoder(content_type, signature(spec)).decode(payload(b"a\0", b"", b"\xff"))
    assert failed(decoded) == {}
    assert list(decoded.counts) == [1, 1, 1]
    assert decoded.inputs["data"].dtype == np.dtype(object)
    assert decoded.inputs["data"].tolist() == expected


def test_no_records() -> None:
    assert decoder(OCTETS, signature(tensor("data", "string", 1))).decode(payload()).inputs[
        "data"
    ].shape == (0, 1)


@pytest.mark.parametrize(
    ("spec", "record", "expected"),
    [
        (tensor("x", "uint8", 2, 2), bytes([1, 2, 3, 4]), [[[1, 2], [3, 4]]]),
        (tensor("x", "uint8"), b"\1\2", [1, 2]),
        (tensor("x", "int16", 1), b"\1\2", [[0x0201]]),
        (tensor("x", "float32", 2), np.array([1, 2, 3, 4], "<f4").tobytes(), [[1, 2], [3, 4]]),
        (tensor("x", "float64", None, 2), np.arange(4, dtype="<f8").tobytes(), [[[0, 1], [2, 3]]]),
    ],
)
def test_numbers(spec: TensorSpec, record: bytes, expected: Any) -> None:
    decoded = decoder(OCTETS, signature(spec)).decode(payload(record, record))
    assert failed(decoded) == {}
    assert decoded.inputs["x"].tolist() == expected * 2
    assert decoded.inputs["x"].dtype == spec.array_dtype


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"", "the record has 0 bytes; input 'x' takes a multiple of 8: float32 [2]"),
        (b"1234567", "the record has 7 bytes"),
        (b"123456789", "the record has 9 bytes"),
    ],
)
def test_bad_records(record: bytes, reason: str) -> None:
    decoded = decoder(OCTETS, signature(tensor("x", "float32", 2))).decode(
        payload(bytes(8), record, bytes(16))
    )
    assert reason in failed(decoded)[1]
    assert list(decoded.counts) == [1, 0, 2]


@pytest.mark.parametrize(
    "inputs",
    [
        signature(tensor("x", "float32", None, None)),
        signature(TensorSpec("x", np.dtype("int8"), None)),
    ],
)
def test_shapes_that_bytes_do_not_tell(inputs: Signature) -> None:
    with pytest.raises(InvalidArgumentError, match="at most one size of an instance may be open"):
        decoder(OCTETS, inputs)
