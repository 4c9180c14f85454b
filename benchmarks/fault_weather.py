"""Faults that come and go: a few percent of everything, and now and then a storm."""

from __future__ import annotations

import random
import threading

from tests.faulty_s3 import Fault, FaultyS3

_PERIOD_SECONDS = 5.0
_STORM_CHANCE = 0.25
# Once in such a period, not more: a request is sent again with new credentials once, so keys that
# expire twice while it waits are an error, and rightly so.
_EXPIRY_CHANCE = 0.15

# All that can be recovered from, with the largest share of the requests that gets it. Bodies that
# stall cost `stall_seconds` or a hedge each, so they are few.
_RATES = {
    "slow_down": 0.03,
    "internal_error": 0.03,
    "reset": 0.03,
    "reset_in_body": 0.03,
    "cut": 0.03,
    "stall": 0.003,
    "stall_in_body": 0.003,
    "drip": 0.003,
    "ignore_range": 0.02,
    "redirect": 0.01,
    "wrong_region": 0.01,
    "flip": 0.02,
}
_STORMS = ("slow_down", "internal_error", "reset")


class FaultWeather:
    """Changes the server's faults every few seconds, as its seed says, until `end`.

    Listings get the first three kinds too.
    """

    def __init__(self, s3: FaultyS3, seed: int) -> None:
        self._s3 = s3
        self._dice = random.Random(seed)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.storms = 0

    def begin(self) -> None:
        """Starts a thread that changes it."""
        self._thread.start()

    def end(self) -> None:
        """Clear skies."""
        self._end.set()
        self._thread.join()
        self._s3.set_faults()

    def _run(self) -> None:
        while not self._end.wait(_PERIOD_SECONDS):
            self._s3.set_faults(*self._next())

    def _next(self) -> list[Fault]:
        faults = [self._fault(kind, rate) for kind, rate in _RATES.items()]
        # The chance of a request depends on the fault's place in the list.
        self._dice.shuffle(faults)
        if self._dice.random() < _EXPIRY_CHANCE:
            faults.append(Fault("expire", rate=0.01, count=1))
        if self._dice.random() >= _STORM_CHANCE:
            return faults
        self.storms += 1
        storm = Fault(
            self._dice.choice(_STORMS),
            rate=self._dice.uniform(0.5, 1),
            lasts=self._dice.uniform(0.5, 3),
            retry_after=self._dice.choice([None, 1]),
        )
        return [storm, *faults]

    def _fault(self, kind: str, most: float) -> Fault:
        dice = self._dice
        return Fault(
            kind,
            rate=dice.uniform(0, most),
            # Only what fits into a part is verified before it is passed on; a flipped bit of
            # anything larger would rightly end its epoch.
            keys="small/*" if kind == "flip" else "*",
            methods=("GET", "LIST") if kind in _STORMS else ("GET",),
            retry_after=dice.choice([None, 1]) if kind == "slow_down" else None,
            at=dice.random(),
            bytes_per_second=dice.uniform(20_000, 500_000),
        )
