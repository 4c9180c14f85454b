from __future__ import annotations

import subprocess
import sys

import pytest

from sagemaker_tensorflow.errors import FailedPreconditionError, InvalidArgumentError
from sagemaker_tensorflow.transform.data_processing import ResultProcessor
from sagemaker_tensorflow.transform.encoders import make_encoder
from sagemaker_tensorflow.transform.encoders.media_types import MEDIA_TYPES, canonical_media_type
from sagemaker_tensorflow.transform.signatures import Signature
from sagemaker_tensorflow.transform.spec import DataProcessing

from .encoding import encode, floats, signature_of

OUTPUTS = {"v": floats(0.5)}


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        *((name, name) for name in MEDIA_TYPES),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("Application/JSON; verbose=true", "application/json"),
        ("application/x-ndjson", "application/jsonlines"),
        ("application/x-tfexample", "application/x-tfrecord"),
        ("application/vnd.apache.parquet", "application/x-parquet"),
    ],
)
def test_names_of_formats(accept: str, media_type: str) -> None:
    assert canonical_media_type(accept) == media_type
    made = make_encoder(accept, signature_of(OUTPUTS), split_type="Line")
    named = make_encoder(media_type, signature_of(OUTPUTS), split_type="Line")
    assert encode(made, OUTPUTS) == encode(named, OUTPUTS)


@pytest.mark.parametrize("accept", ["application/xml", "json", "text/plain; application/json"])
def test_unknown_formats(accept: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"there are application/json, .*x-parquet"):
        make_encoder(accept, signature_of(OUTPUTS), split_type="Line")


def test_a_signature_without_outputs() -> None:
    with pytest.raises(InvalidArgumentError, match="signature train has no outputs"):
        make_encoder("", Signature("train", (), ()), split_type="Line")


@pytest.mark.parametrize("accept", [MEDIA_TYPES[3], MEDIA_TYPES[4], MEDIA_TYPES[5]])
def test_binary_formats_cannot_be_joined(accept: str) -> None:
    processor = ResultProcessor(DataProcessing(join_source="Input"), accept)
    with pytest.raises(InvalidArgumentError, match="cannot be joined or filtered"):
        make_encoder(accept, signature_of(OUTPUTS), split_type="Line", processor=processor)


def test_parquet_without_pyarrow_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for name in ("parquet_encoder", "parquet_columns"):
        monkeypatch.delitem(
            sys.modules, f"sagemaker_tensorflow.transform.encoders.{name}", raising=False
        )
    with pytest.raises(FailedPreconditionError, match=r"sagemaker-tensorflow\[parquet\]"):
        make_encoder("application/x-parquet", signature_of(OUTPUTS), split_type="Line")


def test_importing_loads_neither_tensorflow_nor_pyarrow() -> None:
    program = (
        "import sys, sagemaker_tensorflow.transform.compatibility\n"
        "print([name for name in ('tensorflow', 'pyarrow') if name in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.strip() == "[]"
