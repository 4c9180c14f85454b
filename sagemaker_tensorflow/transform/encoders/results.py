"""Results by record: which instances belong to it, what was joined, what failed."""

from __future__ import annotations

from itertools import accumulate, repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.decoders.decoder import failure_of
from sagemaker_tensorflow.transform.records import Decoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sagemaker_tensorflow.transform.data_processing import ResultProcessor
    from sagemaker_tensorflow.transform.records import Outputs, Payload, RecordFailure


def has_one_each(decoded: Decoded) -> bool:
    """Every record is one instance, and none failed."""
    return decoded.counts.count(1) == len(decoded.counts)


def by_record(decoded: Decoded, instances: Sequence[Any]) -> list[Sequence[Any]]:
    """The instances of each record that did not fail."""
    ends = accumulate(decoded.counts)
    return [
        instances[end - count : end]
        for count, end in zip(decoded.counts, ends, strict=True)
        if count
    ]


def process_results(
    processor: ResultProcessor, payload: Payload, decoded: Decoded, results: Iterable[Any]
) -> tuple[list[Any], list[RecordFailure]]:
    """Joins and filters what there is for each record that did not fail.

    Returns:
        The new results, and the records for which there is none.
    """
    positions = [position for position, count in enumerate(decoded.counts) if count]
    originals = decoded.originals or repeat(None, len(positions))
    processed = []
    failures = []
    for position, original, result in zip(positions, originals, results, strict=True):
        try:
            processed.append(processor.apply_one(original, result))
        except BadRecordError as error:
            failures.append(failure_of(payload, position, error))
    return processed, failures


def all_failed(payload: Payload, decoded: Decoded, error: BadRecordError) -> list[RecordFailure]:
    """The failures of all records that did not fail before, for the same reason."""
    positions = (position for position, count in enumerate(decoded.counts) if count)
    return [failure_of(payload, position, error) for position in positions]


def without_instances(
    payload: Payload, decoded: Decoded, outputs: Outputs, errors: Mapping[int, BadRecordError]
) -> tuple[Decoded, Outputs, list[RecordFailure]]:
    """Leaves out the records of instances that have an error, by the instance's number.

    Returns:
        What is left of `decoded`, without its originals, and of `outputs`; the records left out.
    """
    record_of = np.repeat(np.arange(len(decoded.counts)), decoded.counts)
    bad: dict[int, BadRecordError] = {}
    for instance, error in sorted(errors.items()):
        bad.setdefault(int(record_of[instance]), error)
    keep = ~np.isin(record_of, list(bad))
    counts = [0 if position in bad else count for position, count in enumerate(decoded.counts)]
    left = {name: values[keep] for name, values in outputs.items()}
    failures = [failure_of(payload, position, error) for position, error in bad.items()]
    return Decoded({}, counts), left, failures
