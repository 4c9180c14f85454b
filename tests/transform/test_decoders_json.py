from __future__ import annotations

import base64
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec
from sagemaker_tensorflow.transform.spec import DataProcessing
from tests.transform.decoding import decoder, failed, payload, signature, tensor

JSON_TYPES = ("application/json", "application/jsonlines", "application/jsons")
VECTOR = signature(tensor("x", "float32", 3))
SCALAR = signature(tensor("x", "float32"))
MATRIX = signature(tensor("x", "float32", 2, 2))
TEXT = signature(tensor("text", "string"))
TWO = signature(tensor("a", "int64"), tensor("b", "float32", 2))
INPUTS = signature(tensor("inputs", "float32", 2))
UNKNOWN = signature(TensorSpec("x", np.dtype("float32"), None))


def b64(data: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(data).decode()}


def as_lists(inputs: Any) -> dict[str, Any]:
    return {name: array.tolist() for name, array in inputs.items()}


@pytest.mark.parametrize("content_type", JSON_TYPES)
@pytest.mark.parametrize(
    ("inputs", "record", "expected"),
    [
        # One instance.
        (VECTOR, "[1, 2, 3.5]", {"x": [[1, 2, 3.5]]}),
        (VECTOR, '{"x": [1, 2, 3]}', {"x": [[1, 2, 3]]}),
        (SCALAR, "2", {"x": [2]}),
        (SCALAR, " 2\r", {"x": [2]}),
        (SCALAR, '\ufeff{"x": true}', {"x": [1]}),
        (MATRIX, "[[1, 2], [3, 4]]", {"x": [[[1, 2], [3, 4]]]}),
        (TEXT, '"grün"', {"text": ["grün".encode()]}),
        (TEXT, '{"text": "a"}', {"text": [b"a"]}),
        (TEXT, json.dumps(b64(b"\xff\0")), {"text": [b"\xff\0"]}),
        (TEXT, json.dumps({"text": b64(b"\xff\0")}), {"text": [b"\xff\0"]}),
        (TWO, '{"b": [1, 2], "a": 7}', {"a": [7], "b": [[1, 2]]}),
        (UNKNOWN, "[[1, 2]]", {"x": [[[1, 2]]]}),
        (INPUTS, '{"inputs": [1, 2]}', {"inputs": [[1, 2]]}),
        # Rows.
        (VECTOR, '{"instances": [[1, 2, 3], [4, 5, 6]]}', {"x": [[1, 2, 3], [4, 5, 6]]}),
        (VECTOR, '{"instances": [{"x": [1, 2, 3]}]}', {"x": [[1, 2, 3]]}),
        (
            TWO,
            '{"signature_name": "serving_default", "instances": [{"a": 1, "b": [1, 2]}], "id": 9}',
            {"a": [1], "b": [[1, 2]]},
        ),
        (TEXT, json.dumps({"instances": [b64(b"a"), "b"]}), {"text": [b"a", b"b"]}),
        (INPUTS, '{"instances": [[1, 2]]}', {"inputs": [[1, 2]]}),
        # Columns.
        (VECTOR, '{"inputs": [[1, 2, 3], [4, 5, 6]]}', {"x": [[1, 2, 3], [4, 5, 6]]}),
        (VECTOR, '{"inputs": {"x": [[1, 2, 3]]}}', {"x": [[1, 2, 3]]}),
        (TWO, '{"inputs": {"a": [1], "b": [[1, 2]]}}', {"a": [1], "b": [[1, 2]]}),
        (INPUTS, '{"inputs": [[1, 2], [3, 4]]}', {"inputs": [[1, 2], [3, 4]]}),
        (INPUTS, '{"inputs": {"inputs": [[1, 2]]}}', {"inputs": [[1, 2]]}),
        # Several documents.
        (VECTOR, "[1, 2, 3]\n[4, 5, 6]\r\n\n", {"x": [[1, 2, 3], [4, 5, 6]]}),
        (SCALAR, '{"x": 1}{"x": 2} 3', {"x": [1, 2, 3]}),
    ],
)
def test_formats(content_type: str, inputs: Signature, record: str, expected: Any) -> None:
    decoded = decoder(content_type, inputs).decode(payload(record.encode()))
    assert failed(decoded) == {}
    assert as_lists(decoded.inputs) == expected
    for spec in inputs.inputs:
        assert decoded.inputs[spec.name].dtype == spec.array_dtype


@pytest.mark.parametrize(
    ("inputs", "record", "expected"),
    [
        (VECTOR, "[[1, 2, 3], [4, 5, 6]]", {"x": [[1, 2, 3], [4, 5, 6]]}),
        (TWO, '[{"a": 1, "b": [2, 3]}]', {"a": [1], "b": [[2, 3]]}),
        (TEXT, json.dumps([b64(b"a"), b64(b"b")]), {"text": [b"a", b"b"]}),
        (TEXT, '["a", "b"]', {"text": [b"a", b"b"]}),
    ],
)
def test_arrays_of_instances(inputs: Signature, record: str, expected: Any) -> None:
    decoded = decoder("application/json", inputs).decode(payload(record.encode()))
    assert failed(decoded) == {}
    assert as_lists(decoded.inputs) == expected
    # A line is one instance.
    assert 0 in failed(decoder("application/jsonlines", inputs).decode(payload(record.encode())))


def test_not_a_number_and_infinity() -> None:
    decoded = decoder("application/json", VECTOR).decode(payload(b"[NaN, Infinity, -Infinity]"))
    values = decoded.inputs["x"][0].tolist()
    assert math.isnan(values[0])
    assert values[1:] == [math.inf, -math.inf]


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("float64", "0.1", 0.1),
        ("float16", "0.5", 0.5),
        ("float32", "1", 1),
        ("float32", "1e39", "takes float32, one value; got the value 1e+39, which is too large"),
        ("int64", "9007199254740993", 9007199254740993),
        ("int64", "3.0", 3),
        ("int64", "3.5", "got the value 3.5"),
        ("int64", "NaN", "got the value nan"),
        ("int64", "9223372036854775808", "got the value 9223372036854775808"),
        ("int32", "-2147483649", "got the value -2147483649"),
        ("uint64", "18446744073709551615", 18446744073709551615),
        ("uint8", "255", 255),
        ("uint8", "256", "input 'x' takes uint8, one value; got the value 256"),
        ("uint8", "-1", "got the value -1"),
        ("int64", "1" + "0" * 30, "got 1000000000"),
        ("bool", "true", True),
        ("bool", "0", False),
        ("bool", "2", "got the value 2"),
        ("float32", '"1"', "got '1'"),
        ("float32", "null", "got null"),
        ("float32", "[1]", "got values of shape [1]"),
        ("float32", '{"b64": "AA=="}', "got {'b64': 'AA=='}"),
        ("string", "1", "input 'x' takes string, one value; got 1 where a text is expected"),
        ("string", "null", "None where a text is expected"),
        ("string", '{"b64": "%%"}', "bad base64"),
        ("string", '"\\ud800"', "surrogates not allowed"),
        ("string", '{"y": 1}', "no value for input 'x'; the object has 'y'"),
    ],
)
def test_values(dtype: str, value: str, expected: Any) -> None:
    decoded = decoder("application/jsonlines", signature(tensor("x", dtype))).decode(
        payload(value.encode())
    )
    if isinstance(expected, str):
        assert expected in failed(decoded)[0]
    else:
        assert failed(decoded) == {}
        assert decoded.inputs["x"].tolist() == [expected]


@pytest.mark.parametrize(
    ("inputs", "record", "reason"),
    [
        (VECTOR, b"", "the record is empty"),
        (VECTOR, b" \r", "the record is empty"),
        (VECTOR, b"[1, 2", "bad JSON at character 5: Expecting ',' delimiter"),
        (VECTOR, b"[1, 2, 3] x", "bad JSON at character 10: Expecting value; there is 'x'"),
        (VECTOR, b"1,2\n", r"bad JSON at character 1: Expecting value; there is ',2\n'"),
        (VECTOR, b'{"x":', "bad JSON at character 5: Expecting value; there is its end"),
        (VECTOR, b"\xff[1]", "no UTF-8 text: invalid start byte at byte 0"),
        (VECTOR, b"[" * 200_000, "bad JSON: "),
        (VECTOR, b"1" * 5000, "bad JSON: "),
        (VECTOR, b"[1, 2]", "input 'x' takes float32 of shape [3]; got values of shape [2]"),
        (VECTOR, b"[1, [2], 3]", "got arrays of different lengths"),
        (VECTOR, b'["a", 2, 3]', "got 'a'"),
        (VECTOR, b'[1, 2, "' + b"z" * 99 + b'"]', "..."),
        (VECTOR, b'{"x": [1, 2, 3], "id": 1}', "'id' is no input of the signature, which has 'x'"),
        (VECTOR, b'{"instances": []}', "the record has no instances"),
        (VECTOR, b'{"instances": 1}', '"instances" must be an array, not 1'),
        (VECTOR, b'{"instances": [], "inputs": []}', 'both "instances" and "inputs"'),
        (VECTOR, b'{"examples": []}', '"examples" is for classify and regress'),
        (VECTOR, b'{"signature_name": "other", "instances": []}', "signature_name is 'other'"),
        (VECTOR, b'{"inputs": 1}', "input 'x' in \"inputs\" is 1, no array"),
        (TWO, b'{"inputs": [1]}', "\"inputs\" must be an object of 'a', 'b'"),
        (TWO, b'{"inputs": {"a": [1], "b": []}}', "of different lengths: 1, 0"),
        (TWO, b"[1, 2]", "an instance must be an object of 'a', 'b'"),
        (TWO, b'{"a": 1}', "no value for input 'b'; the object has 'a'"),
        (TEXT, b"[[1]]", "input 'text' takes string"),
    ],
)
def test_bad_records(inputs: Signature, record: bytes, reason: str) -> None:
    good: dict[str, Any] = {"x": [1, 2, 3]}
    if inputs is not VECTOR:
        good = {"text": "t"} if inputs is TEXT else {"a": 1, "b": [2, 3]}
    line = json.dumps(good).encode()
    decoded = decoder("application/jsonlines", inputs).decode(payload(line, record, line))
    assert reason in failed(decoded)[1]
    assert list(decoded.counts) == [1, 0, 1]


def test_a_payload_of_nothing_but_bad_records() -> None:
    decoded = decoder("application/jsonlines", TWO).decode(payload(b"x", b"y"))
    assert set(failed(decoded)) == {0, 1}
    assert {name: array.shape for name, array in decoded.inputs.items()} == {"a": (0,), "b": (0, 2)}


def test_an_empty_payload() -> None:
    decoded = decoder("application/jsonlines", VECTOR).decode(payload())
    assert decoded.inputs["x"].shape == (0, 3)
    assert list(decoded.counts) == []


def test_open_sizes_must_agree_within_a_payload() -> None:
    inputs = signature(tensor("x", "int64", None))
    decoded = decoder("application/jsonlines", inputs).decode(
        payload(b"[1, 2]", b"[1, 2, 3]", b"[3, 4]")
    )
    assert "is of shape [3], and [2] in other records" in failed(decoded)[1]
    assert decoded.inputs["x"].tolist() == [[1, 2], [3, 4]]


def test_strings_of_open_sizes() -> None:
    inputs = signature(TensorSpec("x", "string", None))
    decode = decoder("application/jsonlines", inputs).decode
    assert decode(payload(b'["a", "b"]')).inputs["x"].tolist() == [[b"a", b"b"]]
    assert "arrays of different lengths" in failed(decode(payload(b'[["a"], ["b", "c"]]')))[0]


@pytest.mark.parametrize(
    ("processing", "records", "expected", "originals"),
    [
        (DataProcessing("$.features"), [b'{"id": 1, "features": [1, 2, 3]}'], [[1, 2, 3]], []),
        (
            DataProcessing("$.features", "$", "Input"),
            [b'{"id": 1, "features": [1, 2, 3]}'],
            [[1, 2, 3]],
            [{"id": 1, "features": [1, 2, 3]}],
        ),
        (DataProcessing("$[1:]"), [b'["id", 1, 2, 3]'], [[1, 2, 3]], []),
        (DataProcessing("$['x']"), [b'{"x": [1, 2, 3], "id": 5}'], [[1, 2, 3]], []),
        (DataProcessing("$['x','x']"), [b'{"x": [1, 2, 3], "id": 5}'], [[1, 2, 3]], []),
        (
            DataProcessing("$[:]", "$", "Input"),
            [b"[1, 2, 3][4, 5, 6]"],
            [[1, 2, 3], [4, 5, 6]],
            [[[1, 2, 3], [4, 5, 6]]],
        ),
    ],
)
def test_input_filter_and_originals(
    processing: DataProcessing, records: list[bytes], expected: Any, originals: Any
) -> None:
    decoded = decoder("application/json", VECTOR, processing).decode(payload(*records))
    assert failed(decoded) == {}
    assert decoded.inputs["x"].tolist() == expected
    assert decoded.originals == originals


def test_originals_are_of_the_records_that_did_not_fail() -> None:
    processing = DataProcessing("$.f", "$", "Input")
    decoded = decoder("application/jsonlines", SCALAR, processing).decode(
        payload(b'{"f": 1}', b'{"g": 1}', b'{"f": "x"}', b'{"f": 4}')
    )
    reasons = failed(decoded)
    assert set(reasons) == {1, 2}
    assert reasons[1].startswith("InputFilter: JSONPath $.f, character 2: the object has no 'f'")
    assert decoded.originals == [{"f": 1}, {"f": 4}]
    assert decoded.inputs["x"].tolist() == [1, 4]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["x", "b64", "inputs", "instances", "examples"]), inner, max_size=3
        )
    ),
)


@pytest.mark.parametrize("inputs", [VECTOR, SCALAR, MATRIX, TEXT, TWO, INPUTS, UNKNOWN])
@given(records=st.lists(json_values.map(json.dumps).map(str.encode) | st.binary(max_size=5)))
def test_any_record_is_decoded_or_fails(inputs: Signature, records: list[bytes]) -> None:
    decoded = decoder("application/jsonlines", inputs).decode(payload(*records))
    failed(decoded)
    assert len(decoded.counts) == len(records)
    for spec in inputs.inputs:
        assert decoded.inputs[spec.name].dtype == spec.array_dtype


@given(st.lists(st.lists(st.floats(width=32), min_size=3, max_size=3), min_size=1))
def test_floats_pass_unchanged(rows: list[list[float]]) -> None:
    lines = [json.dumps(row).encode() for row in rows]
    decoded = decoder("application/jsonlines", VECTOR).decode(payload(*lines))
    np.testing.assert_array_equal(decoded.inputs["x"], np.array(rows, dtype=np.float32))
