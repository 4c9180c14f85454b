"""What a decoder is, and how it reports records that are bad."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.decoders.tensors import no_instances
from sagemaker_tensorflow.transform.records import Decoded, Payload, RecordFailure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sagemaker_tensorflow.transform.signatures import TensorSpec

_MOST_REASON = 500


class Decoder(Protocol):
    """Makes instances of records. Any number of threads may use one at a time."""

    def decode(self, payload: Payload) -> Decoded:
        """Decodes a payload. Bad records are failures of the result, never an exception."""


@dataclass(frozen=True, slots=True)
class RecordTensors:
    """One record, decoded.

    Attributes:
        tensors: Of each input in the signature's order, of shape ``[count, ...]``.
        count: How many instances the record holds.
    """

    tensors: Sequence[NDArray[Any]]
    count: int


def failure_of(payload: Payload, position: int, error: Exception) -> RecordFailure:
    """Reports that the record at `position` of a payload is bad."""
    reason = " ".join(str(error).split()) or type(error).__name__
    return RecordFailure(
        record=payload.first_record + position,
        offset=payload.offsets[position],
        reason=reason[:_MOST_REASON],
    )


def merged(
    payload: Payload,
    specs: Sequence[TensorSpec],
    results: Sequence[RecordTensors | BadRecordError],
) -> Decoded:
    """Puts the records of a payload together.

    Sizes that the signature leaves open are those of the first good record: arrays of other sizes
    do not go into one batch, so the records that have them fail.

    Args:
        payload: Where the records are from.
        specs: Of the tensors, in their order.
        results: One for each record.
    """
    counts: list[int] = []
    failures: list[RecordFailure] = []
    good: list[RecordTensors] = []
    for position, result in enumerate(results):
        if good and isinstance(result, RecordTensors):
            result = _of_same_sizes(result, good[0], specs)
        if isinstance(result, RecordTensors):
            good.append(result)
            counts.append(result.count)
        else:
            failures.append(failure_of(payload, position, result))
            counts.append(0)
    return Decoded(inputs=_concatenated(specs, good), counts=counts, failures=failures)


def _of_same_sizes(
    result: RecordTensors, first: RecordTensors, specs: Sequence[TensorSpec]
) -> RecordTensors | BadRecordError:
    for spec, tensor, model in zip(specs, result.tensors, first.tensors, strict=True):
        if tensor.shape[1:] != model.shape[1:]:
            return BadRecordError(
                f"input {spec.name!r} is of shape {list(tensor.shape[1:])}, and"
                f" {list(model.shape[1:])} in other records of the payload, which cannot be one"
                " batch; use BatchStrategy SingleRecord, or records of one shape"
            )
    return result


def _concatenated(
    specs: Sequence[TensorSpec], good: Sequence[RecordTensors]
) -> Mapping[str, NDArray[Any]]:
    if not good:
        return {spec.name: no_instances(spec) for spec in specs}
    columns = zip(*(record.tensors for record in good), strict=True)
    return {
        spec.name: column[0] if len(column) == 1 else np.concatenate(column)
        for spec, column in zip(specs, columns, strict=True)
    }
