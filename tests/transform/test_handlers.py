"""inference.py scripts as their users write them, run unchanged."""

from __future__ import annotations

import http.client
import json
import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.handlers import HandlerError, Handlers
from sagemaker_tensorflow.transform.rest_predict import RestPredict
from sagemaker_tensorflow.transform.rest_server import RestServer
from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec
from tests.transform.array_replicas import ArrayReplicas, Arrays, doubled

# What most scripts look like: the model gets JSON made of something else.
BOTH = """
import json

def input_handler(data, context):
    if context.request_content_type == "text/csv":
        rows = [[int(x) for x in line.split(",")] for line in data.read().decode().splitlines()]
        return json.dumps({"instances": [row[0] for row in rows]})
    raise ValueError("Unsupported content type: " + context.request_content_type)

def output_handler(response, context):
    if response.status_code != 200:
        raise ValueError(response.content.decode("utf-8"))
    return response.content, context.accept_header
"""

CALLS = """
import json
import requests

def handler(data, context):
    numbers = json.loads(data.read())
    response = requests.post(context.rest_uri, data=json.dumps({"instances": numbers}))
    response.raise_for_status()
    return json.dumps([context.method, response.json()["predictions"]]), "application/json"
"""


@pytest.fixture(autouse=True)
def same_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", os.environ.copy())


def script(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "code" / "inference.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


def test_input_and_output_handler(tmp_path: Path) -> None:
    with Handlers(script(tmp_path, BOTH), ArrayReplicas()) as handlers:
        assert not handlers.calls_the_model
        result = handlers.transform(
            b"3,x\n4,y\n".replace(b",x", b",1").replace(b",y", b",2"), "text/csv"
        )
    assert json.loads(result.body) == {"predictions": [6, 8]}
    assert result.content_type == "application/json"


def test_a_handler_that_calls_the_model_itself(tmp_path: Path) -> None:
    with Handlers(script(tmp_path, CALLS), ArrayReplicas()) as handlers:
        assert handlers.calls_the_model
        result = handlers.transform(b"[1, 2]")
    assert json.loads(result.body) == ["predict", [2, 4]]


def test_handler_goes_before_the_other_two(tmp_path: Path) -> None:
    text = BOTH + "\ndef handler(data, context):\n    return b'mine', 'text/plain'\n"
    with Handlers(script(tmp_path, text), ArrayReplicas()) as handlers:
        assert handlers.transform(b"").body == b"mine"


def test_the_context_and_the_response(tmp_path: Path) -> None:
    text = """
        import json

        def input_handler(data, context):
            assert data.read(2) == b"ab" and data.read() == b"c"
            assert context._fields[:4] == ("model_name", "model_version", "method", "rest_uri")
            return b'{"inputs": [1, 2]}'

        def output_handler(response, context):
            assert response.ok and response.json() == json.loads(response.text)
            response.raise_for_status()
            seen = context._asdict()
            uri = seen.pop("rest_uri")
            assert uri.endswith("/v1/models/resnet:predict")
            return json.dumps([response.json(), seen]), "application/json"
    """
    with Handlers(script(tmp_path, text), ArrayReplicas(), model_name="resnet") as handlers:
        result = handlers.transform(b"abc", "text/plain", "text/csv")
    assert json.loads(result.body) == [
        {"outputs": [2, 4]},
        {
            "model_name": "resnet",
            "model_version": None,
            "method": "predict",
            "grpc_port": None,
            "custom_attributes": None,
            "request_content_type": "text/plain",
            "accept_header": "text/csv",
            "content_length": 3,
        },
    ]


def test_what_a_script_raises_is_its_error(tmp_path: Path) -> None:
    with Handlers(script(tmp_path, BOTH), ArrayReplicas()) as handlers:
        with pytest.raises(HandlerError, match="Unsupported content type: image/png") as caught:
            handlers.transform(b"", "image/png")
        assert isinstance(caught.value.__cause__, ValueError)


def test_a_request_that_the_model_refuses_reaches_output_handler(tmp_path: Path) -> None:
    text = BOTH.replace('"instances": [row[0] for row in rows]', '"instances": ["text"]')
    with (
        Handlers(script(tmp_path, text), ArrayReplicas()) as handlers,
        pytest.raises(HandlerError, match=r"output_handler .* raised ValueError: .*error"),
    ):
        handlers.transform(b"1", "text/csv")


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        ("None", "returned NoneType, not a pair"),
        ("b'x'", "returned bytes, not a pair"),
        ("({}, 'application/json')", "returned dict where text or bytes belong"),
    ],
)
def test_results_that_are_none(tmp_path: Path, returned: str, reason: str) -> None:
    text = f"def handler(data, context):\n    return {returned}\n"
    with (
        Handlers(script(tmp_path, text), ArrayReplicas()) as handlers,
        pytest.raises(HandlerError, match=reason),
    ):
        handlers.transform(b"")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = 1", "defines no handler"),
        ("def input_handler(data, context): ...", "defines input_handler; it needs handler, or"),
        ("1 +", "cannot be loaded: SyntaxError"),
        ("import not_installed_here", "pip install -r .*requirements.txt"),
    ],
)
def test_scripts_that_cannot_be_used(tmp_path: Path, text: str, reason: str) -> None:
    path = script(tmp_path, text)
    (path.parent / "requirements.txt").write_text("not_installed_here\n")
    before = list(sys.path)
    with pytest.raises(InvalidArgumentError, match=reason):
        Handlers(path, ArrayReplicas())
    assert sys.path == before


def test_scripts_import_what_lies_beside_them(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        """
        import os
        import smtf_beside
        import smtf_in_lib

        def handler(data, context):
            import smtf_late
            text = smtf_beside.NAME + smtf_in_lib.NAME + smtf_late.NAME + os.environ["SMTF_MINE"]
            return text, "text/plain"
        """,
    )
    (path.parent / "lib").mkdir()
    for name in ("smtf_beside", "smtf_late", "lib/smtf_in_lib"):
        (path.parent / f"{name}.py").write_text(f"NAME = '{name} '\n")
    before = list(sys.path)
    with Handlers(path, ArrayReplicas(), environment={"SMTF_MINE": "env"}) as handlers:
        assert handlers.transform(b"").body == b"smtf_beside lib/smtf_in_lib smtf_late env"
    assert sys.path == before


def test_two_scripts_do_not_meet(tmp_path: Path) -> None:
    texts = ["def handler(data, context):\n    return 'first', 'a'", CALLS]
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    with (
        Handlers(script(tmp_path / "1", texts[0]), ArrayReplicas()) as first,
        Handlers(script(tmp_path / "2", texts[1]), ArrayReplicas()) as second,
    ):
        assert first.transform(b"[1]").body == b"first"
        assert json.loads(second.transform(b"[1]").body)[1] == [2]


class Failing(ArrayReplicas):
    def run(self, inputs: Arrays) -> dict[str, Any]:
        error = RuntimeError("OOM when allocating")
        error.error_code = 8  # type: ignore[attr-defined]
        raise error


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"not json", 400, "bad JSON"),
        (b"[1, 2]", 400, "is one JSON object"),
        (b'{"instances": [1]} {"instances": [2]}', 400, "is one JSON object"),
        (b'{"examples": [1]}', 400, "this one ['examples']"),
        (b'{"instances": [1], "signature_name": "other"}', 400, "other"),
        (b'{"instances": [[1]]}', 400, "'x'"),
        (b'{"instances": 1}', 400, "must be an array"),
    ],
)
def test_requests_that_are_refused(body: bytes, status: int, reason: str) -> None:
    answer = RestPredict(ArrayReplicas()).predict(body)
    assert answer.status == status
    assert reason in json.loads(answer.body)["error"]


def test_a_model_that_fails_is_an_answer() -> None:
    answer = RestPredict(Failing()).predict(b'{"instances": [1]}')
    assert (answer.status, json.loads(answer.body)) == (503, {"error": "OOM when allocating"})


class Pair(ArrayReplicas):
    """Two inputs, two outputs."""

    def __init__(self) -> None:
        super().__init__(
            lambda inputs: {"sum": inputs["a"] + inputs["b"], "text_bytes": _texts(inputs)}
        )
        number = np.dtype(np.float32)
        self.signature = Signature(
            "serving_default",
            (TensorSpec("a", number, (None,)), TensorSpec("b", number, (None,))),
            (TensorSpec("sum", number, (None,)), TensorSpec("text_bytes", "string", (None,))),
        )


def _texts(inputs: Arrays) -> Any:
    return np.array([b"\xff" for _ in inputs["a"]], object)


def test_several_inputs_and_outputs() -> None:
    predict = RestPredict(Pair()).predict
    rows = predict(b'{"instances": [{"a": 1, "b": 2}, {"a": 3, "b": 4}]}')
    bytes_ = {"b64": "/w=="}
    assert json.loads(rows.body) == {
        "predictions": [{"sum": 3.0, "text_bytes": bytes_}, {"sum": 7.0, "text_bytes": bytes_}]
    }
    columns = predict(b'{"inputs": {"a": [1, 3], "b": [2, 4]}}')
    assert json.loads(columns.body) == {
        "outputs": {"sum": [3.0, 7.0], "text_bytes": [bytes_, bytes_]}
    }


@pytest.fixture
def server() -> Iterator[RestServer]:
    server = RestServer("m", RestPredict(ArrayReplicas(doubled)).predict)
    yield server
    server.close()


def ask(server: RestServer, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(urlsplit(server.predict_uri).netloc, timeout=30)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_the_servers_paths(server: RestServer) -> None:
    body = b'{"instances": [4]}'
    for path in ("/v1/models/m:predict", "/v1/models/m/versions/7:predict"):
        assert ask(server, "POST", path, body) == (200, {"predictions": [8]})
    status, answer = ask(server, "GET", "/v1/models/m")
    assert status == 200
    assert answer["model_version_status"][0]["state"] == "AVAILABLE"
    for method, path in [
        ("POST", "/v1/models/other:predict"),
        ("POST", "/v1/models/m:classify"),
        ("GET", "/v1/models/m:predict"),
        ("GET", "/"),
    ]:
        assert ask(server, method, path, body)[0] == 404


def test_one_connection_carries_many_requests(server: RestServer) -> None:
    connection = http.client.HTTPConnection(urlsplit(server.predict_uri).netloc, timeout=30)
    for number in range(50):
        connection.request("POST", "/v1/models/m:predict", json.dumps({"instances": [number]}))
        assert json.loads(connection.getresponse().read()) == {"predictions": [2 * number]}
    connection.close()
