"""What all encoders are: results of a model in, bytes of a format out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sagemaker_tensorflow.transform.records import Decoded, Outputs, Payload, RecordFailure


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to one payload.

    Attributes:
        body: Empty if no record of the payload has a result, and for a format whose bytes come
            later, such as Parquet's.
        failures: Records whose results cannot be joined, filtered or written. They are not in it.
    """

    body: bytes
    failures: Sequence[RecordFailure] = ()


class ObjectEncoder(ABC):
    """Encodes the results of one object."""

    @abstractmethod
    def encode(self, payload: Payload, decoded: Decoded, outputs: Outputs) -> Response:
        """Encodes the results of a payload. Records that failed are left out.

        Calls may come from several threads at once and in any order, unless the encoder's
        `is_sequential` says that the payloads of an object have to come one after the other.

        Args:
            payload: The next one of the object.
            decoded: The same, decoded.
            outputs: What the model gave for it, with an entry for each of `decoded.instances`.
                They may be `ragged`.
        """

    def end(self) -> bytes:
        """What the object ends with, after its last response; nothing for most formats."""
        return b""


class Encoder(ABC):
    """Encodes results for one Accept; any number of threads may use it.

    Attributes:
        ends_lines: Every response already ends in a line feed.
        is_text: A line feed between responses does no harm.
        is_sequential: The payloads of an object have to be encoded in their order.
    """

    ends_lines: bool = False
    is_text: bool = False
    is_sequential: bool = False

    @abstractmethod
    def new_object(self) -> ObjectEncoder:
        """Begins the results of an object."""


class StatelessEncoder(Encoder, ObjectEncoder):
    """An encoder that needs to know nothing of an object's other payloads."""

    def new_object(self) -> ObjectEncoder:
        """Itself: it serves all objects at once."""
        return self
