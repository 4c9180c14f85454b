"""Whether the endpoint answers, and what its clock says."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sagemaker_tensorflow.doctor.check import Check, ok, problem, skipped, warning
from sagemaker_tensorflow.doctor.time_limit import within
from sagemaker_tensorflow.doctor.units import duration
from sagemaker_tensorflow.errors import DeadlineExceededError

# For each step of a connection, and for all of them with the name's resolution.
_STEP_SECONDS = 5.0
_LIMIT_SECONDS = 12.0
# S3 refuses requests that are signed with a clock further off (RequestTimeTooSkewed).
_MOST_SKEW_SECONDS = 15 * 60
# A clock that is set by NTP is off by milliseconds, and the header counts whole seconds.
_SUSPECT_SKEW_SECONDS = 60

_UNREACHABLE = "look at the firewall or security group, the route or VPC endpoint, and the proxy"


@dataclass(frozen=True)
class Answer:
    """What came back for an unsigned request, whatever its status.

    Attributes:
        seconds: From opening the connection to the answer.
        skew: This clock less the server's, in seconds; None without a Date header.
    """

    seconds: float
    skew: float | None


class _StayHere(urllib.request.HTTPRedirectHandler):
    """S3 redirects strangers to its advertisement."""

    def redirect_request(self, *_: Any) -> None:
        return None


def ask_endpoint(url: str, ca_bundle: str) -> Answer:
    """Sends one unsigned request, as nothing but reaching the endpoint is tried.

    Raises:
        OSError: It cannot be reached.
        http.client.HTTPException: What answers does not speak HTTP.
    """
    request = urllib.request.Request(url, headers={"User-Agent": "smtf-doctor"})  # noqa: S310
    handlers: list[urllib.request.BaseHandler] = [_StayHere()]
    if url.startswith("https:"):
        context = ssl.create_default_context()
        context.load_verify_locations(
            **({"capath": ca_bundle} if Path(ca_bundle).is_dir() else {"cafile": ca_bundle})
        )
        handlers.append(urllib.request.HTTPSHandler(context=context))
    began = time.monotonic()
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=_STEP_SECONDS) as answer:
            headers = answer.headers
    except urllib.error.HTTPError as refusal:  # an answer, too
        headers = refusal.headers
        refusal.close()
    return Answer(time.monotonic() - began, _skew(headers.get("Date"), time.time()))


def _skew(date: str | None, now: float) -> float | None:
    try:
        return now - parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return None


def check_endpoint(url: str, ca_bundle: str, origin: str) -> list[Check]:
    """The endpoint, then the clock."""
    found = f"{url} ({origin})"
    no_clock = skipped("clock", "the endpoint does not answer")
    if urlsplit(url).scheme not in ("http", "https"):
        advice = "give an http or https URL, such as https://host:9000"
        return [problem("endpoint", f"{found} is none", advice), no_clock]
    try:
        answer = within(_LIMIT_SECONDS, url, lambda: ask_endpoint(url, ca_bundle))
    except (OSError, http.client.HTTPException, DeadlineExceededError) as error:
        seen, advice = _explain(error)
        return [problem("endpoint", f"{found}: {seen}", advice), no_clock]
    return [
        ok(
            "endpoint",
            f"{found} answers after {duration(answer.seconds)}, connecting included",
            seconds=answer.seconds,
        ),
        judge_clock(answer.skew),
    ]


def _explain(error: Exception) -> tuple[str, str]:
    """What was seen, and what to do."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, socket.gaierror):
        return f"its name is not known ({reason.strerror})", "look at its spelling, and at DNS"
    if isinstance(reason, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted: {reason.verify_message}",
            "set AWS_CA_BUNDLE to the PEM file of the authority that signed it",
        )
    if isinstance(reason, ssl.SSLError):
        return f"no TLS: {reason.reason or reason}", "is it http instead of https?"
    if isinstance(reason, DeadlineExceededError):
        return f"no answer within {_LIMIT_SECONDS:.0f} s", _UNREACHABLE
    if isinstance(reason, TimeoutError):
        return f"no answer within {_STEP_SECONDS:.0f} s", _UNREACHABLE
    if isinstance(reason, ConnectionRefusedError):
        return "connection refused", "is the server, or the proxy, running, and is the port right?"
    if isinstance(reason, http.client.HTTPException):
        return f"what answers does not speak HTTP: {reason!r}", "look at scheme and port"
    return str(reason), _UNREACHABLE


def judge_clock(skew: float | None) -> Check:
    """Whether signatures of this clock are accepted."""
    if skew is None:
        return skipped("clock", "the endpoint's answer has no date")
    ahead = "ahead of" if skew > 0 else "behind"
    found = f"{abs(skew):.0f} s {ahead} the server's"
    if abs(skew) > _MOST_SKEW_SECONDS:
        return problem(
            "clock", f"{found}; S3 accepts 15 minutes", "set this machine's clock", skew=skew
        )
    if abs(skew) > _SUSPECT_SKEW_SECONDS:
        return warning("clock", found, "set this machine's clock, before it is 15 min", skew=skew)
    return ok("clock", "agrees with the server's" if abs(skew) < 2 else found, skew=skew)
