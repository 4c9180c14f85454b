from __future__ import annotations

import csv
import io
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec
from sagemaker_tensorflow.transform.spec import DataProcessing
from tests.transform.decoding import decoder, failed, payload, signature, tensor

CSV = "text/csv"
ROW3 = signature(tensor("x", "float32", 3))
OPEN = signature(tensor("x", "float64", None))
ONE = signature(tensor("x", "float32"))
TEXT = signature(tensor("text", "string"))
TEXTS = signature(tensor("text", "string", 2))
IMAGE = signature(tensor("x", "uint8", 2, 2, 1))
MIXED = signature(tensor("age", "int64"), tensor("name", "string", 1), tensor("vip", "bool"))


@pytest.mark.parametrize(
    ("inputs", "records", "expected"),
    [
        (ROW3, [b"1,2,3", b"4.5,-5e1,6\r"], {"x": [[1, 2, 3], [4.5, -50, 6]]}),
        (ROW3, [b'"1"," 2 ",3'], {"x": [[1, 2, 3]]}),
        (ROW3, [b"\xef\xbb\xbf1,2,3"], {"x": [[1, 2, 3]]}),
        (ROW3, [b"1,2,3\n4,5,6\n", b"7,8,9"], {"x": [[1, 2, 3], [4, 5, 6], [7, 8, 9]]}),
        (OPEN, [b"1,2", b"3,4"], {"x": [[1, 2], [3, 4]]}),
        (signature(TensorSpec("x", np.dtype("int32"), None)), [b"1,2"], {"x": [[1, 2]]}),
        (ONE, [b"1", b"2"], {"x": [1, 2]}),
        (IMAGE, [b"0,1,2,255"], {"x": [[[[0], [1]], [[2], [255]]]]}),
        (TEXT, [b'"a, ""b"""', "ü".encode()], {"text": [b'a, "b"', "ü".encode()]}),
        (TEXT, [b'""'], {"text": [b""]}),
        (TEXTS, [b"a,b"], {"text": [[b"a", b"b"]]}),
        (TEXT, [b'"two\nlines"'], {"text": [b"two\nlines"]}),
        (TEXT, [b"x" * 200_000], {"text": [b"x" * 200_000]}),
        (
            MIXED,
            [b"3,Ada,true", b"4.0,Bob,0"],
            {"age": [3, 4], "name": [[b"Ada"], [b"Bob"]], "vip": [True, False]},
        ),
    ],
)
def test_rows(inputs: Signature, records: list[bytes], expected: Any) -> None:
    decoded = decoder(CSV, inputs).decode(payload(*records))
    assert failed(decoded) == {}
    assert {name: array.tolist() for name, array in decoded.inputs.items()} == expected
    for spec in inputs.inputs:
        assert decoded.inputs[spec.name].dtype == spec.array_dtype


def test_not_a_number_and_infinity() -> None:
    values = decoder(CSV, ROW3).decode(payload(b"nan,inf,-Infinity")).inputs["x"][0].tolist()
    assert math.isnan(values[0])
    assert values[1:] == [math.inf, -math.inf]


@pytest.mark.parametrize(
    ("inputs", "record", "reason"),
    [
        (ROW3, b"1,x,3", "row 0, column 1: 'x' is no float32 for input 'x'"),
        (ROW3, b"1,,3", "row 0, column 1: '' is no float32"),
        (ROW3, b"1,2", "row 0 has 2 columns; 3 are needed for 'x'"),
        (ROW3, b"1,2,3\n4,5,y", "row 1, column 2: 'y'"),
        (ROW3, b"1,2,3\n\n4,5,6", "row 1 is empty"),
        (ROW3, b"", "the record is empty"),
        (ROW3, b'1,"2"x,3', "bad CSV"),
        (ROW3, b'1,"2,3', "bad CSV"),
        (ROW3, b"\xff,1,2", "no UTF-8 text"),
        (ROW3, b"1e39,2,3", "the value 1e+39, which is too large"),
        (OPEN, b"1,2\n3", "row 1 has 1 columns, and row 0 has 2"),
        (IMAGE, b"0,1,2,256", "row 0, column 3: '256' is no uint8 for input 'x'"),
        (IMAGE, b"0,1,2,1.5", "row 0, column 3: '1.5' is no uint8"),
        (MIXED, b"nan,Ada,true", "row 0, column 0: 'nan' is no int64 for input 'age'"),
        (MIXED, b"1,Ada,yes", "row 0, column 2: 'yes' is no bool for input 'vip'"),
        (MIXED, b"1,Ada", "2 columns; 3 are needed for 'age', 'name', 'vip'"),
    ],
)
def test_bad_records(inputs: Signature, record: bytes, reason: str) -> None:
    good = {ROW3: b"1,2,3", OPEN: b"7,8", IMAGE: b"1,2,3,4", MIXED: b"1,Eve,1"}[inputs]
    decoded = decoder(CSV, inputs).decode(payload(good, record, good))
    assert reason in failed(decoded)[1]
    assert list(decoded.counts) == [1, 0, 1]


def test_open_rows_must_agree_within_a_payload() -> None:
    decoded = decoder(CSV, OPEN).decode(payload(b"1,2", b"1,2,3", b"3,4"))
    assert "is of shape [3], and [2] in other records" in failed(decoded)[1]
    assert decoded.inputs["x"].tolist() == [[1, 2], [3, 4]]


def test_a_quote_does_not_swallow_the_next_record() -> None:
    decoded = decoder(CSV, TEXT).decode(payload(b'"a', b'b,"', b"c\nd", b"e"))
    assert set(failed(decoded)) == {0, 1}
    assert decoded.inputs["text"].tolist() == [b"c", b"d", b"e"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [("$[1:]", [[1, 2, 3]]), ("$[1,2,3]", [[1, 2, 3]]), ("$[-1,1:2]", [[3, 1, 2]])],
)
def test_input_filter(path: str, expected: Any) -> None:
    decoded = decoder(CSV, ROW3, DataProcessing(path)).decode(payload(b"id,1,2,3"))
    assert decoded.inputs["x"].tolist() == expected
    assert decoded.originals == []


def test_originals() -> None:
    processing = DataProcessing("$[1]", "$", "Input")
    decoded = decoder(CSV, ONE, processing).decode(
        payload(b'"a,b",1', b"c", b"d,x", b"\xff", b"e,5")
    )
    reasons = failed(decoded)
    assert set(reasons) == {1, 2, 3}
    assert "InputFilter: JSONPath $[1], character 2: index 1 is outside" in reasons[1]
    assert "row 0, column 0: 'x'" in reasons[2]
    assert decoded.inputs["x"].tolist() == [1, 5]
    assert decoded.originals == [["a,b", "1"], ["e", "5"]]


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        (signature(tensor("x", "float32", None, 3)), "all sizes of an instance, [?, 3]"),
        (signature(tensor("a", "int8", 2), tensor("b", "int8")), "a: int8 [?, 2] takes an array"),
    ],
)
def test_inputs_that_columns_cannot_fill(inputs: Signature, reason: str) -> None:
    with pytest.raises(InvalidArgumentError) as error:
        decoder(CSV, inputs)
    assert reason in str(error.value)


def written(rows: list[list[Any]]) -> list[bytes]:
    """One record for each row, as Python's csv module writes them."""
    lines = []
    for row in rows:
        text = io.StringIO()
        csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="").writerow(row)
        lines.append(text.getvalue().encode())
    return lines


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"))


@given(st.lists(st.lists(texts, min_size=2, max_size=2)))
def test_texts_pass_unchanged(rows: list[list[str]]) -> None:
    decoded = decoder(CSV, TEXTS).decode(payload(*written(rows)))
    assert failed(decoded) == {}
    assert decoded.inputs["text"].tolist() == [[text.encode() for text in row] for row in rows]


@given(st.lists(st.lists(st.floats(), min_size=3, max_size=3)))
def test_floats_pass_unchanged(rows: list[list[float]]) -> None:
    decoded = decoder(CSV, signature(tensor("x", "float64", 3))).decode(payload(*written(rows)))
    np.testing.assert_array_equal(decoded.inputs["x"], np.array(rows).reshape(-1, 3))


@given(st.lists(st.binary(max_size=8)))
def test_any_record_is_decoded_or_fails(records: list[bytes]) -> None:
    for inputs in (ONE, TEXTS, MIXED, OPEN):
        decoded = decoder(CSV, inputs).decode(payload(*records))
        failed(decoded)
        assert len(decoded.counts) == len(records)
