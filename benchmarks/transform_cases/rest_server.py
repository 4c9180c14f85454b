"""``python -m transform_cases.rest_server MODEL``: a model behind TensorFlow Serving's REST API.

Answers POSTs of ``{"instances": [{"b64": ...}, ...]}`` with ``{"predictions": [...]}``
(https://www.tensorflow.org/tfx/serving/api_rest), on a free port of the loopback that it prints
when the model is loaded. Written as one writes such a server: the standard library's JSON, which is
C, one copy of the model that uses all cores, connections that stay open.
"""

from __future__ import annotations

import base64
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import tensorflow as tf


class Handler(BaseHTTPRequestHandler):
    """Runs `function` on the instances of a request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    function: Any

    def do_POST(self) -> None:
        """Answers a predict request."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        instances = [base64.b64decode(each["b64"]) for each in json.loads(body)["instances"]]
        scores = self.function(examples=tf.constant(instances))["scores"]
        answer = json.dumps({"predictions": scores.numpy().tolist()}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


def main() -> None:
    """Serves until it is ended."""
    model = tf.saved_model.load(sys.argv[1])
    Handler.function = staticmethod(model.signatures["serving_default"])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
