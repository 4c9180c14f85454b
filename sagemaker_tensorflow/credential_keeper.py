"""Keeps the engine's credentials fresh: before they expire, and after S3 has refused them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_tensorflow.errors import PipeModeDatasetException
from sagemaker_tensorflow.s3_errors import translated_s3_errors

if TYPE_CHECKING:
    from botocore.credentials import Credentials, ReadOnlyCredentials

_log = logging.getLogger(__name__)

# botocore refreshes temporary credentials when they are asked for less than 15 minutes before
# their end, so asking every minute leaves many tries before they expire.
_REFRESH_SECONDS = 60.0
# How long a thread waits for a refusal before it looks whether it is to end. The engine waits 10 s
# for the answer.
_WAIT_SECONDS = 0.2
_CANNOT_REFRESH = (PipeModeDatasetException, BotoCoreError, ClientError, OSError)


class CredentialSink(Protocol):
    """What signs with credentials: the engine's S3Source."""

    def set_credentials(self, access_key: str, secret_key: str, session_token: str = "") -> None:
        """Signs with these from now on; answers a refusal."""

    def wait_refused(self, timeout: float) -> bool:
        """Whether a refusal is unanswered, waiting `timeout` seconds for one."""


@dataclass
class _Watched:
    sink: CredentialSink
    given: ReadOnlyCredentials = field(repr=False)

    def give(self, credentials: ReadOnlyCredentials) -> None:
        self.given = credentials
        self.sink.set_credentials(
            credentials.access_key or "", credentials.secret_key or "", credentials.token or ""
        )


class CredentialKeeper:
    """Gives credentials to sinks, each of which is watched by a thread of its own. Thread-safe.

    botocore's credentials refresh themselves when they know their end. When S3 refuses them all the
    same, they are resolved from scratch: by a new session, which asks every provider and reads
    every file again. A refusal leads to one such attempt at most, also when several sinks see it.

    Args:
        credentials: Those to begin with.
        resolve: Finds them anew.
        refresh_seconds: How often botocore is asked for newer ones.
    """

    def __init__(
        self,
        credentials: Credentials,
        resolve: Callable[[], Credentials],
        refresh_seconds: float = _REFRESH_SECONDS,
    ) -> None:
        self._credentials = credentials
        self._resolve = resolve
        self._refresh_seconds = refresh_seconds
        # Held while credentials are asked for, so that older ones never overtake newer ones.
        self._lock = threading.Lock()
        self._resolved_at = float("-inf")
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []

    def keep(self, sink: CredentialSink) -> None:
        """Gives the credentials to `sink`, now and whenever they change, until `close`.

        Raises:
            PermissionDeniedError: They have to be refreshed and cannot be.
        """
        with self._lock, translated_s3_errors("refreshing the credentials"):
            frozen = self._credentials.get_frozen_credentials()
            watched = _Watched(sink, frozen)
            watched.give(frozen)
            thread = threading.Thread(
                target=self._watch, args=(watched,), name="smtf-credentials", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """Stops refreshing. Idempotent."""
        self._closed.set()
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(timeout=1)

    def _watch(self, watched: _Watched) -> None:
        refresh_at = time.monotonic() + self._refresh_seconds
        while not self._closed.is_set():
            wait = min(_WAIT_SECONDS, max(0.0, refresh_at - time.monotonic()))
            if watched.sink.wait_refused(wait):
                self._answer(watched, noticed_at=time.monotonic())
            elif time.monotonic() >= refresh_at:
                self._refresh(watched)
                refresh_at = time.monotonic() + self._refresh_seconds

    def _refresh(self, watched: _Watched) -> None:
        with self._lock:
            try:
                frozen = self._credentials.get_frozen_credentials()
            except _CANNOT_REFRESH as error:
                # Those in use may be good for minutes yet; S3 says so when they are not.
                _log.warning("cannot refresh the S3 credentials, will try again: %s", error)
                return
            if frozen != watched.given:
                watched.give(frozen)

    def _answer(self, watched: _Watched, noticed_at: float) -> None:
        with self._lock:
            if not watched.sink.wait_refused(0):
                return
            newest = watched.given
            try:
                newest = self._newest(watched.given, noticed_at)
            except _CANNOT_REFRESH as error:
                _log.warning("S3 refused the credentials and others cannot be had: %s", error)
            # Also when they are the same: this ends the wait of the requests that were refused.
            watched.give(newest)

    def _newest(self, refused: ReadOnlyCredentials, noticed_at: float) -> ReadOnlyCredentials:
        frozen = self._credentials.get_frozen_credentials()
        if frozen == refused and self._resolved_at < noticed_at:
            _log.info("S3 refused the credentials: asking boto3's providers again")
            try:
                self._credentials = self._resolve()
            finally:
                self._resolved_at = time.monotonic()
            frozen = self._credentials.get_frozen_credentials()
        return frozen
