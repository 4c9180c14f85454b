from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from sagemaker_tensorflow.transform.compatibility import refusals
from sagemaker_tensorflow.transform.encoders.media_types import MEDIA_TYPES
from sagemaker_tensorflow.transform.signatures import Signature
from sagemaker_tensorflow.transform.spec import TransformSpec

from .encoding import floats, signature_of, strings

ONE = signature_of({"v": floats([1, 2])})
TWO = signature_of({"v": floats([1, 2]), "name": strings(b"a")})
TEXT = signature_of({"v": strings(b"a")})
COMPLEX = signature_of({"v": np.array([1j])})

TEXT_RECORDS = ["application/json", "application/jsonlines", "text/csv"]
BINARY_RECORDS = [
    "application/x-tfexample",
    "application/x-npy",
    "application/x-image",
    "application/x-recordio-protobuf",
    "image/jpeg",
]
ANY_RECORDS = ["application/octet-stream", ""]
TEXT_RESULTS = ["", "application/json", "application/jsonlines", "text/csv"]
BINARY_RESULTS = ["application/x-npy", "application/x-tfrecord", "application/x-parquet"]


def spec_of(**fields: Any) -> TransformSpec:
    return TransformSpec("model", "s3://in/", "s3://out/", **fields)


@pytest.mark.parametrize("accept", [*TEXT_RESULTS, *BINARY_RESULTS])
@pytest.mark.parametrize("assemble_with", ["None", "Line"])
@pytest.mark.parametrize("split_type", ["None", "Line", "RecordIO", "TFRecord"])
def test_every_combination(split_type: str, assemble_with: str, accept: str) -> None:
    content_types = [*TEXT_RECORDS, *BINARY_RECORDS, *ANY_RECORDS]
    for content_type, strategy, compression in product(
        content_types, ["MultiRecord", "SingleRecord"], ["None", "Gzip"]
    ):
        spec = spec_of(
            split_type=split_type,
            strategy=strategy,
            content_type=content_type,
            assemble_with=assemble_with,
            accept=accept,
            compression=compression,
        )
        expected = []
        if split_type == "Line" and content_type in BINARY_RECORDS:
            expected.append("SplitType Line cuts at line feeds, which ContentType")
        if assemble_with == "Line" and accept in BINARY_RESULTS:
            expected.append("AssembleWith Line puts line feeds between results")
        found = refusals(spec, ONE)
        assert len(found) == len(expected), spec
        assert all(map(str.startswith, found, expected)), spec


@pytest.mark.parametrize(
    ("signature", "accept", "reason"),
    [
        (ONE, "application/xml", "accept='application/xml' is no format"),
        (TWO, "application/x-npy", "signature serving_default has 2 outputs: v, name"),
        (TEXT, "application/x-npy", "has strings"),
        (COMPLEX, "", "has complex numbers"),
        (COMPLEX, "application/x-tfrecord", "does not fit in a tf.train.Example"),
        (COMPLEX, "application/x-parquet", "makes no Parquet column"),
    ],
)
def test_results_that_the_format_cannot_hold(
    signature: Signature, accept: str, reason: str
) -> None:
    (found,) = refusals(spec_of(accept=accept), signature)
    assert reason in found


@pytest.mark.parametrize("signature", [ONE, TWO])
@pytest.mark.parametrize("accept", [name for name in MEDIA_TYPES if name != "application/x-npy"])
def test_results_that_it_can(signature: Signature, accept: str) -> None:
    assert refusals(spec_of(accept=accept), signature) == []


def test_every_reason_is_told() -> None:
    spec = spec_of(
        split_type="Line",
        content_type="Image/PNG; q=1",
        accept="application/x-parquet",
        assemble_with="Line",
    )
    assert refusals(spec, ONE) == [
        "SplitType Line cuts at line feeds, which ContentType Image/PNG; q=1 may hold anywhere;"
        " use SplitType None, with one image to an object",
        "AssembleWith Line puts line feeds between results, which breaks Accept"
        " application/x-parquet; use AssembleWith None",
    ]


def test_the_job_of_the_service_own_example() -> None:
    """The TFRecord notebook of amazon-sagemaker-examples, sagemaker_batch_transform."""
    spec = spec_of(
        split_type="TFRecord",
        strategy="SingleRecord",
        content_type="application/x-tfexample",
        max_payload_bytes=1 << 20,
        max_concurrent_transforms=64,
        assemble_with="Line",
    )
    assert refusals(spec, TWO) == []


def test_handlers_take_and_give_what_they_like() -> None:
    spec = spec_of(content_type="image/jpeg", split_type="Line", accept="application/xml")
    assert refusals(spec, None) == []
