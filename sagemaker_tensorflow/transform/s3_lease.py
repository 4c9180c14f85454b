"""The lease of a job whose results go to S3: an object with the name of the run that has it.

The run writes it anew every 15 s. Another one takes it over

- at once, when the run has ended, or its process is known to be dead because it was one of this
  machine (same boot, same pid namespace);
- when it has not been renewed for 60 s, whoever had it: that is waited for, so that after a crash
  of a whole machine nothing has to be done by hand.

A run that is alive is met by an error: at once on its own machine, from elsewhere after the next
renewal. Each version replaces the one that was seen (`conditional_object`), so that of two runs
that begin together one is told.

A run that sleeps for longer, such as a suspended machine, finds out at its next renewal and ends
with an error. What it writes until then does no harm: both runs make the same results.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import threading
import time
from types import TracebackType

from sagemaker_tensorflow.errors import (
    FailedPreconditionError,
    PipeModeDatasetException,
    UnavailableError,
)
from sagemaker_tensorflow.transform.conditional_object import ConditionalObject, Seen
from sagemaker_tensorflow.transform.job_lease import runs_already
from sagemaker_tensorflow.transform.lease_holder import LeaseHolder
from sagemaker_tensorflow.transform.s3_output_store import S3OutputStore

_log = logging.getLogger(__name__)

# A request costs 0.000005 dollars, so a day of renewals 3 cents; three may fail in a row.
RENEW_SECONDS = 15.0
LAPSE_SECONDS = 60.0
# Between two looks at somebody else's lease.
_LOOK_SECONDS = 1.0
# Where writing is not atomic: longer than from looking to having written, so that of several who
# write at a time all see the last one.
_SETTLE_SECONDS = 3.0
_MOST_TRIES = 20

# Tokens of this process's runs that go on: one that ended badly may have left its name behind.
_running: set[str] = set()


class S3Lease:
    """An object that is renewed. A context manager.

    Args:
        store: The job's output, whose requests fail once another run has taken over.
        name: Of the object, relative to the output path.
        holder: This run.
        renew_seconds: Between two renewals.
        lapse_seconds: Others' leases that were not renewed for so long are taken over.

    Raises:
        FailedPreconditionError: On entering: another run has it.
        PipeModeDatasetException: On entering: S3's answer.
    """

    def __init__(
        self,
        store: S3OutputStore,
        name: str,
        holder: LeaseHolder,
        renew_seconds: float = RENEW_SECONDS,
        lapse_seconds: float = LAPSE_SECONDS,
    ) -> None:
        self._store = store
        self._object = ConditionalObject(store, name)
        self._holder = holder
        self._renew_seconds = renew_seconds
        self._lapse_seconds = lapse_seconds
        self._etag = ""
        self._lost = ""
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="smtf-lease", daemon=True)

    def __enter__(self) -> S3Lease:
        _running.add(self._holder.token)
        try:
            self._take()
            self._make_sure()
        except BaseException:
            _running.discard(self._holder.token)
            raise
        self._store.guard(self.check)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed.set()
        self._thread.join()
        self._store.guard(None)
        _running.discard(self._holder.token)
        if self._lost:
            return
        self._holder = dataclasses.replace(self._holder, ended=True)
        try:
            self._object.write(self._holder.to_json(), self._etag)
        except PipeModeDatasetException as failure:
            _log.warning("the end of this run cannot be written down: %s", failure)

    def check(self) -> None:
        """Makes sure that this run still has the lease, as far as it knows.

        Raises:
            FailedPreconditionError: Another one has taken it over.
        """
        if self._lost:
            raise FailedPreconditionError(self._lost)

    def _take(self) -> None:
        watched = _Watch(self._object.uri, self._lapse_seconds)
        for _ in range(_MOST_TRIES):
            seen = self._object.read()
            while seen is not None and not watched.is_free(seen):
                time.sleep(_LOOK_SECONDS)
                seen = self._object.read()
            etag = self._object.write(self._holder.to_json(), seen.etag if seen else None)
            etag = etag or self._etag_if_ours(self._object.read())
            if etag:
                self._etag = etag
                return
            time.sleep(0.1)
        raise UnavailableError(
            f"{self._object.uri}: the store answered {_MOST_TRIES} conditional writes as if each "
            "time somebody else had just written; look at what writes there, and at the store's log"
        )

    def _make_sure(self) -> None:
        """Looks once more: a store may let several writes of the same moment be the first.

        Ceph's gateway does (`conditional_object`), and a store without conditions of course.
        """
        self._etag = self._object.find_out(self._holder.to_json(), self._etag)
        if not self._object.atomic:
            _log.warning(
                "%s: the store has no conditional writes, so two runs of this job that begin "
                "within the same %.0f s may not notice each other before %.0f s have passed",
                self._object.uri,
                _SETTLE_SECONDS,
                self._renew_seconds,
            )
            time.sleep(_SETTLE_SECONDS)
        seen = self._object.read()
        if not self._etag_if_ours(seen):
            other = LeaseHolder.from_json(seen.data) if seen else None
            raise runs_already(self._object.uri, other)

    def _etag_if_ours(self, seen: Seen | None) -> str:
        """Of the latest version, if this run has written it; else ""."""
        holder = LeaseHolder.from_json(seen.data) if seen else None
        ours = seen and holder and holder.token == self._holder.token
        return seen.etag if seen and ours else ""

    def _run(self) -> None:
        while not self._lost and not self._closed.wait(self._renew_seconds):
            try:
                self._renew()
            except PipeModeDatasetException as error:
                _log.warning("cannot say that this run goes on; tried again: %s", error)

    def _renew(self) -> None:
        self._holder = dataclasses.replace(self._holder, renewals=self._holder.renewals + 1)
        data = self._holder.to_json()
        etag = self._object.write(data, self._etag)
        if not etag:
            seen = self._object.read()
            etag = self._etag_if_ours(seen)  # the answer to the first try was lost
            if seen is None:  # somebody has removed it
                etag = self._object.write(data, None) or ""
            elif not etag:
                other = LeaseHolder.from_json(seen.data) or "somebody else"
                self._lost = (
                    f"{self._object.uri}: another run of this job took over, {other}, because this "
                    f"one had not been heard of for {self._lapse_seconds:.0f} s; results that are "
                    "there stay, and that run makes the others"
                )
        self._etag = etag or self._etag


class _Watch:
    """Looks again and again at a lease that somebody has."""

    def __init__(self, uri: str, lapse_seconds: float) -> None:
        self._uri = uri
        self._lapse_seconds = lapse_seconds
        self._etag = ""
        self._until = 0.0

    def is_free(self, seen: Seen) -> bool:
        """Whether a lease may be taken over.

        Raises:
            FailedPreconditionError: Its holder is alive.
        """
        holder = LeaseHolder.from_json(seen.data)
        if seen.age_seconds >= self._lapse_seconds or (holder and _is_over(holder)):
            return True
        if holder and holder.is_running():
            raise runs_already(self._uri, holder)
        if not self._etag:
            self._etag = seen.etag
            self._until = time.monotonic() + self._lapse_seconds - max(seen.age_seconds, 0)
            _log.warning(
                "%s: this job was begun %s, which cannot be asked from here; unless it says within "
                "%.0f s that it goes on, this run goes on in its place",
                self._uri,
                f"as {holder}" if holder else "by somebody else",
                self._until - time.monotonic(),
            )
        if seen.etag != self._etag:
            raise runs_already(self._uri, holder, _elsewhere(self._lapse_seconds))
        return time.monotonic() >= self._until


def _is_over(holder: LeaseHolder) -> bool:
    running = holder.is_running()
    ours = running and holder.pid == os.getpid()
    return running is False or (ours is True and holder.token not in _running)


def _elsewhere(lapse_seconds: float) -> str:
    return (
        f"; should that host be gone, its claim ends {lapse_seconds:.0f} s after it was heard of "
        "last"
    )
