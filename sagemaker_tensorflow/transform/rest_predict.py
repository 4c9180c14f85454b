"""TensorFlow Serving's REST predict method, on a model in this process.

The formats are those of https://www.tensorflow.org/tfx/serving/api_rest: a request in rows,
``{"instances": [...]}``, is answered by ``{"predictions": [...]}``, one in columns,
``{"inputs": ...}``, by ``{"outputs": ...}``, and one that fails by ``{"error": "..."}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from numpy.typing import NDArray

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.decoders.json_documents import parse_documents
from sagemaker_tensorflow.transform.decoders.json_instances import JsonInstances
from sagemaker_tensorflow.transform.decoders.tensors import batch_of
from sagemaker_tensorflow.transform.encoders.json_values import (
    check_json_outputs,
    dump,
    instance_values,
    output_values,
)
from sagemaker_tensorflow.transform.records import Outputs
from sagemaker_tensorflow.transform.signatures import Signature

# HTTP statuses for the codes that TensorFlow's errors have (google.rpc.Code); others are a 500.
_STATUS_OF_CODE = {
    3: HTTPStatus.BAD_REQUEST,  # INVALID_ARGUMENT
    4: HTTPStatus.GATEWAY_TIMEOUT,  # DEADLINE_EXCEEDED
    8: HTTPStatus.SERVICE_UNAVAILABLE,  # RESOURCE_EXHAUSTED
    9: HTTPStatus.BAD_REQUEST,  # FAILED_PRECONDITION
    14: HTTPStatus.SERVICE_UNAVAILABLE,  # UNAVAILABLE
}
# TensorFlow's messages can hold whole graphs.
_LONGEST_ERROR = 2000


class Runner(Protocol):
    """What runs a batch: a `Model` or `Replicas`."""

    signature: Signature

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Runs one batch. Thread-safe."""


@dataclass(frozen=True)
class RestAnswer:
    """An HTTP response.

    Attributes:
        status: Such as 200.
        body: JSON, in one line.
    """

    status: int
    body: bytes


class RestPredict:
    """Answers predict requests. Thread-safe."""

    def __init__(self, runner: Runner) -> None:
        """Raises InvalidArgumentError if JSON cannot hold the model's outputs."""
        check_json_outputs(runner.signature)
        self._runner = runner
        self._instances = JsonInstances(runner.signature, takes_arrays_apart=False)

    def predict(self, body: bytes) -> RestAnswer:
        """Runs the model on a request's body. What fails is an answer, too."""
        try:
            return RestAnswer(HTTPStatus.OK, dump(self._answer(body)))
        except (BadRecordError, InvalidArgumentError) as error:
            return _failed(HTTPStatus.BAD_REQUEST, error)
        except Exception as error:  # what a model may raise is anything
            code = getattr(error, "error_code", None)
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            return _failed(_STATUS_OF_CODE.get(code, status) if code else status, error)

    def _answer(self, body: bytes) -> dict[str, Any]:
        documents = parse_documents(body)
        request = documents[0]
        if len(documents) != 1 or not isinstance(request, dict):
            raise BadRecordError(
                'a predict request is one JSON object with "instances" or "inputs"'
            )
        if not {"instances", "inputs"} & set(request):
            raise BadRecordError(
                f'a predict request has "instances" or "inputs", this one {sorted(request)}'
            )
        outputs = self._run(request)
        if "instances" in request:
            return {"predictions": instance_values(self._runner.signature, outputs)}
        return {"outputs": self._columns(outputs)}

    def _run(self, request: dict[str, Any]) -> Outputs:
        rows = self._instances.rows(request)
        specs = self._runner.signature.inputs
        columns = list(zip(*rows, strict=True)) or [()] * len(specs)
        return self._runner.run(
            {spec.name: batch_of(column, spec) for spec, column in zip(specs, columns, strict=True)}
        )

    def _columns(self, outputs: Outputs) -> Any:
        specs = self._runner.signature.outputs
        columns = {spec.name: output_values(spec, outputs[spec.name]) for spec in specs}
        return columns if len(columns) > 1 else next(iter(columns.values()), [])


def _failed(status: int, error: Exception) -> RestAnswer:
    text = " ".join(str(error).split()) or type(error).__name__
    return RestAnswer(int(status), dump({"error": text[:_LONGEST_ERROR]}))
