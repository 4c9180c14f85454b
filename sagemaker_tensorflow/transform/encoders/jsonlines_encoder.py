"""``application/jsonlines``: a line for each record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.transform.encoders.json_values import dump, instance_values
from sagemaker_tensorflow.transform.encoders.row_encoder import RowEncoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sagemaker_tensorflow.transform.encoders.number_rows import NumberRows
    from sagemaker_tensorflow.transform.records import Outputs


class JsonLinesEncoder(RowEncoder):
    r"""The prediction of each record on a line, or a list of them if it has several instances.

    With SplitType None, where the record is the whole object, every instance has a line. Lines end
    in ``\n``, the last one too, so that those of consecutive payloads do not run into one another,
    whatever AssembleWith is. See `json_values` for what a prediction looks like.

    With a processor, a line is what it makes of the record and its prediction.

    Raises:
        InvalidArgumentError: JSON has no values for what the signature gives.
    """

    def _number_lines(self, numbers: NumberRows, outputs: Outputs) -> bytes:
        return numbers.json(outputs, "\n")

    def _instance_rows(self, outputs: Outputs) -> list[Any]:
        return instance_values(self._signature, outputs)

    def _joined(self, rows: Sequence[Any]) -> Any:
        return rows

    def _lines(self, rows: Iterable[Any]) -> bytes:
        return b"".join(dump(value) + b"\n" for value in rows)
