"""Calls of ``inference.py`` with ModelClientConfig's timeout and retries."""

from __future__ import annotations

import threading
import time

from sagemaker_tensorflow.errors import DeadlineExceededError
from sagemaker_tensorflow.transform.handlers import HandlerError, HandlerResult, Handlers
from sagemaker_tensorflow.transform.timed_calls import TimedCaller

_FIRST_BACKOFF_SECONDS = 0.1
_LONGEST_BACKOFF_SECONDS = 5.0


class HandlerCalls:
    """Has a script answer payloads, one for each thread that calls.

    As with InvocationsMaxRetries, whatever fails is tried again: a script may call what is only
    sometimes there. A call that takes too long goes on in a thread that nobody waits for; see
    `TimedCaller`.

    Attributes:
        retries: Calls that were repeated.
    """

    def __init__(
        self,
        handlers: Handlers,
        content_type: str,
        accept: str,
        timeout_seconds: float,
        max_retries: int,
    ) -> None:
        """Takes the job's ContentType, Accept, and the numbers for one call."""
        self.retries = 0
        self._handlers = handlers
        self._content_type = content_type
        self._accept = accept
        self._timeout = timeout_seconds
        self._max_retries = max_retries
        self._lock = threading.Lock()
        self._of_thread = threading.local()

    def __call__(self, payload: bytes) -> HandlerResult:
        """The script's answer to one payload.

        Raises:
            HandlerError: The script failed, and so did all retries.
            DeadlineExceededError: It took too long each time.
        """
        tries = 0
        while True:
            try:
                return self._caller().call(
                    lambda: self._handlers.transform(payload, self._content_type, self._accept),
                    self._timeout,
                )
            except (HandlerError, DeadlineExceededError):
                if tries == self._max_retries:
                    raise
            time.sleep(min(_LONGEST_BACKOFF_SECONDS, _FIRST_BACKOFF_SECONDS * 2.0**tries))
            tries += 1
            with self._lock:
                self.retries += 1

    def _caller(self) -> TimedCaller:
        caller: TimedCaller | None = getattr(self._of_thread, "caller", None)
        if caller is None:
            caller = self._of_thread.caller = TimedCaller()
        return caller
