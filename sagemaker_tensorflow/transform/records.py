"""What flows through a transform job, from objects to results.

An object is cut into records; consecutive records make a payload, which is what one request to a
model carries in SageMaker and what one response answers; a payload is decoded into instances, the
rows that a model takes. Batches for the model are made of instances of any payloads; results go
back to the payload that they belong to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class InputObject:
    """One object to transform.

    Attributes:
        index: Its number in the job's input, from 0; results are written in any order of objects.
        uri: ``s3://bucket/key``, or ``file:///path``.
        name: The S3 key without its bucket, or the path: what it is fetched by.
        relative: What its result is named after; see `output_keys`.
        size: In bytes, as it is stored.
        etag: As S3 gives it, with its quotes; of a local file, what changes when the file does.
    """

    index: int
    uri: str
    name: str
    relative: str
    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class RecordChunk:
    """Consecutive records of one object.

    Attributes:
        first_record: Number of the first of them in the object, from 0.
        records: Their payloads, without framing.
        offsets: Where each begins, framing included, in the decompressed object, in bytes.
        ended: Nothing of the object follows.
        failure: Why the object cannot be read any further; then `ended` is true.
    """

    object: InputObject
    first_record: int
    records: Sequence[bytes]
    offsets: Sequence[int]
    ended: bool
    failure: Exception | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """The records of one request, all of one object.

    Attributes:
        index: Its number in the object, from 0.
    """

    object: InputObject
    index: int
    first_record: int
    records: Sequence[bytes]
    offsets: Sequence[int]


@dataclass(frozen=True, slots=True)
class RecordFailure:
    """A record that has no result.

    Attributes:
        record: Its number in the object, from 0.
        offset: Where it begins in the decompressed object, in bytes.
        reason: One line, for users.
    """

    record: int
    offset: int
    reason: str


@dataclass(slots=True)
class Decoded:
    """A payload as a model takes it.

    Attributes:
        inputs: An array for each of the signature's inputs, with one entry per instance.
        counts: How many instances each record of the payload gave, 0 for one that failed. A record
            is one instance, but for documents that hold several.
        failures: Records that cannot be decoded; they are not in `inputs`.
        originals: Of each record that did not fail, in order, what `JoinSource` joins: the parsed
            JSON value, or a CSV row as a list of texts. Empty where nothing is joined.
    """

    inputs: Mapping[str, NDArray[Any]]
    counts: Sequence[int]
    failures: Sequence[RecordFailure] = ()
    originals: Sequence[Any] = field(default_factory=list)

    @property
    def instances(self) -> int:
        """How many there are."""
        return sum(self.counts)


# One array per output of the signature, each with one entry per instance.
Outputs = Mapping[str, "np.ndarray[Any, Any]"]
