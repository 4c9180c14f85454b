"""``application/jsonlines``: a line for each record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.transform.encoders.encoder import Response, StatelessEncoder
from sagemaker_tensorflow.transform.encoders.json_values import (
    check_json_outputs,
    dump,
    instance_values,
)
from sagemaker_tensorflow.transform.encoders.number_rows import NumberRows
from sagemaker_tensorflow.transform.encoders.results import (
    by_record,
    has_one_each,
    process_results,
)

if TYPE_CHECKING:
    from sagemaker_tensorflow.transform.data_processing import ResultProcessor
    from sagemaker_tensorflow.transform.records import Decoded, Outputs, Payload
    from sagemaker_tensorflow.transform.signatures import Signature


class JsonLinesEncoder(StatelessEncoder):
    r"""The prediction of each record on a line, or a list of them if it has several instances.

    With SplitType None, where the record is the whole object, every instance has a line. Lines end
    in ``\n``, the last one too, so that those of consecutive payloads do not run into one another,
    whatever AssembleWith is. See `json_values` for what a prediction looks like.

    With a processor, a line is what it makes of the record and its prediction.

    Raises:
        InvalidArgumentError: JSON has no values for what the signature gives.
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
            return Response(self._numbers.json(outputs, "\n"))
        values = instance_values(self._signature, outputs)
        if self._processor is not None:
            results, failures = process_results(
                self._processor, payload, decoded, _by_record(decoded, values)
            )
            return Response(_lines(results), failures)
        return Response(_lines(values if one_each else _by_record(decoded, values)))


def _by_record(decoded: Decoded, values: list[Any]) -> list[Any]:
    return [few[0] if len(few) == 1 else few for few in by_record(decoded, values)]


def _lines(values: list[Any]) -> bytes:
    return b"".join(dump(value) + b"\n" for value in values)
