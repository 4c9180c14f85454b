"""What the formats share that write a row of text for each record."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.transform.encoders.encoder import Response, StatelessEncoder
from sagemaker_tensorflow.transform.encoders.json_values import check_json_outputs
from sagemaker_tensorflow.transform.encoders.number_rows import NumberRows
from sagemaker_tensorflow.transform.encoders.results import (
    by_record,
    has_one_each,
    process_results,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sagemaker_tensorflow.transform.data_processing import ResultProcessor
    from sagemaker_tensorflow.transform.records import Decoded, Outputs, Payload
    from sagemaker_tensorflow.transform.signatures import Signature


class RowEncoder(StatelessEncoder):
    """A row for each record; with SplitType None, where it is the whole object, for each instance.

    With a processor, a row is what it makes of the record and its results.

    Raises:
        InvalidArgumentError: There are no texts for what the signature gives.
    """

    is_text = True
    ends_lines = True

    def __init__(
        self, signature: Signature, processor: ResultProcessor | None = None, *, split_type: str
    ) -> None:
        check_json_outputs(signature)
        self._signature = signature
        self._processor = processor
        self._splits = split_type != "None"
        self._numbers = NumberRows(signature)

    def encode(self, payload: Payload, decoded: Decoded, outputs: Outputs) -> Response:
        """Encodes the results of a payload."""
        one_each = not self._splits or has_one_each(decoded)
        if self._processor is None and one_each and self._numbers.can_write(outputs):
            return Response(self._number_lines(self._numbers, outputs))
        rows = self._instance_rows(outputs)
        if self._processor is None:
            return Response(self._lines(rows if one_each else self._record_rows(decoded, rows)))
        results, failures = process_results(
            self._processor, payload, decoded, self._record_rows(decoded, rows)
        )
        return Response(self._lines(results), failures)

    def _record_rows(self, decoded: Decoded, rows: list[Any]) -> list[Any]:
        parts = by_record(decoded, rows)
        return [few[0] if len(few) == 1 else self._joined(few) for few in parts]

    @abstractmethod
    def _number_lines(self, numbers: NumberRows, outputs: Outputs) -> bytes:
        """The fast road for outputs that are numbers."""

    @abstractmethod
    def _instance_rows(self, outputs: Outputs) -> list[Any]:
        """What each instance has."""

    @abstractmethod
    def _joined(self, rows: Sequence[Any]) -> Any:
        """The row of a record with these instances."""

    @abstractmethod
    def _lines(self, rows: Iterable[Any]) -> bytes:
        """The rows as they are written."""
