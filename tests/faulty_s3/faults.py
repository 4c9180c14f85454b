"""Which faults there are, and which request gets one."""

from __future__ import annotations

import fnmatch
import hashlib
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

KINDS = {
    # Instead of an answer.
    "slow_down": "503 SlowDown, with Retry-After if `retry_after` is given",
    "internal_error": "500 InternalError",
    "access_denied": "403 AccessDenied",
    "expired_token": "403 ExpiredToken, whatever the credentials are",
    "redirect": "307 to the server's other port, which answers",
    "redirect_loop": "307 from each port to the other",
    "wrong_region": "301 PermanentRedirect with x-amz-bucket-region, unless signed for that region",
    "reset": "the connection is reset before any answer",
    "stall": "no byte for ever, or the answer after `seconds`",
    # First something happens, then the request is answered as it deserves.
    "replace": "the object is replaced by another of the same size",
    "delete": "the object is deleted",
    "expire": "all credentials that were given out expire",
    # An answer that is wrong.
    "wrong_range": "206 with other bytes than were asked for, and a Content-Range that says so",
    "no_content_range": "206 without Content-Range",
    "ignore_range": "200 with the whole object",
    "flip": "a bit of the byte at the share `at` of the body is flipped",
    # A right answer, up to the share `at` of its body.
    "reset_in_body": "the connection is reset",
    "cut": "the connection is closed",
    "stall_in_body": "no byte for ever, or the rest after `seconds`",
    "drip": "the body comes at `bytes_per_second`",
}


@dataclass(frozen=True)
class Fault:
    """A kind of trouble, and who gets it. Every condition that is given has to hold.

    Attributes:
        kind: One of `KINDS`.
        rate: The share of the requests that match, chosen by the seed.
        count: So many in all.
        asks: Only the first so many times that the same range of the same key is asked for.
        keys: A pattern of `fnmatch`; of the prefix, when listing.
        methods: Of ``GET``, ``HEAD`` and ``LIST``.
        from_offset: Only ranges that begin here or later.
        lasts: Only so many seconds from when it is switched on.
        retry_after: Seconds.
        seconds: How long a stall takes; None is for ever.
        at: Where in the body, from 0 to 1.
        bytes_per_second: Of a drip.
    """

    kind: str
    rate: float = 1.0
    count: int | None = None
    asks: int | None = None
    keys: str = "*"
    methods: tuple[str, ...] = ("GET",)
    from_offset: int = 0
    lasts: float | None = None
    retry_after: float | None = None
    seconds: float | None = None
    at: float = 0.5
    bytes_per_second: float = 20_000

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is not a fault: {', '.join(KINDS)}")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Fault:
        return cls(**{**values, "methods": tuple(values.get("methods", ("GET",)))})


@dataclass(frozen=True)
class Asked:
    """What a request asks for, as far as faults are concerned."""

    method: str
    key: str
    begin: int = 0
    end: int | None = None


class FaultPlan:
    """The faults that are on. Thread-safe.

    Whether a request gets a fault with a `rate` depends on the seed and on what is asked for the
    how manyeth time, not on when it comes or what else goes on. Only `count` and `lasts` depend on
    the order and the time in which requests arrive.
    """

    def __init__(self, seed: int) -> None:
        self._seed = str(seed).encode()
        self._lock = threading.Lock()
        self._faults: tuple[Fault, ...] = ()
        self._since = 0.0
        self._given: Counter[int] = Counter()
        self._asked: Counter[Asked] = Counter()

    def set(self, faults: Sequence[Fault]) -> None:
        """Switches these on and all others off."""
        with self._lock:
            self._faults = tuple(faults)
            self._since = time.monotonic()
            self._given.clear()
            self._asked.clear()

    def decide(self, asked: Asked) -> Fault | None:
        """The first fault that this request gets, if any."""
        with self._lock:
            self._asked[asked] += 1
            nth = self._asked[asked]
            for number, fault in enumerate(self._faults):
                if self._applies(number, fault, asked, nth):
                    self._given[number] += 1
                    return fault
        return None

    def _applies(self, number: int, fault: Fault, asked: Asked, nth: int) -> bool:
        return (
            asked.method in fault.methods
            and asked.begin >= fault.from_offset
            and (fault.asks is None or nth <= fault.asks)
            and (fault.count is None or self._given[number] < fault.count)
            and (fault.lasts is None or time.monotonic() < self._since + fault.lasts)
            and fnmatch.fnmatchcase(asked.key, fault.keys)
            and (fault.rate >= 1 or self._chance(number, asked, nth) < fault.rate)
        )

    def _chance(self, number: int, asked: Asked, nth: int) -> float:
        text = f"{number} {asked.method} {asked.key} {asked.begin} {asked.end} {nth}"
        told = hashlib.blake2b(text.encode(), key=self._seed, digest_size=8).digest()
        return int.from_bytes(told, "little") / 2**64
