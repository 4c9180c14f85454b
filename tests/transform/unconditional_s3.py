"""An S3 server that has no conditional writes: what comes is passed on without its conditions."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_CONDITIONS = ("if-match", "if-none-match")
_NOT_IMPLEMENTED = b"<Error><Code>NotImplemented</Code><Message>a header</Message></Error>"


@contextlib.contextmanager
def unconditional_s3(upstream: str, refuse: bool) -> Iterator[str]:
    """Stands before a server; yields its own URL.

    Args:
        upstream: The server's URL.
        refuse: Answers writes with conditions by 501, as S3 did before it had them.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # botocore waits for its 100 Continue

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _CONDITIONS}
            if refuse and len(headers) < len(self.headers):
                self._answer(501, {"Content-Type": "application/xml"}, _NOT_IMPLEMENTED)
                return
            server = http.client.HTTPConnection(urlsplit(upstream).netloc)
            with contextlib.closing(server):
                server.request(self.command, self.path, body, headers)
                answer = server.getresponse()
                self._answer(answer.status, dict(answer.getheaders()), answer.read())

        do_GET = do_HEAD = do_POST = do_DELETE = do_PUT  # noqa: N815 - http.server's names

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
