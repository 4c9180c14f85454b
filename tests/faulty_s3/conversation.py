"""What is said on one connection: requests, faults, answers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from tests.faulty_s3 import answers
from tests.faulty_s3.answers import Answer
from tests.faulty_s3.control import CONTROL_PATH, control
from tests.faulty_s3.faults import Asked, Fault
from tests.faulty_s3.http_connection import Broken, HttpConnection, HttpRequest
from tests.faulty_s3.listing import list_objects
from tests.faulty_s3.request_log import LoggedRequest

if TYPE_CHECKING:
    from tests.faulty_s3.server import FaultyS3Server


class Conversation:
    """Serves a connection's requests, one after the other, until either side has enough."""

    def __init__(
        self, server: FaultyS3Server, connection: HttpConnection, host: int, number: int
    ) -> None:
        self._server = server
        self._connection = connection
        self._host = host
        self._number = number

    def run(self) -> None:
        try:
            while True:
                request = self._connection.receive()
                if request.path.startswith(CONTROL_PATH):
                    self._deliver(request, control(self._server, request), None)
                else:
                    self._serve(request)
        except Broken:
            self._connection.close()

    def _serve(self, request: HttpRequest) -> None:
        bucket, _, key = unquote(request.path.removeprefix("/")).partition("/")
        asked = self._asked(request, key)
        fault = self._server.faults.decide(asked)
        logged = LoggedRequest(
            method=asked.method,
            key=asked.key,
            begin=asked.begin,
            end=asked.end,
            connection=self._number,
            host=self._host,
            signer=self._server.access.number(request),
            fault=fault.kind if fault else "",
        )
        self._server.log.begin(logged)
        try:
            if self._connection.wait_for_end(self._server.options.latency):
                raise Broken
            self._before(fault, asked.key)
            answer = self._answer(request, bucket, asked, fault)
            logged.status = answer.status
            self._deliver(request, answer, fault)
        finally:
            logged.sent = self._connection.sent if logged.status else 0
            self._server.log.end(logged)

    def _asked(self, request: HttpRequest, key: str) -> Asked:
        if not key:
            query = dict(parse_qsl(request.query))
            return Asked("LIST", query.get("prefix", ""))
        return Asked(request.method, key, *answers.asked_range(request, None))

    def _before(self, fault: Fault | None, key: str) -> None:
        """What a fault does before the request is answered."""
        match fault and fault.kind:
            case "reset":
                self._connection.reset()
                raise Broken
            case "stall":
                self._stall(fault)
            case "replace":
                self._server.bucket.replace(key)
            case "delete":
                self._server.bucket.delete(key)
            case "expire":
                self._server.access.expire()

    def _stall(self, fault: Fault | None) -> None:
        if fault and self._connection.wait_for_end(fault.seconds):
            raise Broken

    def _answer(
        self, request: HttpRequest, bucket: str, asked: Asked, fault: Fault | None
    ) -> Answer:
        if fault and (instead := self._instead(request, fault)):
            return instead
        if refusal := self._server.access.check(request, self._server.regions):
            details = {"Region": refusal.region} if refusal.region else {}
            return answers.error(refusal.status, refusal.code, refusal.message, **details)
        if bucket != self._server.options.bucket:
            return answers.error(404, "NoSuchBucket", "The specified bucket does not exist")
        if request.method not in ("GET", "HEAD"):
            return answers.error(405, "MethodNotAllowed", "This server is for reading")
        if asked.method == "LIST":
            query = dict(parse_qsl(request.query, keep_blank_values=True))
            return answers.xml(200, list_objects(self._server.bucket, bucket, query))
        if fault and (wrong := self._wrong(request, asked, fault)):
            return wrong
        return self._server.objects.answer(request, asked.key)

    def _instead(self, request: HttpRequest, fault: Fault) -> Answer | None:
        """An error in place of the answer, if the fault is one."""
        match fault.kind:
            case "slow_down":
                answer = answers.error(503, "SlowDown", "Please reduce your request rate.")
                if fault.retry_after is not None:
                    answer.headers["Retry-After"] = f"{fault.retry_after:g}"
                return answer
            case "internal_error":
                return answers.error(500, "InternalError", "We encountered an internal error.")
            case "access_denied":
                return answers.error(403, "AccessDenied", "Access Denied")
            case "expired_token":
                return answers.error(403, "ExpiredToken", "The provided token has expired.")
            case "redirect" if self._host == 0:
                return self._redirect(request)
            case "redirect_loop":
                return self._redirect(request)
            case "wrong_region" if self._server.access.region(request) != self._server.regions[1]:
                region = self._server.regions[1]
                message = "The bucket you are attempting to access must be addressed elsewhere."
                answer = answers.error(301, "PermanentRedirect", message, Region=region)
                answer.headers["x-amz-bucket-region"] = region
                return answer
        return None

    def _redirect(self, request: HttpRequest) -> Answer:
        other = self._server.urls[1 - self._host]
        message = "Please re-send this request to the specified temporary endpoint."
        answer = answers.error(307, "TemporaryRedirect", message, Endpoint=other)
        query = f"?{request.query}" if request.query else ""
        answer.headers["Location"] = f"{other}{request.path}{query}"
        return answer

    def _wrong(self, request: HttpRequest, asked: Asked, fault: Fault) -> Answer | None:
        """An answer that is not what was asked for, if the fault is one."""
        stored = self._server.bucket.get(asked.key)
        if stored is None:
            return None
        begin, end = answers.asked_range(request, stored.size)
        match fault.kind:
            case "wrong_range" if end is not None:
                # The neighbour on the left, or on the right of a range that begins at 0.
                length = end - begin
                shifted = begin - min(begin, length) if begin else min(end, stored.size - 1)
                shifted_end = min(shifted + length, stored.size)
                return self._server.objects.part(request, stored, shifted, shifted_end)
            case "ignore_range":
                return self._server.objects.whole(request, stored)
            case "no_content_range":
                answer = self._server.objects.answer(request, asked.key)
                answer.headers.pop("Content-Range", None)
                return answer
            case "flip":
                answer = self._server.objects.answer(request, asked.key)
                position = min(int(answer.length * fault.at), answer.length - 1)
                answer.pieces = answers.flipped(answer.pieces, position)
                return answer
        return None

    def _deliver(self, request: HttpRequest, answer: Answer, fault: Fault | None) -> None:
        """Sends the answer, or what the fault leaves of it."""
        connection, rate = self._connection, self._server.options.bytes_per_second
        connection.send_head(answer.status, {**answer.headers, "Content-Length": answer.length})
        if request.method == "HEAD":
            return
        if fault is None or fault.kind not in ("reset_in_body", "cut", "stall_in_body", "drip"):
            connection.send_body(answer.pieces, rate)
            return
        if fault.kind == "drip":
            connection.send_body(answer.pieces, fault.bytes_per_second)
            return
        good = int(answer.length * fault.at)
        pieces = list(answer.pieces)
        connection.send_body(answers.cut(pieces, good), rate)
        if fault.kind == "stall_in_body":
            self._stall(fault)
            connection.send_body(answers.rest(pieces, good), rate)
            return
        if fault.kind == "reset_in_body":
            # A reset overtakes what the client has not read yet; most of it shall arrive.
            time.sleep(0.02)
            connection.reset()
        raise Broken
