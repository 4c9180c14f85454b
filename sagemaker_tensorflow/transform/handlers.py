"""``inference.py``: the user's code before and after the model.

The functions and their arguments are those of the SageMaker TensorFlow Serving container,
https://github.com/aws/sagemaker-tensorflow-serving-container: either ``handler(data, context)``,
which calls the model itself, or ``input_handler(data, context)``, which returns the body of a
predict request, and ``output_handler(response, context)``, which makes the result of its answer.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from sagemaker_tensorflow.errors import InvalidArgumentError, PipeModeDatasetException
from sagemaker_tensorflow.transform.rest_predict import RestAnswer, RestPredict, Runner
from sagemaker_tensorflow.transform.rest_server import RestServer

# What the container has where a request has no such header.
_DEFAULT_TYPE = "application/json"
_HANDLER, _INPUT, _OUTPUT = "handler", "input_handler", "output_handler"
_numbers = itertools.count(1)


class Context(NamedTuple):
    """What a handler is told about its request.

    The container's ``grpc_channel`` is not there and ``grpc_port`` is None: there is no gRPC.

    Attributes:
        model_name: Of the model.
        model_version: Of the model, as a text; None for the only one.
        method: ``predict``.
        rest_uri: A predict URL that can be called, in this process.
        grpc_port: None.
        custom_attributes: None: transform jobs have none.
        request_content_type: ContentType of the job.
        accept_header: Accept of the job.
        content_length: Of the payload, in bytes.
    """

    model_name: str
    model_version: str | None
    method: str
    rest_uri: str
    grpc_port: int | None
    custom_attributes: str | None
    request_content_type: str
    accept_header: str
    content_length: int


@dataclass(frozen=True)
class HandlerResult:
    """What a script made of a payload.

    Attributes:
        body: The result.
        content_type: What the script says that it is.
    """

    body: bytes
    content_type: str


class HandlerError(PipeModeDatasetException, RuntimeError):
    """The user's script raised something, or returned what is no result."""


class PredictResponse:
    """The model's answer as ``requests.Response`` has it.

    Attributes:
        status_code: 200, or what went wrong.
        content: The body.
        headers: Content-Type and Content-Length.
        encoding: ``utf-8``.
    """

    def __init__(self, answer: RestAnswer, url: str) -> None:
        self.status_code = int(answer.status)
        self.content = answer.body
        self.encoding = "utf-8"
        self.url = url
        self.headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(answer.body)),
        }

    @property
    def text(self) -> str:
        """The body, decoded."""
        return self.content.decode(self.encoding)

    @property
    def ok(self) -> bool:
        """The status is below 400."""
        return self.status_code < HTTPStatus.BAD_REQUEST

    @property
    def reason(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status_code).phrase

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.content)

    def raise_for_status(self) -> None:
        """Raises HandlerError unless `ok`; requests would raise an error of its own."""
        if not self.ok:
            raise HandlerError(f"{self.status_code} {self.reason} for {self.url}: {self.text}")


class Handlers:
    """A loaded ``inference.py`` with the model that it asks. Thread-safe if the script is.

    The script is loaded once, as a module of a name of its own, with its folder and ``lib`` in it
    on ``sys.path`` until `close`. Its requirements are not installed.

    Attributes:
        calls_the_model: The script has a ``handler``, which calls ``context.rest_uri``.
    """

    def __init__(
        self,
        script: Path,
        runner: Runner,
        *,
        model_name: str = "model",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Loads a script.

        Args:
            script: ``inference.py``.
            runner: The model.
            model_name: For `Context`.
            environment: Set in this process before the script is loaded, and left there.

        Raises:
            InvalidArgumentError: The script cannot be loaded or has not the functions.
        """
        self._name = model_name
        self._predict = RestPredict(runner)
        self._script = script
        self._paths = [str(script.parent), str(script.parent / "lib")]
        _prepare_environment(environment or {})
        sys.path[:0] = self._paths
        try:
            self._module = _load(script)
            self._functions = _functions(self._module, script)
        except BaseException:
            self._leave_path()
            raise
        self.calls_the_model = _HANDLER in self._functions
        self._server = RestServer(model_name, self._predict.predict)

    def transform(
        self, payload: bytes, content_type: str = _DEFAULT_TYPE, accept: str = _DEFAULT_TYPE
    ) -> HandlerResult:
        """Has the script answer one payload.

        Args:
            payload: The body of the request that SageMaker would send.
            content_type: ContentType of the job.
            accept: Accept of the job.

        Raises:
            HandlerError: The script raised an exception, which is the cause, or returned no result.
        """
        context = Context(
            model_name=self._name,
            model_version=None,
            method="predict",
            rest_uri=self._server.predict_uri,
            grpc_port=None,
            custom_attributes=None,
            request_content_type=content_type or _DEFAULT_TYPE,
            accept_header=accept or _DEFAULT_TYPE,
            content_length=len(payload),
        )
        data = io.BytesIO(payload)
        if self.calls_the_model:
            return self._result(_HANDLER, self._call(_HANDLER, data, context))
        body = self._call(_INPUT, data, context)
        answer = self._predict.predict(self._bytes(_INPUT, body))
        response = PredictResponse(answer, context.rest_uri)
        return self._result(_OUTPUT, self._call(_OUTPUT, response, context))

    def close(self) -> None:
        """Stops the server and forgets the module. Idempotent."""
        self._server.close()
        self._leave_path()
        sys.modules.pop(self._module.__name__, None)

    def __enter__(self) -> Handlers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, name: str, argument: Any, context: Context) -> Any:
        try:
            return self._functions[name](argument, context)
        except Exception as error:
            raise HandlerError(
                f"{name} of {self._script} raised {type(error).__name__}: {error}"
            ) from error

    def _result(self, name: str, returned: Any) -> HandlerResult:
        if not (
            isinstance(returned, tuple) and len(returned) == 2 and isinstance(returned[1], str)
        ):
            raise HandlerError(
                f"{name} of {self._script} returned {type(returned).__name__}, not a pair of the "
                "result and its content type"
            )
        return HandlerResult(self._bytes(name, returned[0]), returned[1])

    def _bytes(self, name: str, value: Any) -> bytes:
        if isinstance(value, str):
            return value.encode()
        if isinstance(value, bytes | bytearray | memoryview):
            return bytes(value)
        raise HandlerError(
            f"{name} of {self._script} returned {type(value).__name__} where text or bytes belong"
        )

    def _leave_path(self) -> None:
        for path in self._paths:
            with contextlib.suppress(ValueError):
                sys.path.remove(path)


def _load(script: Path) -> ModuleType:
    # Not "inference": that may be the name of a module that the script imports.
    spec = importlib.util.spec_from_file_location(f"smtf_inference_{next(_numbers)}", script)
    if spec is None or spec.loader is None:
        raise InvalidArgumentError(f"{script} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[spec.name]
        requirements = script.parent / "requirements.txt"
        advice = ""
        if isinstance(error, ImportError) and requirements.exists():
            advice = f"; install what it needs: pip install -r {requirements}"
        raise InvalidArgumentError(
            f"{script} cannot be loaded: {type(error).__name__}: {error}{advice}"
        ) from error
    return module


def _functions(module: ModuleType, script: Path) -> dict[str, Callable[[Any, Context], Any]]:
    found = dict(_callables(module))
    # With a handler the container does not look for the other two.
    if _HANDLER in found:
        return {_HANDLER: found[_HANDLER]}
    if {_INPUT, _OUTPUT} <= set(found):
        return found
    raise InvalidArgumentError(
        f"{script} defines {', '.join(found) or 'no handler'}; it needs {_HANDLER}, or {_INPUT} "
        f"and {_OUTPUT}"
    )


def _callables(module: ModuleType) -> Iterator[tuple[str, Callable[[Any, Context], Any]]]:
    for name in (_HANDLER, _INPUT, _OUTPUT):
        function = getattr(module, name, None)
        if callable(function):
            yield name, function


def _prepare_environment(environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    # Scripts call rest_uri with `requests`, which would ask a proxy for it.
    for name in ("no_proxy", "NO_PROXY"):
        hosts = os.environ.get(name, "")
        if hosts != "*" and "127.0.0.1" not in hosts:
            os.environ[name] = f"{hosts},127.0.0.1".lstrip(",")
