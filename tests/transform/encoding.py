"""What the tests of encoders have in common: signatures, payloads and their results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sagemaker_tensorflow.transform.encoders import Encoder, Response
from sagemaker_tensorflow.transform.records import Decoded, InputObject, Payload
from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec

OBJECT = InputObject(0, "s3://bucket/key", "key", "key", 100, '"etag"')


def spec_of(name: str, values: NDArray[Any]) -> TensorSpec:
    """An output of the array's type, with fixed sizes but for the batch."""
    dtype: Any = "string" if values.dtype == object else values.dtype
    return TensorSpec(name, dtype, (None, *values.shape[1:]))


def signature_of(outputs: Mapping[str, NDArray[Any]]) -> Signature:
    specs = tuple(spec_of(name, values) for name, values in outputs.items())
    return Signature("serving_default", (), specs)


def strings(*values: Any) -> NDArray[Any]:
    """An array of the bytes of strings; lists make dimensions."""
    return np.array(values, object)


def floats(*values: Any) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def ragged(*instances: Any) -> NDArray[Any]:
    """An output whose instances, float32 or of strings, have different shapes."""
    values = np.empty(len(instances), object)
    for number, instance in enumerate(instances):
        array = np.array(instance, object)
        is_text = isinstance(array.ravel()[0], bytes)
        values[number] = array if is_text else array.astype(np.float32)
    return values


def payload_of(records: int, *, first_record: int = 0, index: int = 0) -> Payload:
    offsets = [10 * (first_record + position) for position in range(records)]
    return Payload(OBJECT, index, first_record, [b"record"] * records, offsets)


def encode(
    encoder: Encoder,
    outputs: Mapping[str, NDArray[Any]],
    *,
    counts: Sequence[int] | None = None,
    originals: Sequence[Any] = (),
) -> Response:
    """The response to a first payload; without `counts` every instance is a record."""
    if counts is None:
        counts = [1] * len(next(iter(outputs.values())))
    decoded = Decoded({}, counts, originals=originals)
    return encoder.new_object().encode(payload_of(len(counts)), decoded, outputs)
