from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.data_processing import ResultProcessor
from sagemaker_tensorflow.transform.encoders import make_encoder
from sagemaker_tensorflow.transform.records import Decoded, Outputs
from sagemaker_tensorflow.transform.spec import DataProcessing

from .encoding import encode, floats, payload_of, ragged, signature_of, strings

JSON = "application/json"
LINES = "application/jsonlines"

SCORES = {"score": floats(0.5, 2)}
PAIRS = {"pair": floats([0.1, 0.2], [0.3, 1])}
CUBES = {"cube": np.arange(8, dtype=np.int32).reshape(2, 2, 2)}
SEVERAL = {
    "score": floats([0.1, 0.2], [0.3, 1]),
    "class": np.array([7, -1], np.int64),
    "name": strings(b"caf\xc3\xa9", b'say "a"\nb'),
    "ok": np.array([True, False]),
}
SEVERAL_ROWS = [
    '{"score":[0.1,0.2],"class":7,"name":"café","ok":true}',
    '{"score":[0.3,1.0],"class":-1,"name":"say \\"a\\"\\nb","ok":false}',
]
ODD = {"v": floats([np.nan, 1], [np.inf, -np.inf])}


def body(accept: str, outputs: Outputs, *, split_type: str = "Line", **results: Any) -> str:
    encoder = make_encoder(accept, signature_of(outputs), split_type=split_type)
    return encode(encoder, outputs, **results).body.decode()


@pytest.mark.parametrize(
    ("outputs", "predictions"),
    [
        (SCORES, "[0.5,2.0]"),
        (PAIRS, "[[0.1,0.2],[0.3,1.0]]"),
        (CUBES, "[[[0,1],[2,3]],[[4,5],[6,7]]]"),
        (SEVERAL, f"[{','.join(SEVERAL_ROWS)}]"),
        (ODD, "[[NaN,1.0],[Infinity,-Infinity]]"),
        ({"v": floats(3)}, "[3.0]"),
        ({"v": np.array([0.1], np.float16)}, "[0.1]"),
        ({"v": np.array([0.1], np.float64)}, "[0.1]"),
        ({"v": np.array([2**64 - 1], np.uint64)}, "[18446744073709551615]"),
        ({"v": strings([b"a", b"b"], [b"", b"d"])}, '[["a","b"],["","d"]]'),
        ({"v_bytes": strings(b"ab", b"")}, '[{"b64":"YWI="},{"b64":""}]'),
        ({"v": strings(b"ab", b"\xff")}, '["ab",{"b64":"/w=="}]'),
        ({"v_bytes": strings([b"a"], [b"b"])}, '[[{"b64":"YQ=="}],[{"b64":"Yg=="}]]'),
        ({"v": np.empty((2, 0), np.float32)}, "[[],[]]"),
    ],
)
def test_json_is_what_tensorflow_serving_answers(outputs: Outputs, predictions: str) -> None:
    assert body(JSON, outputs) == f'{{"predictions":{predictions}}}'


def test_json_of_a_whole_object_is_a_list_too() -> None:
    one = {"v": floats([1, 2])}
    assert body(JSON, one, split_type="None") == '{"predictions":[[1.0,2.0]]}'


def test_json_of_documents_and_failures_has_every_instance() -> None:
    three = {"v": floats(1, 2, 3)}
    assert body(JSON, three, counts=[2, 0, 1]) == '{"predictions":[1.0,2.0,3.0]}'


@pytest.mark.parametrize("accept", [JSON, LINES])
def test_nothing_is_left_of_a_payload_whose_records_all_failed(accept: str) -> None:
    assert body(accept, {"v": np.empty((0, 2), np.float32)}, counts=[0, 0]) == ""


@pytest.mark.parametrize(
    ("outputs", "lines"),
    [
        (SCORES, ["0.5", "2.0"]),
        (PAIRS, ["[0.1,0.2]", "[0.3,1.0]"]),
        (CUBES, ["[[0,1],[2,3]]", "[[4,5],[6,7]]"]),
        ({"v": np.arange(8).reshape(2, 1, 1, 4)}, ["[[[0,1,2,3]]]", "[[[4,5,6,7]]]"]),
        ({"v": np.empty((2, 0, 3), np.float32)}, ["[]", "[]"]),
        ({"v": np.array([[True], [False]])}, ["[true]", "[false]"]),
        (SEVERAL, SEVERAL_ROWS),
        (ODD, ["[NaN,1.0]", "[Infinity,-Infinity]"]),
        ({"v": strings(b"],[", b",")}, ['"],["', '","']),
    ],
)
@pytest.mark.parametrize("split_type", ["Line", "None"])
def test_jsonlines(outputs: Outputs, lines: list[str], split_type: str) -> None:
    counts = [1] * len(lines) if split_type == "Line" else [len(lines)]
    text = "".join(line + "\n" for line in lines)
    assert body(LINES, outputs, split_type=split_type, counts=counts) == text


def test_jsonlines_of_documents_has_a_line_for_each_record() -> None:
    four = {"v": floats(1, 2, 3, 4)}
    assert body(LINES, four, counts=[1, 2, 0, 1]) == "1.0\n[2.0,3.0]\n4.0\n"
    assert body(LINES, four, counts=[2, 0, 2, 0]) == "[1.0,2.0]\n[3.0,4.0]\n"
    assert body(LINES, four, counts=[0, 4], split_type="None") == "1.0\n2.0\n3.0\n4.0\n"


@pytest.mark.parametrize(
    ("accept", "processing", "originals", "expected", "failed"),
    [
        (
            LINES,
            DataProcessing(join_source="Input"),
            [{"id": 1}, "x"],
            '{"id":1,"SageMakerOutput":0.5}\n{"SageMakerInput":"x","SageMakerOutput":2.0}\n',
            [],
        ),
        (
            JSON,
            DataProcessing(join_source="Input"),
            [{"id": 1}, {"id": 2}],
            '{"id":1,"SageMakerOutput":{"predictions":[0.5]}}\n'
            '{"id":2,"SageMakerOutput":{"predictions":[2.0]}}',
            [],
        ),
        (
            LINES,
            DataProcessing(join_source="Input", output_filter="$['id','SageMakerOutput']"),
            [{"id": 1, "text": "long"}, {"text": "no id"}],
            '{"id":1,"SageMakerOutput":0.5}\n',
            [1],
        ),
        (JSON, DataProcessing(output_filter="$.predictions[0]"), [], "0.5\n2.0", []),
        (
            LINES,
            DataProcessing(join_source="Input", output_filter="$.name"),
            [{"name": "\ud83d"}, {"name": "é"}],
            '"\\ud83d"\n"é"\n',
            [],
        ),
    ],
)
def test_processed(
    accept: str, processing: DataProcessing, originals: list[Any], expected: str, failed: list[int]
) -> None:
    processor = ResultProcessor(processing, accept)
    encoder = make_encoder(accept, signature_of(SCORES), split_type="Line", processor=processor)
    response = encode(encoder, SCORES, originals=originals)
    assert response.body.decode() == expected
    assert [(failure.record, failure.offset) for failure in response.failures] == [
        (record, 10 * record) for record in failed
    ]


def test_processed_documents_and_failures_keep_to_their_records() -> None:
    processor = ResultProcessor(DataProcessing(join_source="Input"), LINES)
    three = {"v": floats(1, 2, 3)}
    encoder = make_encoder(LINES, signature_of(three), split_type="Line", processor=processor)
    response = encode(encoder, three, counts=[1, 0, 2], originals=[{"a": 1}, {"a": 2}])
    assert response.body.decode().splitlines() == [
        '{"a":1,"SageMakerOutput":1.0}',
        '{"a":2,"SageMakerOutput":[2.0,3.0]}',
    ]


@pytest.mark.parametrize("accept", [JSON, LINES, "text/csv"])
def test_complex_numbers_are_refused(accept: str) -> None:
    signature = signature_of({"v": np.array([1j])})
    with pytest.raises(InvalidArgumentError, match="complex numbers"):
        make_encoder(accept, signature, split_type="Line")


@pytest.mark.parametrize(
    ("outputs", "lines"),
    [
        ({"v": ragged([0.5], [1, 2])}, ["[0.5]", "[1.0,2.0]"]),
        ({"v": ragged([[0.5]], [[1, 2]])}, ["[[0.5]]", "[[1.0,2.0]]"]),
        ({"v": ragged([b"a"], [b"b", b"\xff"])}, ['["a"]', '["b",{"b64":"/w=="}]']),
        (
            {"v": ragged([0.5], [1, 2]), "n": floats(3, 4)},
            ['{"v":[0.5],"n":3.0}', '{"v":[1.0,2.0],"n":4.0}'],
        ),
    ],
)
def test_instances_of_different_shapes(outputs: Outputs, lines: list[str]) -> None:
    dense = {
        name: np.array([values[0]]) if values.dtype == object else values
        for name, values in outputs.items()
    }
    signature = signature_of(dense)
    encoder = make_encoder(LINES, signature, split_type="Line")
    assert encode(encoder, outputs).body.decode().splitlines() == lines
    encoder = make_encoder(JSON, signature, split_type="Line")
    assert encode(encoder, outputs).body.decode() == f'{{"predictions":[{",".join(lines)}]}}'


def test_jsonlines_load_into_duckdb_as_they_lie(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(body(LINES, {**ODD, "name": strings(b"a", b"\xc3\xa9")}))
    table = duckdb.sql(f"select * from '{path}'")
    assert [str(kind) for kind in table.types] == ["DOUBLE[]", "VARCHAR"]
    (first, second) = table.fetchall()
    assert np.isnan(first[0][0])
    assert second == ([np.inf, -np.inf], "é")
    path.write_text(body(LINES, PAIRS))
    assert duckdb.sql(f"select json[1] from '{path}'").fetchall() == [(0.1,), (0.3,)]


def test_python_reads_what_is_no_number() -> None:
    assert json.loads(body(JSON, ODD))["predictions"][1] == [np.inf, -np.inf]


def test_threads_may_share_an_encoder() -> None:
    encoder = make_encoder(LINES, signature_of(PAIRS), split_type="Line")
    results = encoder.new_object()
    bodies: list[bytes] = []

    def work() -> None:
        for _ in range(50):
            bodies.append(results.encode(payload_of(2), Decoded({}, [1, 1]), PAIRS).body)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bodies == [b"[0.1,0.2]\n[0.3,1.0]\n"] * 200
