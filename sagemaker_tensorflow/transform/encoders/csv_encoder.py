"""``text/csv``: a row for each record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.transform.encoders.csv_lines import csv_lines
from sagemaker_tensorflow.transform.encoders.json_values import dump, output_values
from sagemaker_tensorflow.transform.encoders.ragged import dense_parts
from sagemaker_tensorflow.transform.encoders.row_encoder import RowEncoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from sagemaker_tensorflow.transform.encoders.number_rows import NumberRows
    from sagemaker_tensorflow.transform.records import Outputs
    from sagemaker_tensorflow.transform.signatures import TensorSpec

Row = list[Any]


class CsvEncoder(RowEncoder):
    r"""The values of all outputs in the order of the signature, each flattened, without a header.

    A record with several instances has the values of all of them in its row; with SplitType None,
    where the record is the whole object, every instance has a row. Rows end in ``\n``, the last one
    too. Numbers and booleans are written as in JSON (`json_values`), texts are quoted where RFC
    4180 asks for it, and bytes that are no text are in base64.

    With a processor, a row is what it makes of the record's columns and these.

    Raises:
        InvalidArgumentError: There are no texts for what the signature gives.
    """

    def _number_lines(self, numbers: NumberRows, outputs: Outputs) -> bytes:
        return numbers.csv(outputs)

    def _instance_rows(self, outputs: Outputs) -> list[Row]:
        columns = [_flattened(spec, outputs[spec.name]) for spec in self._signature.outputs]
        if len(columns) == 1:
            return columns[0]
        return [_concatenated(parts) for parts in zip(*columns, strict=True)]

    def _joined(self, rows: Sequence[Row]) -> Row:
        return _concatenated(rows)

    def _lines(self, rows: Iterable[Row]) -> bytes:
        lines = csv_lines([_cell(value) for value in row] for row in rows)
        return b"".join(line + b"\n" for line in lines)


def _flattened(spec: TensorSpec, values: NDArray[Any]) -> list[Row]:
    return [
        row
        for part in dense_parts(values)
        for row in output_values(spec, part.reshape(len(part), part[:1].size))
    ]


def _concatenated(rows: Sequence[Row]) -> Row:
    return [value for row in rows for value in row]


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and value.keys() == {"b64"}:
        return str(value["b64"])
    return dump(value).decode()
