from __future__ import annotations

import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.assembling import Assembler
from sagemaker_tensorflow.transform.encoders import make_encoder
from sagemaker_tensorflow.transform.records import Decoded

from .encoding import floats, payload_of, signature_of

PAYLOADS = [floats([1, 2], [3, 4]), floats([5, 6])]
BOTH = [b'{"predictions":[[1.0,2.0],[3.0,4.0]]}', b'{"predictions":[[5.0,6.0]]}']


@pytest.mark.parametrize(
    ("accept", "assemble_with", "expected"),
    [
        ("application/json", "None", BOTH[0] + BOTH[1]),
        ("application/json", "Line", BOTH[0] + b"\n" + BOTH[1] + b"\n"),
        ("application/jsonlines", "None", b"[1.0,2.0]\n[3.0,4.0]\n[5.0,6.0]\n"),
        ("application/jsonlines", "Line", b"[1.0,2.0]\n[3.0,4.0]\n[5.0,6.0]\n"),
        ("text/csv", "None", b"1.0,2.0\n3.0,4.0\n5.0,6.0\n"),
        ("text/csv", "Line", b"1.0,2.0\n3.0,4.0\n5.0,6.0\n"),
    ],
)
def test_result(accept: str, assemble_with: str, expected: bytes) -> None:
    encoder = make_encoder(accept, signature_of({"v": PAYLOADS[0]}), split_type="Line")
    assembler = Assembler(assemble_with, encoder)
    results = encoder.new_object()
    found = b""
    for values in [PAYLOADS[0], floats().reshape(0, 2), PAYLOADS[1]]:
        counts = [1] * len(values) or [0]  # of the second payload all records failed
        decoded = Decoded({}, counts)
        response = results.encode(payload_of(len(counts)), decoded, {"v": values})
        found += assembler.response(response.body)
    assert found + results.end() == expected


def test_binary_results_are_left_alone() -> None:
    encoder = make_encoder("application/x-npy", signature_of({"v": PAYLOADS[0]}), split_type="Line")
    assert Assembler("None", encoder).response(b"\x93NUMPY") == b"\x93NUMPY"


def test_unknown_ways() -> None:
    encoder = make_encoder("text/csv", signature_of({"v": PAYLOADS[0]}), split_type="Line")
    with pytest.raises(InvalidArgumentError, match="assemble_with='line'"):
        Assembler("line", encoder)
