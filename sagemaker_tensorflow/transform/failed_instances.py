"""Takes out of a payload what the model had no answer for."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate

import numpy as np

from sagemaker_tensorflow.transform.batches import InstancesFailedError
from sagemaker_tensorflow.transform.records import Decoded, Outputs, Payload, RecordFailure


def without_failed(
    payload: Payload, decoded: Decoded, failed: InstancesFailedError
) -> tuple[Decoded, Outputs, list[RecordFailure]]:
    """What is left of a payload of which some instances failed.

    A record of which one instance failed has no result, whatever became of its others.

    Returns:
        The payload without the records that failed, the outputs of its instances, and why the
        records failed, in their order.
    """
    ends = list(accumulate(decoded.counts))
    reasons: dict[int, Exception] = {}
    for instance, error in sorted(failed.failures.items()):
        record = int(np.searchsorted(ends, instance, side="right"))
        reasons.setdefault(record, error)
    record_of = np.repeat(np.arange(len(decoded.counts)), decoded.counts)
    answered = np.delete(np.arange(len(record_of)), list(failed.failures))
    keep = ~np.isin(record_of[answered], list(reasons))
    outputs = {name: values[keep] for name, values in failed.outputs.items()}
    return _left(decoded, reasons), outputs, _failures(payload, reasons)


def all_failed(payload: Payload, decoded: Decoded, error: Exception) -> list[RecordFailure]:
    """The failures of all records that were still good."""
    good = (record for record, count in enumerate(decoded.counts) if count)
    return _failures(payload, dict.fromkeys(good, error))


def _left(decoded: Decoded, reasons: Mapping[int, Exception]) -> Decoded:
    counts = [0 if record in reasons else count for record, count in enumerate(decoded.counts)]
    good = [record for record, count in enumerate(decoded.counts) if count]
    originals = [
        original
        for record, original in zip(good, decoded.originals, strict=False)
        if record not in reasons
    ]
    # The model has had the inputs; nobody asks for them any more.
    return Decoded({}, counts, decoded.failures, originals)


def _failures(payload: Payload, reasons: Mapping[int, Exception]) -> list[RecordFailure]:
    return [
        RecordFailure(
            payload.first_record + record,
            payload.offsets[record],
            f"the model: {type(error).__name__}: {error}",
        )
        for record, error in sorted(reasons.items())
    ]
