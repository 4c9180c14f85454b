from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.decoders import default_content_type, make_decoder
from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec
from sagemaker_tensorflow.transform.spec import DataProcessing
from tests.transform.decoding import decoder, payload, signature, tensor

NUMBERS = signature(tensor("x", "float32", 2))
BYTES = signature(tensor("data", "string"))
STRINGS = signature(tensor("words", "string", 3))
TWO = signature(tensor("a", "string"), tensor("b", "string"))


@pytest.mark.parametrize(
    ("inputs", "split_type", "expected"),
    [
        (NUMBERS, "TFRecord", "application/x-tfexample"),
        (BYTES, "TFRecord", "application/x-tfexample"),
        (NUMBERS, "Line", "application/jsonlines"),
        (BYTES, "Line", "application/jsonlines"),
        (NUMBERS, "None", "application/json"),
        (STRINGS, "None", "application/json"),
        (TWO, "None", "application/json"),
        (BYTES, "None", "application/octet-stream"),
        (NUMBERS, "RecordIO", "application/x-recordio-protobuf"),
        (BYTES, "RecordIO", "application/octet-stream"),
    ],
)
def test_default(inputs: Signature, split_type: str, expected: str) -> None:
    assert default_content_type(inputs, split_type) == expected


def test_no_content_type_is_the_default() -> None:
    made = make_decoder(
        "",
        BYTES,
        split_type="None",
        strategy="SingleRecord",
        data_processing=DataProcessing(),
    )
    assert made.decode(payload(b"\0")).inputs["data"].tolist() == [b"\0"]


@pytest.mark.parametrize("parameters", ["; charset=utf-8", ';charset="UTF-8"', ";label_size=0"])
def test_parameters_and_case_do_not_count(parameters: str) -> None:
    decode = decoder(f"Application/JSON{parameters}", NUMBERS).decode
    assert decode(payload(b"[1, 2]")).inputs["x"].tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("content_type", "inputs", "reason"),
    [
        ("application/xml", NUMBERS, "no decoder for ContentType 'application/xml', only for"),
        ("text/csv; charset=latin-1", NUMBERS, "texts are read as UTF-8 and nothing else"),
        ("application/x-npy", TWO, "fills one input, but the signature 'serving_default' has 2"),
        ("application/octet-stream", TWO, "fills one input"),
        ("image/png", TWO, "fills one input"),
        ("application/octet-stream", STRINGS, "gives one byte string per record; input words"),
        ("application/json", Signature("s", (), ()), "'s' has no inputs"),
        (
            "application/json",
            signature(TensorSpec("x", np.dtype("int8"), ())),
            "input x: int8 [] has no dimension for a batch",
        ),
    ],
)
def test_refused(content_type: str, inputs: Signature, reason: str) -> None:
    with pytest.raises(InvalidArgumentError) as error:
        decoder(content_type, inputs)
    assert reason in str(error.value)


def test_tensorflow_is_imported_only_for_what_needs_it() -> None:
    code = """
import sys
from tests.transform.decoding import decoder, payload, signature, tensor
numbers = signature(tensor("x", "float32", 2))
for content_type in ("application/json", "text/csv", "application/x-npy",
                     "application/octet-stream", "application/x-recordio-protobuf"):
    decoder(content_type, numbers).decode(payload(b"1,2"))
decoder("application/x-tfexample", signature(tensor("x", "string"))).decode(payload(b"1"))
sys.exit("tensorflow" in sys.modules)
"""
    root = Path(__file__).parents[2]
    run = subprocess.run([sys.executable, "-c", code], cwd=root, timeout=60, check=False)
    assert run.returncode == 0
