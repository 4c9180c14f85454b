"""Payloads and signatures for the decoders' tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from sagemaker_tensorflow.transform.decoders import Decoder, make_decoder
from sagemaker_tensorflow.transform.records import Decoded, InputObject, Payload
from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec
from sagemaker_tensorflow.transform.spec import DataProcessing

OBJECT = InputObject(0, "s3://b/k", "k", "k", 1 << 20, '"e"')
# Not 0 and not the lengths of records, so that neither can be mistaken for what is right.
FIRST_RECORD = 40
OFFSET_STEP = 1000


def tensor(name: str, dtype: str, *instance_shape: int | None) -> TensorSpec:
    """An input or output with an open batch dimension."""
    kind: Any = "string" if dtype == "string" else np.dtype(dtype)
    return TensorSpec(name, kind, (None, *instance_shape))


def signature(*inputs: TensorSpec) -> Signature:
    return Signature("serving_default", inputs, (tensor("out", "float32"),))


def payload(*records: bytes) -> Payload:
    offsets = [OFFSET_STEP * (FIRST_RECORD + i) for i in range(len(records))]
    return Payload(OBJECT, 3, FIRST_RECORD, list(records), offsets)


def decoder(
    content_type: str, inputs: Signature, processing: DataProcessing | None = None
) -> Decoder:
    return make_decoder(
        content_type,
        inputs,
        split_type="Line",
        strategy="MultiRecord",
        data_processing=processing or DataProcessing(),
    )


def failed(decoded: Decoded) -> dict[int, str]:
    """Reasons by the position of the record in the payload; checks what must hold besides."""
    positions = {failure.record - FIRST_RECORD: failure for failure in decoded.failures}
    assert len(positions) == len(decoded.failures)
    for position, failure in positions.items():
        assert failure.offset == OFFSET_STEP * failure.record
        assert "\n" not in failure.reason
        assert decoded.counts[position] == 0
    for array in decoded.inputs.values():
        assert len(array) == decoded.instances
    return {position: failure.reason for position, failure in positions.items()}
