"""``text/csv``: a row for each record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.transform.encoders.csv_lines import csv_lines
from sagemaker_tensorflow.transform.encoders.encoder import Response, StatelessEncoder
from sagemaker_tensorflow.transform.encoders.json_values import (
    check_json_outputs,
    dump,
    output_values,
)
from sagemaker_tensorflow.transform.encoders.number_rows import NumberRows
from sagemaker_tensorflow.transform.encoders.ragged import dense_parts
from sagemaker_tensorflow.transform.encoders.results import (
    by_record,
    has_one_each,
    process_results,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from sagemaker_tensorflow.transform.data_processing import ResultProcessor
    from sagemaker_tensorflow.transform.records import Decoded, Outputs, Payload
    from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec

Row = list[Any]


class CsvEncoder(StatelessEncoder):
    r"""The values of all outputs in the order of the signature, each flattened, without a header.

    A record with several instances has the values of all of them in its row; with SplitType None,
    where the record is the whole object, every instance has a row. Rows end in ``\n``, the last one
    too. Numbers and booleans are written as in JSON (`json_values`), texts are quoted where RFC
    4180 asks for it, and bytes that are no text are in base64.

    With a processor, a row is what it makes of the record's columns and these.

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
            return Response(self._numbers.csv(outputs))
        rows = self._instance_rows(outputs)
        if self._processor is not None:
            rows, failures = process_results(
                self._processor, payload, decoded, _by_record(decoded, rows)
            )
            return Response(_rows(rows), failures)
        return Response(_rows(rows if one_each else _by_record(decoded, rows)))

    def _instance_rows(self, outputs: Outputs) -> list[Row]:
        columns = [_flattened(spec, outputs[spec.name]) for spec in self._signature.outputs]
        if len(columns) == 1:
            return columns[0]
        return [_concatenated(parts) for parts in zip(*columns, strict=True)]


def _flattened(spec: TensorSpec, values: NDArray[Any]) -> list[Row]:
    return [
        row
        for part in dense_parts(values)
        for row in output_values(spec, part.reshape(len(part), part[:1].size))
    ]


def _by_record(decoded: Decoded, rows: list[Row]) -> list[Row]:
    return [few[0] if len(few) == 1 else _concatenated(few) for few in by_record(decoded, rows)]


def _concatenated(rows: Sequence[Row]) -> Row:
    return [value for row in rows for value in row]


def _rows(rows: Iterable[Row]) -> bytes:
    lines = csv_lines([_cell(value) for value in row] for row in rows)
    return b"".join(line + b"\n" for line in lines)


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and value.keys() == {"b64"}:
        return str(value["b64"])
    return dump(value).decode()
