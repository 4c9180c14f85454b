"""Whole jobs with an ``inference.py``."""

from __future__ import annotations

import json
import shutil
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from sagemaker_tensorflow._core import encode_record
from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.job import JobResult, TransformJob
from sagemaker_tensorflow.transform.spec import DataProcessing, TransformSpec

CSV_SCRIPT = """
import json

def input_handler(data, context):
    assert context.request_content_type == "text/csv"
    lines = data.read().decode().splitlines()
    return json.dumps({"instances": [[float(v) for v in line.split(",")] for line in lines]})

def output_handler(response, context):
    rows = response.json()["predictions"]
    return ";".join(",".join(map(str, row)) for row in rows), context.accept_header
"""

# Nothing of the model's: what the script was given, in hexadecimal digits.
ECHO_SCRIPT = """
import time

def handler(data, context):
    body = data.read()
    time.sleep(0.05 if len(body) % 2 else 0)  # some answers come later than the next ones
    return body.hex(), "text/plain"
"""

FAILING_SCRIPT = """
def handler(data, context):
    body = data.read().decode()
    if "bad" in body:
        raise ValueError(f"no number in {body!r}")
    return body.strip() + "!", "text/plain"
"""


def spec_of(script: str, model: str, data: bytes, folder: Path) -> TransformSpec:
    shutil.copytree(model, folder / "model" / "1")
    (folder / "model" / "code").mkdir()
    (folder / "model" / "code" / "inference.py").write_text(script)
    (folder / "data").write_bytes(data)
    return TransformSpec(
        model=str(folder / "model"),
        input_uri=str(folder / "data"),
        output_uri=str(folder / "out"),
        job_name="handlers",
        content_type="text/csv",
        split_type="Line",
        assemble_with="Line",
        max_retries=0,
    )


def run(spec: TransformSpec) -> tuple[JobResult, bytes]:
    done = TransformJob(spec).run()
    written = [path.read_bytes() for path in Path(spec.output_uri).glob("*.out")]
    return done, b"".join(written)


def test_handlers_around_the_model(doubling: str, tmp_path: Path) -> None:
    spec = spec_of(CSV_SCRIPT, doubling, b"1,2\n3,4\n5,6\n", tmp_path)
    done, written = run(replace(spec, max_payload_bytes=8))
    assert (done.status, done.records) == ("Completed", 3)
    assert written == b"2.0,4.0;6.0,8.0\n10.0,12.0\n"


@pytest.mark.parametrize("strategy", ["MultiRecord", "SingleRecord"])
@pytest.mark.parametrize("split_type", ["Line", "RecordIO", "TFRecord"])
def test_a_script_gets_what_sagemaker_sends(
    split_type: str, strategy: str, doubling: str, tmp_path: Path
) -> None:
    records = [struct.pack("<2f", number, 2) for number in range(3)]
    framing = "TextLine" if split_type == "Line" else split_type
    framed = [encode_record(framing, record) for record in records]
    spec = spec_of(ECHO_SCRIPT, doubling, b"".join(framed), tmp_path)
    done, written = run(replace(spec, split_type=split_type, strategy=strategy))
    bodies = [b"".join(framed)] if strategy == "MultiRecord" else records
    assert done.status == "Completed"
    assert written == b"".join(body.hex().encode() + b"\n" for body in bodies)


def test_answers_stay_in_order_when_several_are_made_at_a_time(
    doubling: str, tmp_path: Path
) -> None:
    records = [b"x" * (number % 7 + 1) for number in range(40)]
    spec = spec_of(ECHO_SCRIPT, doubling, b"".join(r + b"\n" for r in records), tmp_path)
    _, written = run(replace(spec, strategy="SingleRecord", max_concurrent_transforms=4))
    assert written.split() == [record.hex().encode() for record in records]


@pytest.mark.parametrize("on_error", ["object", "record"])
def test_a_script_that_raises_fails_its_payload(
    on_error: str, doubling: str, tmp_path: Path
) -> None:
    spec = spec_of(FAILING_SCRIPT, doubling, b"1\nbad\n3\n", tmp_path)
    done, written = run(replace(spec, strategy="SingleRecord", on_error=on_error))
    assert "no number in 'bad'" in done.failures[0].reasons[0]
    if on_error == "object":
        assert (done.status, written) == ("Failed", b"")
    else:
        assert (done.status, written) == ("CompletedWithErrors", b"1!\n3!\n")


def test_csv_is_filtered_and_joined(doubling: str, tmp_path: Path) -> None:
    """The script knows nothing of the column in front; its answer is a row for each record."""
    script = CSV_SCRIPT.replace('";".join', '"\\n".join')
    spec = spec_of(script, doubling, b"a,1,2\nb,3,4\nc,5,6\n", tmp_path)
    processing = DataProcessing("$[1:]", "$[0,3:]", "Input")
    spec = replace(spec, accept="text/csv", data_processing=processing, max_payload_bytes=12)
    done, written = run(spec)
    assert (done.status, done.records) == ("Completed", 3)
    assert written == b"a,2.0,4.0\nb,6.0,8.0\nc,10.0,12.0\n"


@pytest.mark.parametrize(
    ("on_error", "kept"), [("object", ""), ("record", '{"id":1,"SageMakerOutput":3.0}\n')]
)
def test_bad_records_beside_a_join(on_error: str, kept: str, doubling: str, tmp_path: Path) -> None:
    """The second record has no features, the third no result and the fourth two."""
    script = """
import json
def handler(data, context):
    results = {3: [], 4: [8.0, 8.0]}
    features = [json.loads(line)[0] for line in data.read().splitlines()]
    answers = [answer for number in features for answer in results.get(number, [3.0 * number])]
    return "\\n".join(map(json.dumps, answers)), context.accept_header
"""
    lines = [b'{"id":1,"features":[1]}', b'{"id":2}', b'{"features":[3]}', b'{"features":[4]}']
    spec = replace(
        spec_of(script, doubling, b"\n".join(lines), tmp_path),
        content_type="application/jsonlines",
        accept="application/jsonlines",
        strategy="SingleRecord",
        on_error=on_error,
        data_processing=DataProcessing("$.features", "$['id','SageMakerOutput']", "Input"),
    )
    done, written = run(spec)
    assert written.decode() == kept
    assert done.status == ("CompletedWithErrors" if kept else "Failed")
    assert "InputFilter: JSONPath $.features" in done.failures[0].reasons[0]
    if kept:
        (kept_errors,) = (tmp_path / "out").glob("*.errors.jsonl")
        errors = [json.loads(line) for line in kept_errors.read_text().splitlines()]
        assert [error["record"] for error in errors] == [1, 2, 3]
        assert ["inference.py answered 0" in error["reason"] for error in errors] == [
            False,
            True,
            False,
        ]
        assert "for 1 of them inference.py answered 2" in errors[2]["reason"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"accept": "application/json"}, "they must be the same"),
        ({"accept": "text/csv", "split_type": "TFRecord"}, "SplitType is 'TFRecord'"),
        ({"accept": "text/plain", "content_type": "text/plain"}, "must be one of text/csv"),
    ],
)
def test_filters_that_cannot_be_are_refused(
    changes: dict[str, str], reason: str, doubling: str, tmp_path: Path
) -> None:
    spec = spec_of(CSV_SCRIPT, doubling, b"1,2\n", tmp_path)
    join = DataProcessing(join_source="Input")
    with pytest.raises(InvalidArgumentError, match=reason):
        run(replace(spec, data_processing=join, **changes))  # type: ignore[arg-type]
