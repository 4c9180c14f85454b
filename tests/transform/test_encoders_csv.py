from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from sagemaker_tensorflow.transform.data_processing import ResultProcessor
from sagemaker_tensorflow.transform.encoders import make_encoder
from sagemaker_tensorflow.transform.records import Outputs
from sagemaker_tensorflow.transform.spec import DataProcessing

from .encoding import encode, floats, ragged, signature_of, strings


def body(outputs: Outputs, *, split_type: str = "Line", **results: Any) -> str:
    encoder = make_encoder("text/csv", signature_of(outputs), split_type=split_type)
    return encode(encoder, outputs, **results).body.decode()


@pytest.mark.parametrize(
    ("outputs", "rows"),
    [
        ({"v": floats(0.5, 2)}, ["0.5", "2.0"]),
        ({"v": floats([0.1, 0.2], [0.3, 1])}, ["0.1,0.2", "0.3,1.0"]),
        ({"v": np.arange(8).reshape(2, 2, 2)}, ["0,1,2,3", "4,5,6,7"]),
        ({"v": floats([np.nan, np.inf], [-np.inf, 0])}, ["NaN,Infinity", "-Infinity,0.0"]),
        ({"b": floats([1, 2]), "a": np.array([True])}, ["1.0,2.0,true"]),
        ({"v": strings(b"plain", b"caf\xc3\xa9")}, ["plain", "café"]),
        (
            {"v": strings(b"a,b", b'say "x"', b"two\nlines", b"a\rb", b"c\r\nd")},
            ['"a,b"', '"say ""x"""', '"two\nlines"', '"a\rb"', '"c\r\nd"'],
        ),
        ({"v": strings(b"")}, ['""']),
        ({"v_bytes": strings(b"ab")}, ["YWI="]),
        ({"v": strings(b"\xff")}, ["/w=="]),
        (
            {"label": strings([b"x", b"y,"]), "score": floats([0.1]), "ok": np.array([False])},
            ['x,"y,",0.1,false'],
        ),
        ({"v": np.empty((2, 0), np.float32)}, ["", ""]),
    ],
)
@pytest.mark.parametrize("split_type", ["Line", "None"])
def test_rows(outputs: Outputs, rows: list[str], split_type: str) -> None:
    counts = [1] * len(rows) if split_type == "Line" else [len(rows)]
    text = "".join(row + "\n" for row in rows)
    assert body(outputs, counts=counts, split_type=split_type) == text


def test_a_record_of_several_instances_is_one_row() -> None:
    numbers = {"v": floats([1, 2], [3, 4], [5, 6])}
    assert body(numbers, counts=[2, 0, 1]) == "1.0,2.0,3.0,4.0\n5.0,6.0\n"
    labels = {"v": strings(b"a", b"b", b"c")}
    assert body(labels, counts=[1, 2]) == "a\nb,c\n"


def test_instances_of_different_shapes() -> None:
    signature = signature_of({"v": floats([1]), "t": strings(b"")})
    encoder = make_encoder("text/csv", signature, split_type="Line")
    outputs = {"v": ragged([[0.5], [1]], [[2]]), "t": strings(b"a", b"b")}
    assert encode(encoder, outputs).body == b"0.5,1.0,a\n2.0,b\n"
    encoder = make_encoder("text/csv", signature_of({"v": floats([1])}), split_type="Line")
    assert encode(encoder, {"v": ragged([0.5, 1], [2])}).body == b"0.5,1.0\n2.0\n"


def test_nothing_is_left_of_a_payload_whose_records_all_failed() -> None:
    assert body({"v": np.empty((0, 2), np.float32)}, counts=[0, 0]) == ""
    assert body({"v": np.empty(0, object)}, counts=[0]) == ""


@pytest.mark.parametrize(
    ("processing", "originals", "expected", "failed"),
    [
        (
            DataProcessing(join_source="Input"),
            [["1", "2", "3"], ["a,b"]],
            '1,2,3,0.5\n"a,b",2.0\n',
            [],
        ),
        (
            DataProcessing(join_source="Input", output_filter="$[0,-1]"),
            [["id1", "x"], ["id2", "y"]],
            "id1,0.5\nid2,2.0\n",
            [],
        ),
        (
            DataProcessing(join_source="Input", output_filter="$[2]"),
            [["id1", "x"], ["id2"]],
            "0.5\n",
            [1],
        ),
        (DataProcessing(output_filter="$[0]"), [], "0.5\n2.0\n", []),
    ],
)
def test_processed(
    processing: DataProcessing, originals: list[Any], expected: str, failed: list[int]
) -> None:
    outputs = {"v": floats([0.5], [2])}
    processor = ResultProcessor(processing, "text/csv")
    encoder = make_encoder(
        "text/csv", signature_of(outputs), split_type="Line", processor=processor
    )
    response = encode(encoder, outputs, originals=originals)
    assert response.body.decode() == expected
    assert [failure.record for failure in response.failures] == failed
    assert all("$[2]" in failure.reason for failure in response.failures)


def test_readers_agree(tmp_path: Path) -> None:
    outputs = {"n": floats(0.1, np.nan), "t": strings(b'a "b", c', b"line\nfeed")}
    text = body(outputs)
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["0.1", 'a "b", c'],
        ["NaN", "line\nfeed"],
    ]
    path = tmp_path / "rows.csv"
    path.write_text(text)
    types = "columns={'n': 'FLOAT', 't': 'VARCHAR'}"
    first, second = duckdb.sql(
        f"select * from read_csv('{path}', header=false, {types})"
    ).fetchall()
    assert first[1] == 'a "b", c'
    assert np.isnan(second[0])
    assert second[1] == "line\nfeed"
