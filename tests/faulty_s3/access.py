"""Who may ask: access keys with a life, and SigV4 as S3 checks it.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, quote

from tests.faulty_s3.http_connection import HttpRequest


@dataclass(frozen=True)
class Refusal:
    status: int
    code: str
    message: str
    region: str | None = None


@dataclass(frozen=True)
class AccessKey:
    """`expires` is a time of `time.time`; the token is that of temporary credentials."""

    id: str
    secret: str
    token: str | None = None
    expires: float | None = None


class Access:
    """The keys that are good. While there is none, everyone may read. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, AccessKey] = {}
        self._numbers: dict[str, int] = {}

    def add(self, key: AccessKey) -> None:
        with self._lock:
            self._keys[key.id] = key

    def make_temporary(self, life: float) -> AccessKey:
        """New credentials with a session token, good for so many seconds."""
        key = AccessKey(
            f"ASIA{secrets.token_hex(8).upper()}",
            secrets.token_hex(20),
            secrets.token_hex(40),
            time.time() + life,
        )
        self.add(key)
        return key

    def expire(self) -> None:
        """Ends the life of every key, permanent ones too."""
        now = time.time()
        with self._lock:
            self._keys = {i: replace(key, expires=now) for i, key in self._keys.items()}

    def number(self, request: HttpRequest) -> int | None:
        """Which key a request was signed with, as a number that tells nothing about it."""
        key_id = _Authorization(request).key_id
        if not key_id:
            return None
        with self._lock:
            return self._numbers.setdefault(key_id, len(self._numbers))

    @staticmethod
    def region(request: HttpRequest) -> str:
        """For which region a request was signed; empty for an anonymous one."""
        return _Authorization(request).region

    def check(self, request: HttpRequest, regions: Sequence[str]) -> Refusal | None:
        """What is wrong with the request's signature, if anything."""
        if not self._keys:
            return None
        claim = _Authorization(request)
        if not claim.key_id:
            return Refusal(403, "AccessDenied", "Access Denied")
        key = self._keys.get(claim.key_id)
        if key is None:
            return Refusal(403, "InvalidAccessKeyId", "The AWS Access Key Id does not exist.")
        if key.token is not None and request.headers.get("x-amz-security-token") != key.token:
            return Refusal(400, "InvalidToken", "The provided token is malformed or invalid.")
        if key.expires is not None and time.time() >= key.expires:
            return Refusal(400, "ExpiredToken", "The provided token has expired.")
        if claim.region not in regions:
            return Refusal(
                400,
                "AuthorizationHeaderMalformed",
                f"the region '{claim.region}' is wrong; expecting '{regions[0]}'",
                regions[0],
            )
        if not hmac.compare_digest(claim.signature, claim.expected_signature(key.secret)):
            return Refusal(403, "SignatureDoesNotMatch", "The signature does not match.")
        return None


class _Authorization:
    """The parts of an Authorization header; `key_id` is empty when there is none."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
        scope = fields.get("Credential", "").split("/")
        well_formed = scheme == "AWS4-HMAC-SHA256" and len(scope) == 5
        self.key_id, self._date, self.region, *_ = scope if well_formed else ("", "", "")
        self._scope = "/".join(scope[1:])
        self._signed = fields.get("SignedHeaders", "").split(";")
        self.signature = fields.get("Signature", "")

    def expected_signature(self, secret: str) -> str:
        time_stamp = self._request.headers.get("x-amz-date", "")
        request_hash = hashlib.sha256(self._canonical_request()).hexdigest()
        to_sign = f"AWS4-HMAC-SHA256\n{time_stamp}\n{self._scope}\n{request_hash}"
        key = f"AWS4{secret}".encode()
        for part in (self._date, self.region, "s3", "aws4_request", to_sign):
            key = hmac.digest(key, part.encode(), "sha256")
        return key.hex()

    def _canonical_request(self) -> bytes:
        request = self._request
        query = parse_qsl(request.query, keep_blank_values=True)
        pairs = sorted((quote(name, safe="-_.~"), quote(v, safe="-_.~")) for name, v in query)
        headers = [
            f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in self._signed
        ]
        lines = [
            request.method,
            request.path,
            "&".join(f"{name}={value}" for name, value in pairs),
            "".join(headers),
            ";".join(self._signed),
            request.headers.get("x-amz-content-sha256", ""),
        ]
        return "\n".join(lines).encode()
