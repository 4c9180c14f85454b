"""HTTP/1.1 over one kept-alive connection, with the ways in which a server can break it off."""

from __future__ import annotations

import http
import socket
import struct
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# So often a rate-limited body is sent on.
_TICK_SECONDS = 0.02


@dataclass(frozen=True)
class HttpRequest:
    """Path and query as they were sent, percent-encoded; header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


class Broken(Exception):  # noqa: N818 - an end, by either side, and mostly meant
    """The connection is of no use any more."""


class HttpConnection:
    """The server's end of a connection; for one thread."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._input = connection.makefile("rb")
        self.sent = 0  # bytes of the body under way

    def receive(self) -> HttpRequest:
        """Waits for the next request.

        Raises:
            Broken: The client has gone, or does not speak HTTP.
        """
        try:
            words = self._input.readline(65536).decode("latin-1").split()
            headers = {}
            while line := self._input.readline(65536).strip():
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.lower()] = value.strip()
            if len(words) != 3:
                raise Broken
            path, _, query = words[1].partition("?")
            body = self._input.read(int(headers.get("content-length", 0)))
        except OSError as error:
            raise Broken from error
        return HttpRequest(words[0], path, query, headers, body)

    def send_head(self, status: int, headers: Mapping[str, object]) -> None:
        self.sent = 0
        lines = [f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._send("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def send_body(self, pieces: Iterable[memoryview], bytes_per_second: float | None) -> None:
        """Sends the pieces, at most so fast."""
        for piece in pieces:
            if bytes_per_second:
                self._send_slowly(piece, bytes_per_second)
            else:
                self._send(piece)
                self.sent += len(piece)

    def _send_slowly(self, piece: memoryview, bytes_per_second: float) -> None:
        step = max(1, int(bytes_per_second * _TICK_SECONDS))
        due = time.monotonic()
        for at in range(0, len(piece), step):
            part = piece[at : at + step]
            self._send(part)
            self.sent += len(part)
            due += len(part) / bytes_per_second
            if self.wait_for_end(due - time.monotonic()):
                raise Broken

    def _send(self, data: bytes | memoryview) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise Broken from error

    def wait_for_end(self, seconds: float | None) -> bool:
        """Waits so long, or for ever; True when the client has closed the connection."""
        if seconds is not None and seconds <= 0:
            return False
        self._socket.settimeout(seconds)
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return False
        except OSError:
            return True
        finally:
            self._socket.settimeout(None)

    def reset(self) -> None:
        """Breaks off with RST instead of FIN: what is under way is lost."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        self._input.close()
        self._socket.close()
