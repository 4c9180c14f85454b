from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec
from tests.transform.decoding import decoder, failed, payload, signature, tensor

NPY = "application/x-npy"
VECTOR = signature(tensor("x", "float32", 2))
UNKNOWN = signature(TensorSpec("x", np.dtype("int64"), None))
TEXT = signature(tensor("x", "string"))


def saved(array: Any, *, version: tuple[int, int] | None = None) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(array), version=version)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("inputs", "array", "expected"),
    [
        (VECTOR, np.array([[1, 2], [3, 4]], dtype="float32"), [[1, 2], [3, 4]]),
        (VECTOR, np.array([1, 2], dtype="float32"), [[1, 2]]),
        (VECTOR, np.array([[1, 2]], dtype="int16"), [[1, 2]]),
        (VECTOR, np.array([[1, 2], [3, 4]], dtype=">f8", order="F"), [[1, 2], [3, 4]]),
        (signature(tensor("x", "int64")), np.array(5), [5]),
        (signature(tensor("x", "int64")), np.array([5, 6]), [5, 6]),
        (signature(tensor("x", "int64", None)), np.array([5, 6]), [[5, 6]]),
        (UNKNOWN, np.array([5, 6]), [5, 6]),
        (UNKNOWN, np.array(5), [5]),
        (TEXT, np.array([b"a", b"bc"]), [b"a", b"bc"]),
        (TEXT, np.array(["ü"]), ["ü".encode()]),
    ],
)
@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_arrays(inputs: Signature, array: NDArray[Any], expected: Any, version: Any) -> None:
    record = saved(array, version=version)
    decoded = decoder(NPY, inputs).decode(payload(record, record))
    assert failed(decoded) == {}
    assert decoded.inputs["x"].tolist() == expected * 2
    assert decoded.inputs["x"].dtype == inputs.inputs[0].array_dtype
    assert list(decoded.counts) == [len(expected)] * 2


def test_what_numpy_saves_is_read() -> None:
    stream = io.BytesIO()
    np.save(stream, np.array([[1.5, 2.5]]))
    assert decoder(NPY, VECTOR).decode(payload(stream.getvalue())).inputs["x"].tolist() == [
        [1.5, 2.5]
    ]


FULL = saved(np.array([[1, 2], [3, 4]], dtype="float32"))


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"", "no .npy file: it does not begin as one"),
        (b"not an array", "no .npy file: it does not begin as one"),
        (FULL.replace(b"NUMPY\1", b"NUMPY\4"), "no .npy file: it does not begin as one"),
        (FULL[:20], "its header of 128 bytes is cut off"),
        (FULL[:-1], "the .npy file has 15 bytes of data; float32 [2, 2] takes 16"),
        (FULL + b"x", "the .npy file has 17 bytes of data"),
        (FULL.replace(b"(2, 2)", b"(9**9)"), "no .npy file: bad header"),
        (FULL.replace(b"(2, 2)", b"(2,-2)"), "bad header: shape (2, -2)"),
        (FULL.replace(b"(2, 2)", b"{2, 2}"), "bad header: shape {2}"),
        (FULL.replace(b"False", b"None "), "bad header: fortran_order None"),
        (FULL.replace(b"shape", b"shade"), "bad header: 'shape'"),
        (FULL.replace(b"(2, 2), }    ", b"(99999999,2)}"), "takes 799999992"),
        (FULL.replace(b"(2, 2)", b"(9, 0)")[:-16], "the .npy file has no values: float32 [9, 0]"),
        (saved(np.empty((0, 2))), "the .npy file has no values: float64 [0, 2]"),
        (saved(np.array([[1, 2, 3]])), "input 'x' takes float32 of shape [2]; got values of shape"),
        (saved(np.array([[1e39, 0]])), "the value 1e+39, which is too large"),
        (saved(np.array([["a", "b"]])), "got values of type <U1"),
        (saved(np.array([[1j, 2j]])), "got values of type complex128"),
        (saved(np.array([(1, 2)], dtype="i4,i4")), "neither numbers nor texts"),
    ],
)
def test_bad_records(record: bytes, reason: str) -> None:
    decoded = decoder(NPY, VECTOR).decode(payload(FULL, record, FULL))
    assert reason in failed(decoded)[1]
    assert list(decoded.counts) == [2, 0, 2]


def test_pickles_are_not_read(tmp_path: Any) -> None:
    class Touch:
        def __reduce__(self) -> tuple[Any, ...]:
            return (open, (str(tmp_path / "touched"), "w"))

    stream = io.BytesIO()
    np.save(stream, np.array([[Touch(), 1]], dtype=object), allow_pickle=True)
    decoded = decoder(NPY, VECTOR).decode(payload(stream.getvalue()))
    assert "the .npy file holds '|O'" in failed(decoded)[0]
    assert list(tmp_path.iterdir()) == []


@given(st.integers(0, len(FULL) - 1), st.binary(min_size=1, max_size=4))
def test_damage_is_decoded_or_fails(at: int, damage: bytes) -> None:
    record = FULL[:at] + damage + FULL[at + len(damage) :]
    decoded = decoder(NPY, VECTOR).decode(payload(record))
    failed(decoded)
    assert decoded.inputs["x"].dtype == np.float32
