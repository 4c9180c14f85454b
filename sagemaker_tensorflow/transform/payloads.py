"""Cuts the records of an object into payloads: what one request to a model would carry."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.packed_strings import PackedStrings
from sagemaker_tensorflow.transform.records import Payload, RecordFailure
from sagemaker_tensorflow.transform.spec import MOST_PAYLOAD_MB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sagemaker_tensorflow.transform.records import InputObject, RecordChunk

# What the framing of a record adds in a request of several; RecordIO also pads to 4 bytes.
_FRAMING_BYTES = {"Line": 1, "RecordIO": 8, "TFRecord": 16}
# Of many records together, where a single one has no bound (MaxPayloadInMB 0).
_MOST_PAYLOAD_BYTES = MOST_PAYLOAD_MB << 20


@dataclass(slots=True)
class Cut:
    """What came out of one chunk.

    Attributes:
        payloads: In the object's order; the records of a payload may be of several chunks.
        failures: Records that are over the bound, and in no payload.
    """

    payloads: list[Payload] = field(default_factory=list)
    failures: list[RecordFailure] = field(default_factory=list)


class PayloadMaker:
    """Makes the payloads of one object. For one thread at a time.

    - SingleRecord, and SplitType None, where the object is the one record, with either strategy:
      every record is a payload, measured without its framing.
    - MultiRecord: as many consecutive records as fit, measured as the request that SageMaker would
      send: with framing, which is 16 bytes for TFRecord, 8 and padding to 4 for RecordIO, and the
      line feed for Line. Payloads depend on the records alone, not on how they came in chunks.

    A payload's records are consecutive: one ends before a record that failed.

    Args:
        strategy: ``"MultiRecord"`` or ``"SingleRecord"``.
        split_type: ``"None"``, ``"Line"``, ``"RecordIO"`` or ``"TFRecord"``.
        max_payload_bytes: Bound on a payload, and so on a record.

    Raises:
        InvalidArgumentError: An argument is none of these, or the bound is below 1.
    """

    def __init__(self, strategy: str, split_type: str, max_payload_bytes: int) -> None:
        if strategy not in ("MultiRecord", "SingleRecord"):
            raise InvalidArgumentError(
                f"strategy={strategy!r} is not one of MultiRecord, SingleRecord"
            )
        if split_type != "None" and split_type not in _FRAMING_BYTES:
            raise InvalidArgumentError(
                f"split_type={split_type!r} is not one of None, {', '.join(_FRAMING_BYTES)}"
            )
        if max_payload_bytes < 1:
            raise InvalidArgumentError(f"max_payload_bytes={max_payload_bytes} is below 1")
        self._multi = strategy == "MultiRecord" and split_type != "None"
        self._split_type = split_type
        self._most = max_payload_bytes
        self._payloads = 0
        # Of the payload that is not full yet.
        self._records: Any = []  # of the chunks' type, which has +=
        self._offsets: list[int] = []
        self._first = 0
        self._bytes = 0

    def add(self, chunk: RecordChunk) -> Cut:
        """Takes the next records of the object; those that fill no payload wait for more.

        Where the chunk ends the object, by a failure too, nothing waits any longer.
        """
        cut = Cut()
        if self._multi:
            self._add_many(cut, chunk)
        else:
            self._add_single(cut, chunk)
        return cut

    def _add_single(self, cut: Cut, chunk: RecordChunk) -> None:
        sizes = _lengths(chunk.records)
        failed = self._take_failures(cut, chunk, sizes, sizes)
        for start, stop in _between(failed, len(sizes)):
            for position in range(start, stop):
                self._emit(
                    cut,
                    chunk.object,
                    chunk.first_record + position,
                    [chunk.records[position]],
                    [chunk.offsets[position]],
                )

    def _add_many(self, cut: Cut, chunk: RecordChunk) -> None:
        if chunk.first_record != self._first + len(self._records):
            self._flush(cut, chunk.object)  # the reader left a record out
        lengths = _lengths(chunk.records)
        sizes = _framed(lengths, self._split_type)
        failed = self._take_failures(cut, chunk, lengths, sizes)
        ends = np.cumsum(sizes)
        for start, stop in _between(failed, len(sizes)):
            self._fill(cut, chunk, ends, start, stop)
            if stop < len(sizes):
                self._flush(cut, chunk.object)
        if chunk.ended:
            self._flush(cut, chunk.object)

    def _fill(
        self, cut: Cut, chunk: RecordChunk, ends: NDArray[np.int64], start: int, stop: int
    ) -> None:
        """Adds the chunk's records from `start` to `stop`, of which none is over the bound.

        `ends` is where each record would end if the chunk were written with its framing.
        """
        most = min(self._most, _MOST_PAYLOAD_BYTES)
        while start < stop:
            before = int(ends[start - 1]) if start else 0
            room = before + most - self._bytes
            fitting = min(int(np.searchsorted(ends, room, side="right")), stop)
            if fitting == start and not self._records:
                fitting += 1  # alone over what many may have together
            taken = chunk.records[start:fitting]
            if self._records:
                self._records += taken
            else:
                self._first = chunk.first_record + start
                self._records = taken
            self._offsets += chunk.offsets[start:fitting]
            self._bytes += int(ends[fitting - 1]) - before if fitting > start else 0
            if fitting < stop:
                self._flush(cut, chunk.object)
            start = fitting

    def _flush(self, cut: Cut, source: InputObject) -> None:
        if self._records:
            self._emit(cut, source, self._first, self._records, self._offsets)
        self._records, self._offsets, self._bytes = [], [], 0

    def _emit(
        self,
        cut: Cut,
        source: InputObject,
        first_record: int,
        records: Sequence[bytes],
        offsets: list[int],
    ) -> None:
        cut.payloads.append(Payload(source, self._payloads, first_record, records, offsets))
        self._payloads += 1

    def _take_failures(
        self,
        cut: Cut,
        chunk: RecordChunk,
        lengths: NDArray[np.int64],
        sizes: NDArray[np.int64],
    ) -> list[int]:
        """Adds the failures of records over the bound; returns where those are in the chunk."""
        failed: list[int] = np.flatnonzero(sizes > self._most).tolist()
        for position in failed:
            reason = self._too_large_reason(int(lengths[position]), int(sizes[position]))
            cut.failures.append(
                RecordFailure(chunk.first_record + position, chunk.offsets[position], reason)
            )
        return failed

    def _too_large_reason(self, length: int, size: int) -> str:
        over = f"over max_payload, which is {self._most} bytes; raise max_payload"
        if self._split_type == "None":
            return f"the object's {length} bytes are {over}, or set split_type if it holds records"
        framed = f" ({size} with {self._split_type} framing)" if size != length else ""
        return (
            f"a record of {length} bytes{framed} is {over}, or keep the other records with "
            'on_error="record"'
        )


def _lengths(records: Sequence[bytes]) -> NDArray[np.int64]:
    if isinstance(records, PackedStrings):
        return records.lengths()
    return np.fromiter(map(len, records), np.int64, len(records))


def _framed(lengths: NDArray[np.int64], split_type: str) -> NDArray[np.int64]:
    if split_type == "RecordIO":
        lengths = (lengths + 3) & ~3
    return lengths + _FRAMING_BYTES[split_type]


def _between(failed: list[int], count: int) -> list[tuple[int, int]]:
    """The ranges of `count` positions that `failed` leaves; one may be empty."""
    return [(before + 1, after) for before, after in pairwise([-1, *failed, count])]
