"""Calls that are waited for only so long."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from sagemaker_tensorflow.errors import DeadlineExceededError

_Answer = TypeVar("_Answer")


class TimedCaller:
    """Makes calls in a thread of its own, which is given up when one takes too long.

    Nothing can end a thread that is inside TensorFlow. One that is given up goes on by itself,
    with what memory and device it holds, and ends when its call returns; a new thread makes the
    next call. It is a daemon, so it does not keep the process. For one calling thread.
    """

    def __init__(self) -> None:
        self._requests: queue.SimpleQueue[_Request | None] | None = None

    def call(self, function: Callable[[], _Answer], seconds: float) -> _Answer:
        """Returns what the function returns, or raises what it raises.

        Raises:
            DeadlineExceededError: It did neither in time.
        """
        if self._requests is None:
            self._requests = queue.SimpleQueue()
            threading.Thread(
                target=_serve, args=(self._requests,), name="smtf-model-call", daemon=True
            ).start()
        answers: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        self._requests.put((function, answers))
        try:
            answer, error = answers.get(timeout=seconds)
        except queue.Empty:
            self.close()
            raise DeadlineExceededError(
                f"a call gave no answer within {seconds:g} s; allow more "
                "(InvocationsTimeoutInSeconds) or give it smaller batches"
            ) from None
        if error is not None:
            raise error
        result: _Answer = answer
        return result

    def close(self) -> None:
        """Lets the thread end when it is done."""
        if self._requests is not None:
            self._requests.put(None)
            self._requests = None

    def __del__(self) -> None:
        self.close()


_Request = tuple[Callable[[], Any], "queue.SimpleQueue[tuple[Any, BaseException | None]]"]


def _serve(requests: queue.SimpleQueue[_Request | None]) -> None:
    while (request := requests.get()) is not None:
        function, answers = request
        try:
            answers.put((function(), None))
        except BaseException as error:  # it is raised where the call is waited for
            answers.put((None, error))
        del request, function, answers  # they hold arrays
