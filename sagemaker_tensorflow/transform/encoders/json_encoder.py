"""``application/json``: what TensorFlow Serving's REST API answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sagemaker_tensorflow.transform.encoders.encoder import Response, StatelessEncoder
from sagemaker_tensorflow.transform.encoders.json_values import (
    check_json_outputs,
    dump,
    instance_values,
)
from sagemaker_tensorflow.transform.encoders.number_rows import NumberRows
from sagemaker_tensorflow.transform.encoders.results import by_record, process_results

if TYPE_CHECKING:
    from sagemaker_tensorflow.transform.data_processing import ResultProcessor
    from sagemaker_tensorflow.transform.records import Decoded, Outputs, Payload
    from sagemaker_tensorflow.transform.signatures import Signature


class JsonEncoder(StatelessEncoder):
    """``{"predictions": [...]}`` for a payload, with a prediction for each of its instances.

    It is a list even for one instance. See `json_values` for what a prediction looks like.

    With a processor there is one JSON value for each record, which its own
    ``{"predictions": [...]}`` was joined to; those of a payload are on lines of their own.

    Raises:
        InvalidArgumentError: JSON has no values for what the signature gives.
    """

    is_text = True

    def __init__(self, signature: Signature, processor: ResultProcessor | None = None) -> None:
        check_json_outputs(signature)
        self._signature = signature
        self._processor = processor
        self._numbers = NumberRows(signature)

    def encode(self, payload: Payload, decoded: Decoded, outputs: Outputs) -> Response:
        """Encodes the results of a payload."""
        if self._processor is None and self._numbers.can_write(outputs):
            rows = self._numbers.json(outputs, ",")
            return Response(b'{"predictions":[' + rows[:-1] + b"]}" if rows else b"")
        values = instance_values(self._signature, outputs)
        if self._processor is None:
            return Response(dump({"predictions": values}) if values else b"")
        answers = ({"predictions": few} for few in by_record(decoded, values))
        results, failures = process_results(self._processor, payload, decoded, answers)
        return Response(b"\n".join(map(dump, results)), failures)
