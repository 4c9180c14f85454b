"""Whole jobs, for every combination of settings that the service allows, with expected bytes.

The model doubles two numbers. What SageMaker's documentation says about splitting, batching and
assembling is done here once more, in the plainest way, to know what has to come out.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from sagemaker_tensorflow._core import encode_record
from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.job import TransformJob
from sagemaker_tensorflow.transform.spec import DataProcessing, TransformSpec

Row = tuple[float, float]

ROWS: tuple[Row, ...] = ((1, 2), (3, 4), (5, 6), (7, 8), (9.5, 10))
JSON, LINES, CSV = "application/json", "application/jsonlines", "text/csv"
NPY, OCTETS = "application/x-npy", "application/octet-stream"
EXAMPLE, PROTOBUF = "application/x-tfexample", "application/x-recordio-protobuf"
FRAMING = {"None": 0, "Line": 1, "RecordIO": 8, "TFRecord": 16}


# Records.


def json_record(row: Row) -> bytes:
    return json.dumps(list(row)).encode()


def csv_record(row: Row) -> bytes:
    return f"{row[0]:g},{row[1]:g}".encode()


def npy_record(row: Sequence[Any]) -> bytes:
    out = io.BytesIO()
    np.save(out, np.array(row, np.float32))
    return out.getvalue()


def octets_record(row: Row) -> bytes:
    return struct.pack("<2f", *row)


def example_record(row: Row) -> bytes:
    values = tf.train.Feature(float_list=tf.train.FloatList(value=row))
    return tf.train.Example(features=tf.train.Features(feature={"x": values})).SerializeToString()


def protobuf_record(row: Row) -> bytes:
    # aialgs.data.Record: features {"values": {float32_tensor: {values}}}, by hand.
    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    value = field(2, field(1, struct.pack("<2f", *row)))
    return field(1, field(1, b"values") + field(2, value))


RECORD_OF: dict[str, Callable[[Row], bytes]] = {
    JSON: json_record,
    LINES: json_record,
    CSV: csv_record,
    NPY: npy_record,
    OCTETS: octets_record,
    EXAMPLE: example_record,
    PROTOBUF: protobuf_record,
}


def whole_object(content_type: str) -> bytes:
    """All rows, as an object that is not split."""
    if content_type == JSON:
        return json.dumps({"instances": ROWS}).encode()
    if content_type == NPY:
        return npy_record(ROWS)
    joint = {LINES: b"\n", CSV: b"\n", OCTETS: b""}[content_type]
    return joint.join(RECORD_OF[content_type](row) for row in ROWS)


def split_object(content_type: str, split_type: str) -> bytes:
    framing = "TextLine" if split_type == "Line" else split_type
    return b"".join(encode_record(framing, RECORD_OF[content_type](row)) for row in ROWS)


# Results.


def groups(content_type: str, split_type: str, strategy: str, bound: int) -> list[list[Row]]:
    """The rows of each payload."""
    if split_type == "None":
        return [list(ROWS)]
    if strategy == "SingleRecord":
        return [[row] for row in ROWS]
    made: list[list[Row]] = [[]]
    size = 0
    for row in ROWS:
        length = len(RECORD_OF[content_type](row))
        padded = (length + 3) // 4 * 4 if split_type == "RecordIO" else length
        framed = padded + FRAMING[split_type]
        if made[-1] and size + framed > bound:
            made.append([])
            size = 0
        made[-1].append(row)
        size += framed
    return made


def number(value: float) -> str:
    return repr(float(value))


def doubled(row: Row) -> str:
    return f"[{number(2 * row[0])},{number(2 * row[1])}]"


def response(accept: str, rows: list[Row]) -> bytes:
    if accept == JSON:
        return f'{{"predictions":[{",".join(map(doubled, rows))}]}}'.encode()
    if accept == LINES:
        return "".join(f"{doubled(row)}\n" for row in rows).encode()
    if accept == CSV:
        return "".join(f"{number(2 * a)},{number(2 * b)}\n" for a, b in rows).encode()
    return npy_record([(2 * a, 2 * b) for a, b in rows])


def result(accept: str, payloads: list[list[Row]], assemble_with: str) -> bytes:
    line = b"\n" if assemble_with == "Line" and accept == JSON else b""
    return b"".join(response(accept, rows) + line for rows in payloads)


# Cases.


@dataclass(frozen=True)
class Case:
    content_type: str
    split_type: str
    strategy: str
    accept: str
    assemble_with: str
    compression: str = "None"

    def __str__(self) -> str:
        short = [part.rpartition("/")[2] for part in (self.content_type, self.accept)]
        return "-".join([*short, self.split_type, self.strategy, self.assemble_with])


CONTENTS = {
    "None": (JSON, LINES, CSV, NPY, OCTETS),
    "Line": (JSON, LINES, CSV),
    "RecordIO": (JSON, CSV, NPY, OCTETS, EXAMPLE, PROTOBUF),
    "TFRecord": (JSON, CSV, NPY, OCTETS, EXAMPLE, PROTOBUF),
}
CASES = [
    Case(content_type, split_type, strategy, accept, assemble_with)
    for split_type, contents in CONTENTS.items()
    for content_type in contents
    for strategy in ("MultiRecord", "SingleRecord")
    for accept, assemble_with in itertools.product((JSON, LINES, CSV, NPY), ("None", "Line"))
    if not (accept == NPY and assemble_with == "Line")
]


def spec_of(case: Case, model: str, source: Path, output: Path, bound: int) -> TransformSpec:
    return TransformSpec(
        model=model,
        input_uri=str(source),
        output_uri=str(output),
        job_name="conformance",
        content_type=case.content_type,
        split_type=case.split_type,
        strategy=case.strategy,
        accept=case.accept,
        assemble_with=case.assemble_with,
        compression=case.compression,
        max_payload_bytes=bound,
    )


def run(spec: TransformSpec) -> bytes:
    """The result of the one object."""
    done = TransformJob(spec).run()
    assert done.status == "Completed", done.summary()
    (written,) = Path(spec.output_uri).glob("*.out")
    return written.read_bytes()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_the_service_allows(case: Case, doubling: str, tmp_path: Path) -> None:
    whole = case.split_type == "None"
    data = (
        whole_object(case.content_type)
        if whole
        else split_object(case.content_type, case.split_type)
    )
    source = tmp_path / "data"
    source.write_bytes(data)
    # Two records fit a payload of several, whatever they are.
    bound = len(data) if whole else 2 * (len(data) // len(ROWS) + 4)
    payloads = groups(case.content_type, case.split_type, case.strategy, bound)
    spec = spec_of(case, doubling, source, tmp_path / "out", bound)
    assert run(spec) == result(case.accept, payloads, case.assemble_with)


def test_payloads_have_several_records_where_they_may() -> None:
    data = split_object(CSV, "Line")
    bound = 2 * (len(data) // len(ROWS) + 4)
    sizes = [len(rows) for rows in groups(CSV, "Line", "MultiRecord", bound)]
    assert max(sizes) > 1
    assert len(sizes) > 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"content_type": NPY}, "SplitType Line cuts at line feeds"),
        ({"content_type": EXAMPLE}, "SplitType Line cuts at line feeds"),
        ({"accept": NPY, "assemble_with": "Line"}, "AssembleWith Line"),
        ({"accept": "image/png"}, "no format that results can be written in"),
        ({"content_type": "text/plain"}, "text/plain"),
        ({"data_processing": DataProcessing(input_filter="x")}, r"InputFilter"),
        ({"data_processing": DataProcessing(join_source="Input")}, "AssembleWith"),
        ({"signature": "nonsense"}, "serving_default"),
    ],
)
def test_what_the_service_refuses(
    changes: dict[str, Any], reason: str, doubling: str, tmp_path: Path
) -> None:
    (tmp_path / "data").write_bytes(b"1,2\n")
    case = Case(CSV, "Line", "MultiRecord", CSV, "None")
    spec = replace(spec_of(case, doubling, tmp_path / "data", tmp_path / "out", 100), **changes)
    with pytest.raises(InvalidArgumentError, match=reason):
        TransformJob(spec).run()
    assert not (tmp_path / "out").exists()


# Filters and joins: examples of AWS's page on data processing, with this model.


def csv_rows(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode())))


@pytest.mark.parametrize("strategy", ["MultiRecord", "SingleRecord"])
@pytest.mark.parametrize(
    ("processing", "expected"),
    [
        (DataProcessing(input_filter="$[1:2]"), ["2.0,4.0", "6.0,8.0"]),
        (
            DataProcessing(input_filter="$[1:2]", join_source="Input"),
            ["7,1,2,2.0,4.0", "8,3,4,6.0,8.0"],
        ),
        (
            DataProcessing("$[1:2]", "$[0,-1]", "Input"),
            ["7,4.0", "8,8.0"],
        ),
        (
            DataProcessing("$[1:2]", "$[0,3:]", "Input"),
            ["7,2.0,4.0", "8,6.0,8.0"],
        ),
    ],
)
def test_csv_is_filtered_and_joined(
    processing: DataProcessing,
    expected: list[str],
    strategy: str,
    doubling: str,
    tmp_path: Path,
) -> None:
    (tmp_path / "data").write_bytes(b"7,1,2\n8,3,4\n")
    case = Case(CSV, "Line", strategy, CSV, "Line")
    spec = spec_of(case, doubling, tmp_path / "data", tmp_path / "out", 1000)
    written = run(replace(spec, data_processing=processing))
    assert written == "".join(f"{row}\n" for row in expected).encode()


@pytest.mark.parametrize("strategy", ["MultiRecord", "SingleRecord"])
@pytest.mark.parametrize(
    ("processing", "expected"),
    [
        (DataProcessing(input_filter="$.features"), ["[2.0,4.0]", "[6.0,8.0]"]),
        (
            DataProcessing(input_filter="$.features", join_source="Input"),
            [
                '{"id":7,"features":[1,2],"SageMakerOutput":[2.0,4.0]}',
                '{"id":8,"features":[3,4],"SageMakerOutput":[6.0,8.0]}',
            ],
        ),
        (
            DataProcessing("$.features", "$['id','SageMakerOutput']", "Input"),
            ['{"id":7,"SageMakerOutput":[2.0,4.0]}', '{"id":8,"SageMakerOutput":[6.0,8.0]}'],
        ),
    ],
)
def test_json_lines_are_filtered_and_joined(
    processing: DataProcessing,
    expected: list[str],
    strategy: str,
    doubling: str,
    tmp_path: Path,
) -> None:
    (tmp_path / "data").write_bytes(b'{"id":7,"features":[1,2]}\n{"id":8,"features":[3,4]}\n')
    case = Case(LINES, "Line", strategy, LINES, "Line")
    spec = spec_of(case, doubling, tmp_path / "data", tmp_path / "out", 1000)
    written = run(replace(spec, data_processing=processing)).decode()
    assert list(map(json.loads, written.splitlines())) == list(map(json.loads, expected))


def test_an_input_that_is_no_object_is_joined_under_a_name(doubling: str, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"[1,2]\n")
    case = Case(LINES, "Line", "MultiRecord", LINES, "Line")
    spec = spec_of(case, doubling, tmp_path / "data", tmp_path / "out", 1000)
    written = run(replace(spec, data_processing=DataProcessing(join_source="Input")))
    assert json.loads(written) == {"SageMakerInput": [1, 2], "SageMakerOutput": [2.0, 4.0]}
