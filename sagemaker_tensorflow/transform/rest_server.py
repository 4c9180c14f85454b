"""TensorFlow Serving's predict URL on this machine, for scripts that call it themselves."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sagemaker_tensorflow.transform.rest_predict import RestAnswer

_MODEL_PATH = re.compile(
    r"/v1/models/(?P<name>[^/:]+)(/(versions|labels)/(?P<version>[^/:]+))?(?P<verb>:[a-z]+)?"
)
# How often the server looks whether it was closed.
_POLL_SECONDS = 0.05


class RestServer:
    """Serves one model at ``/v1/models/<name>:predict``, whatever version is asked for.

    It listens on the loopback interface only, at a port that the system chooses, and answers each
    connection in a thread of its own. ``GET /v1/models/<name>`` says that the model is there.

    Attributes:
        predict_uri: The URL.
    """

    def __init__(self, name: str, predict: Callable[[bytes], RestAnswer]) -> None:
        handler = type(
            "_ModelHandler", (_Handler,), {"model": name, "predict": staticmethod(predict)}
        )
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.predict_uri = f"http://127.0.0.1:{self._server.server_port}/v1/models/{name}:predict"
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            args=(_POLL_SECONDS,),
            name="smtf-rest-server",
            daemon=True,
        )
        self._thread.start()

    def close(self) -> None:
        """Stops listening. Idempotent."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body are two writes; without this the second waits for the first's ACK.
    disable_nagle_algorithm = True
    model: str
    predict: Callable[[bytes], RestAnswer]

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length")
        if length is None or not length.isdigit():
            self.close_connection = True
            self._error(HTTPStatus.LENGTH_REQUIRED, "give a Content-Length")
            return
        body = self.rfile.read(int(length))
        found = self._found()
        if found is not None and found["verb"] == ":predict":
            self._answer(self.predict(body))
        else:
            self._error(HTTPStatus.NOT_FOUND, f"there is only /v1/models/{self.model}:predict")

    def do_GET(self) -> None:
        found = self._found()
        if found is None or found["verb"]:
            self._error(HTTPStatus.NOT_FOUND, f"there is only /v1/models/{self.model}")
            return
        status = {
            "version": found["version"] or "1",
            "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""},
        }
        self._answer(RestAnswer(HTTPStatus.OK, _json({"model_version_status": [status]})))

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: a line for every payload is too much."""

    def _found(self) -> re.Match[str] | None:
        found = _MODEL_PATH.fullmatch(self.path)
        return found if found and found["name"] == self.model else None

    def _error(self, status: int, reason: str) -> None:
        self._answer(RestAnswer(status, _json({"error": f"{self.path}: {reason}"})))

    def _answer(self, answer: RestAnswer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
