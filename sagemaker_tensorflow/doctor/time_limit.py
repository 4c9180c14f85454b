"""Calls that come back, whatever they wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from sagemaker_tensorflow.errors import DeadlineExceededError

_T = TypeVar("_T")


def within(seconds: float, what: str, function: Callable[[], _T]) -> _T:
    """Runs `function` in a thread and returns what it returns, or raises what it raises.

    boto3's providers, name resolution and retries have limits of minutes, or none. A call that is
    given up goes on in its thread, which does not keep the process from ending.

    Raises:
        DeadlineExceededError: It did not come back in time; `what` says what was tried.
    """
    results: list[_T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="smtf-doctor", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise DeadlineExceededError(f"{what}: no answer within {seconds:.0f} s")
    return results[0]
