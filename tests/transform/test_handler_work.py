"""Whole jobs with an ``inference.py``."""

from __future__ import annotations

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


def test_filters_are_refused(doubling: str, tmp_path: Path) -> None:
    spec = spec_of(CSV_SCRIPT, doubling, b"1,2\n", tmp_path)
    with pytest.raises(InvalidArgumentError, match="do not go together"):
        run(replace(spec, data_processing=DataProcessing(join_source="Input")))
