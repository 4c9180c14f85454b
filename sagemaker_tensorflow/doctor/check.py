"""What a check says: one line of the doctor's screen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

Status: TypeAlias = Literal["ok", "warning", "problem", "skipped"]

# "user:password@" in the URL of a proxy or an endpoint.
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Texts are put into one line, and URLs in them lose their user and password.

    Attributes:
        name: What was looked at, in a word or two.
        status: "skipped" where something else that is needed is missing.
        found: What was seen.
        advice: What to do; empty where there is nothing to do.
        numbers: Those that a program may want, in bytes, seconds and bytes per second.
    """

    name: str
    status: Status
    found: str
    advice: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("found", "advice"):
            object.__setattr__(self, name, _printable(getattr(self, name)))


@dataclass(frozen=True)
class Section:
    """The checks of one subject."""

    title: str
    checks: list[Check]

    def to_json(self) -> dict[str, Any]:
        """A JSON object with all of it."""
        return asdict(self)


def ok(name: str, found: str, **numbers: float) -> Check:
    """As it should be."""
    return Check(name, "ok", found, numbers=numbers)


def warning(name: str, found: str, advice: str, **numbers: float) -> Check:
    """It works, but not as well as it could, or not for long."""
    return Check(name, "warning", found, advice, numbers)


def problem(name: str, found: str, advice: str, **numbers: float) -> Check:
    """It does not work."""
    return Check(name, "problem", found, advice, numbers)


def skipped(name: str, why: str, advice: str = "") -> Check:
    """It could not be looked at."""
    return Check(name, "skipped", why, advice)


def _printable(text: str) -> str:
    line = " ".join(_USER_INFO.sub("***@", text).split())
    return "".join(c if c.isprintable() else "?" for c in line)
