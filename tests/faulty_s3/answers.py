"""What S3 answers, before any fault."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from tests.faulty_s3.checksums import checksum, header
from tests.faulty_s3.http_connection import HttpRequest
from tests.faulty_s3.objects import Bucket, StoredObject


@dataclass
class Answer:
    """`pieces` hold `length` bytes."""

    status: int
    headers: dict[str, object] = field(default_factory=dict)
    length: int = 0
    pieces: Iterable[memoryview] = ()


def xml(status: int, body: bytes, **headers: object) -> Answer:
    return Answer(
        status, {"Content-Type": "application/xml", **headers}, len(body), (memoryview(body),)
    )


def error(status: int, code: str, message: str, **details: str) -> Answer:
    """S3's error document."""
    elements = {"Code": code, "Message": message, **details}
    inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in elements.items())
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'
    return xml(status, body.encode())


def asked_range(request: HttpRequest, size: int | None) -> tuple[int, int | None]:
    """The range of a Range header as [begin, end); the whole object without one."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", ""))
    if match is None or not any(match.groups()):
        return 0, None
    first, last = match.groups()
    if not first:
        return max(0, (size or 0) - int(last)), size
    end = int(last) + 1 if last else size
    return int(first), min(end or 0, size) if size is not None else end


class ObjectAnswers:
    """Answers GET and HEAD of objects.

    Args:
        bucket: What there is.
        checksum_algorithm: Whose header is sent to those who ask, or None.
        checksum_of_ranges: Send the whole object's checksum with ranges of it as well.
    """

    def __init__(
        self, bucket: Bucket, checksum_algorithm: str | None, checksum_of_ranges: bool
    ) -> None:
        self._bucket = bucket
        self._algorithm = checksum_algorithm
        self._of_ranges = checksum_of_ranges
        self._checksums: dict[bytes, int] = {}

    def answer(self, request: HttpRequest, key: str) -> Answer:
        stored = self._bucket.get(key)
        if stored is None:
            return error(404, "NoSuchKey", "The specified key does not exist.", Key=key)
        wanted = request.headers.get("if-match")
        if wanted not in (None, "*", stored.etag):
            message = "At least one of the pre-conditions you specified did not hold"
            return error(412, "PreconditionFailed", message, Condition="If-Match")
        begin, end = asked_range(request, stored.size)
        if end is None:
            return self.whole(request, stored)
        if begin >= end:
            refused = error(416, "InvalidRange", "The requested range is not satisfiable")
            refused.headers["Content-Range"] = f"bytes */{stored.size}"
            return refused
        return self.part(request, stored, begin, end)

    def whole(self, request: HttpRequest, stored: StoredObject) -> Answer:
        return self._object(200, request, stored, 0, stored.size)

    def part(self, request: HttpRequest, stored: StoredObject, begin: int, end: int) -> Answer:
        answer = self._object(206, request, stored, begin, end)
        answer.headers["Content-Range"] = f"bytes {begin}-{end - 1}/{stored.size}"
        return answer

    def _object(
        self, status: int, request: HttpRequest, stored: StoredObject, begin: int, end: int
    ) -> Answer:
        headers: dict[str, object] = {
            "ETag": stored.etag,
            "Accept-Ranges": "bytes",
            "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT",
            "Content-Type": "binary/octet-stream",
        }
        whole = end - begin == stored.size
        enabled = request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED"
        if self._algorithm and enabled and (whole or self._of_ranges):
            name, value = header(self._algorithm, self._checksum(self._algorithm, stored))
            headers |= {name: value, "x-amz-checksum-type": "FULL_OBJECT"}
        return Answer(status, headers, end - begin, self._bucket.pieces(stored, begin, end))

    def _checksum(self, algorithm: str, stored: StoredObject) -> int:
        cached = self._checksums.get(stored.name)
        if cached is None:
            cached = checksum(algorithm, self._bucket.pieces(stored, 0, stored.size))
            self._checksums[stored.name] = cached
        return cached


def flipped(pieces: Iterable[memoryview], position: int) -> Iterator[memoryview]:
    """The pieces with one bit of the byte at this position flipped."""
    for piece in pieces:
        if 0 <= position < len(piece):
            changed = bytearray(piece)
            changed[position] ^= 0x10
            yield memoryview(changed)
        else:
            yield piece
        position -= len(piece)


def cut(pieces: Iterable[memoryview], length: int) -> Iterator[memoryview]:
    """The first `length` bytes of the pieces."""
    for piece in pieces:
        if length <= 0:
            return
        yield piece[:length]
        length -= len(piece)


def rest(pieces: Iterable[memoryview], begin: int) -> Iterator[memoryview]:
    """What is left of the pieces from this position on."""
    for piece in pieces:
        yield piece[max(0, begin) :]
        begin -= len(piece)
