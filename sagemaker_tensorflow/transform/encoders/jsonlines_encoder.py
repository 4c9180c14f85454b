"""``application/jsonlines``: a line for each record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.transform.encoders.encoder import Response, StatelessEncoder
from sagemaker_tensorflow.transform.encoders.json_values import (
    check_json_outputs,
    dump,
    instance_values,
)
from sagemaker_tensorflow.transform.encoders.ragged import is_ragged
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
        self._is_numeric = len(signature.outputs) == 1 and not signature.outputs[0].is_string

    def encode(self, payload: Payload, decoded: Decoded, outputs: Outputs) -> Response:
        """Encodes the results of a payload."""
        values = instance_values(self._signature, outputs)
        if self._processor is not None:
            results, failures = process_results(
                self._processor, payload, decoded, _by_record(decoded, values)
            )
            return Response(_lines(results), failures)
        if self._splits and not has_one_each(decoded):
            values = _by_record(decoded, values)
        elif self._is_numeric:
            array = outputs[self._signature.outputs[0].name]
            if array.size and not is_ragged(array):
                return Response(_numeric_lines(values, array.ndim))
        return Response(_lines(values))


def _by_record(decoded: Decoded, values: list[Any]) -> list[Any]:
    return [few[0] if len(few) == 1 else few for few in by_record(decoded, values)]


def _lines(values: list[Any]) -> bytes:
    return b"".join(dump(value) + b"\n" for value in values)


def _numeric_lines(values: list[Any], rank: int) -> bytes:
    """The same in one go, which takes half the time: between lists as deep as these, brackets tell.

    In ``[[[1],[2]],[[3],[4]]]`` only the comma between the first and the second instance has two
    brackets on either side.
    """
    depth = rank - 1
    between = b"]" * depth + b"," + b"[" * depth
    lines = dump(values)[1:-1].replace(between, b"]" * depth + b"\n" + b"[" * depth)
    return lines + b"\n"
