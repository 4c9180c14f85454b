"""Instances as rows of plain values, which become one batch at once or record by record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.decoders.decoder import RecordTensors, failure_of, merged
from sagemaker_tensorflow.transform.records import Decoded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from sagemaker_tensorflow.transform.records import Payload
    from sagemaker_tensorflow.transform.signatures import TensorSpec

    # One array per input of any number of rows; raises BadRecordError.
    Batcher = Callable[[Sequence[Any]], Sequence[NDArray[Any]]]


@dataclass(frozen=True, slots=True)
class RecordRows:
    """A record, parsed.

    Attributes:
        rows: One for each instance, of what the decoder has for a row.
        original: What a join joins the result to.
    """

    rows: Sequence[Any]
    original: Any


def decoded_rows(
    payload: Payload,
    specs: Sequence[TensorSpec],
    records: Sequence[RecordRows | BadRecordError],
    batcher: Batcher,
    *,
    joins: bool,
) -> Decoded:
    """Makes a batch of a payload's rows: all at once when all are good, which is much faster.

    Args:
        payload: Where the records are from.
        specs: Of the batch's tensors, in their order.
        records: One for each record of the payload.
        batcher: Makes tensors of rows.
        joins: Keep the originals.
    """
    good = [record for record in records if isinstance(record, RecordRows)]
    try:
        tensors = batcher([row for record in good for row in record.rows])
    except BadRecordError:
        return _one_by_one(payload, specs, records, batcher, joins=joins)
    return Decoded(
        inputs={spec.name: tensor for spec, tensor in zip(specs, tensors, strict=True)},
        counts=[len(record.rows) if isinstance(record, RecordRows) else 0 for record in records],
        failures=[
            failure_of(payload, position, record)
            for position, record in enumerate(records)
            if isinstance(record, BadRecordError)
        ],
        originals=[record.original for record in good] if joins else [],
    )


def _one_by_one(
    payload: Payload,
    specs: Sequence[TensorSpec],
    records: Sequence[RecordRows | BadRecordError],
    batcher: Batcher,
    *,
    joins: bool,
) -> Decoded:
    decoded = merged(payload, specs, [_tensors(record, batcher) for record in records])
    if joins:
        failed = {failure.record - payload.first_record for failure in decoded.failures}
        decoded.originals = [
            record.original
            for position, record in enumerate(records)
            if position not in failed and isinstance(record, RecordRows)
        ]
    return decoded


def _tensors(
    record: RecordRows | BadRecordError, batcher: Batcher
) -> RecordTensors | BadRecordError:
    if isinstance(record, BadRecordError):
        return record
    try:
        return RecordTensors(batcher(record.rows), len(record.rows))
    except BadRecordError as error:
        return error
