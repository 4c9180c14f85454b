from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.encoders import make_encoder, parquet_encoder
from sagemaker_tensorflow.transform.records import Decoded, Outputs
from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec

from .encoding import floats, payload_of, ragged, signature_of, strings

PARQUET = "application/x-parquet"

OUTPUTS = {
    "score": floats(0.5, np.nan),
    "pair": floats([0.1, 0.2], [0.3, 0.4]),
    "box": np.arange(12, dtype=np.int64).reshape(2, 2, 3),
    "half": np.array([0.5, 1], np.float16),
    "ok": np.array([True, False]),
    "name": strings(b"caf\xc3\xa9", b""),
    "tags": strings([b"a", b"b"], [b"c", b"d"]),
    "image_bytes": strings(b"\xff\x00", b""),
}
ROWS = [
    (0, 0.5, [0.1, 0.2], [[0, 1, 2], [3, 4, 5]], 0.5, True, "café", ["a", "b"], b"\xff\x00"),
    (1, None, [0.3, 0.4], [[6, 7, 8], [9, 10, 11]], 1.0, False, "", ["c", "d"], b""),
]


def table_of(outputs: Outputs) -> bytes:
    results = make_encoder(PARQUET, signature_of(outputs), split_type="Line").new_object()
    count = len(next(iter(outputs.values())))
    response = results.encode(payload_of(count), Decoded({}, [1] * count), outputs)
    return response.body + results.end()


def test_columns() -> None:
    table = pq.read_table(io.BytesIO(table_of(OUTPUTS)))
    assert {field.name: str(field.type) for field in table.schema} == {
        "record": "int64",
        "score": "float",
        "pair": "fixed_size_list<element: float>[2]",
        "box": "fixed_size_list<element: fixed_size_list<element: int64>[3]>[2]",
        "half": "float",
        "ok": "bool",
        "name": "string",
        "tags": "fixed_size_list<element: string>[2]",
        "image_bytes": "binary",
    }
    assert np.isnan(table["score"][1].as_py())
    for name, values in OUTPUTS.items():
        if not name.startswith(("score", "name", "tags")):
            assert table[name].to_pylist() == values.tolist()


def test_duckdb_reads_it_as_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "key.out"
    path.write_bytes(table_of(OUTPUTS))
    number = "if(isnan(score), null, score) as score"
    select = f"select * replace ({number}) from read_parquet('{path}')"
    rows = duckdb.sql(select).fetchall()
    assert [tuple(_rounded(value) for value in row) for row in rows] == ROWS


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    return [_rounded(item) for item in value] if isinstance(value, (list, tuple)) else value


def test_sizes_that_are_not_fixed_make_lists() -> None:
    specs = (TensorSpec("v", np.dtype(np.float32), (None, None, 2)),)
    results = make_encoder(PARQUET, Signature("s", (), specs), split_type="Line").new_object()
    body = b""
    for index, width in enumerate((2, 0, 1)):
        values = np.full((1, width, 2), index, np.float32)
        payload = payload_of(1, first_record=index, index=index)
        body += results.encode(payload, Decoded({}, [1]), {"v": values}).body
    table = pq.read_table(io.BytesIO(body + results.end()))
    assert str(table.schema.field("v").type) == "list<element: fixed_size_list<element: float>[2]>"
    assert table["v"].to_pylist() == [[[0, 0], [0, 0]], [], [[2, 2]]]


def test_record_numbers_tell_what_failed() -> None:
    outputs = {"v": floats(1, 2, 3)}
    results = make_encoder(PARQUET, signature_of(outputs), split_type="Line").new_object()
    body = results.encode(payload_of(3), Decoded({}, [1, 0, 2]), outputs).body
    none = {"v": floats()}
    body += results.encode(payload_of(1, first_record=3), Decoded({}, [0]), none).body
    body += results.encode(payload_of(3, first_record=7), Decoded({}, [1, 1, 1]), outputs).body
    table = pq.read_table(io.BytesIO(body + results.end()))
    assert table["record"].to_pylist() == [0, 2, 2, 7, 8, 9]


def test_an_object_without_records_is_a_table_without_rows() -> None:
    results = make_encoder(PARQUET, signature_of(OUTPUTS), split_type="Line").new_object()
    table = pq.read_table(io.BytesIO(results.end()))
    assert table.num_rows == 0
    assert table.column_names == ["record", *OUTPUTS]


def test_row_groups_come_out_as_they_fill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_encoder, "ROW_GROUP_BYTES", 100_000)
    parts = np.random.default_rng(0).random((7, 100, 100), np.float32)  # of 40,000 bytes each
    results = make_encoder(PARQUET, signature_of({"v": parts[0]}), split_type="Line").new_object()
    bodies = []
    for index, part in enumerate(parts):
        payload = payload_of(100, first_record=100 * index)
        bodies.append(results.encode(payload, Decoded({}, [1] * 100), {"v": part}).body)
    assert [len(body) > 100_000 for body in bodies] == [False, False, True] * 2 + [False]
    file = pq.ParquetFile(io.BytesIO(b"".join(bodies) + results.end()))
    groups = [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)]
    assert groups == [300, 300, 100]
    table = file.read()
    assert table["record"].to_pylist() == list(range(700))
    assert table["v"].to_pylist() == parts.reshape(700, 100).tolist()


def test_instances_of_different_shapes() -> None:
    specs = (
        TensorSpec("v", np.dtype(np.float32), (None, None)),
        TensorSpec("t", "string", (None, None)),
    )
    results = make_encoder(PARQUET, Signature("s", (), specs), split_type="Line").new_object()
    outputs = {"v": ragged([1], [2, 3]), "t": ragged([b"a", b"b"], [b"c"])}
    body = results.encode(payload_of(2), Decoded({}, [1, 1]), outputs).body + results.end()
    table = pq.read_table(io.BytesIO(body))
    assert table["v"].to_pylist() == [[1], [2, 3]]
    assert table["t"].to_pylist() == [["a", "b"], ["c"]]


@pytest.mark.parametrize(
    ("texts", "counts", "left", "failed"),
    [
        (strings(b"a", b"\xff", b"c"), [1, 1, 1], ["a", "c"], [1]),
        (strings([b"a", b"b"], [b"c", b"\xff"]), [1, 0, 1], [["a", "b"]], [2]),
        (strings(b"a", b"\xff", b"c", b"d"), [1, 2, 1], ["a", "d"], [1]),
        (ragged([b"a"], [b"\xff", b""]), [1, 1], [["a"]], [1]),
        (strings(b"\xff"), [1], [], [0]),
    ],
)
def test_records_with_texts_that_are_none_fail(
    texts: np.ndarray, counts: list[int], left: list[Any], failed: list[int]
) -> None:
    shape = (None,) if isinstance(texts[0], bytes) else (None, None)
    specs = (TensorSpec("t", "string", shape), TensorSpec("n", np.dtype(np.int64), (None,)))
    results = make_encoder(PARQUET, Signature("s", (), specs), split_type="Line").new_object()
    outputs = {"t": texts, "n": np.arange(len(texts))}
    response = results.encode(payload_of(len(counts)), Decoded({}, counts), outputs)
    assert [failure.record for failure in response.failures] == failed
    assert 'invalid start byte at byte 0); call the output "t_bytes"' in response.failures[0].reason
    table = pq.read_table(io.BytesIO(response.body + results.end()))
    assert table["t"].to_pylist() == left
    assert len(table["n"]) == len(table["record"]) == len(left)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (TensorSpec("v", np.dtype(np.float32), None), "v: float32 of any rank .* known rank"),
        (TensorSpec("v", np.dtype(np.complex64), (None,)), "real numbers"),
        (TensorSpec("record", np.dtype(np.float32), (None,)), "the column that has the record's"),
    ],
)
def test_what_makes_no_column_is_refused(spec: TensorSpec, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        make_encoder(PARQUET, Signature("serving_default", (), (spec,)), split_type="Line")
