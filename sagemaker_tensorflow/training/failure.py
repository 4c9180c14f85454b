"""Why a script failed, as DescribeTrainingJob's FailureReason says it."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from sagemaker_tensorflow.errors import InternalError, PipeModeDatasetException

# FailureReason has no more; of output/failure so much counts ("How Amazon SageMaker AI Signals
# Algorithm Success and Failure").
MOST_CHARACTERS = 1024
_TAIL_BYTES = 4096
_TAIL_CHARACTERS = 700


def failure_reason(status: int, entry_point: str, failure: Path, log: Path) -> str:
    """What the script wrote to ``output/failure``, or else the end of its log.

    Args:
        status: Its exit status, negative for a signal.
        entry_point: Its name.
        failure: The file.
        log: Of the script.

    Returns:
        At most 1024 characters.
    """
    how = _how(status)
    text = _read(failure)
    if text:
        head = "AlgorithmError: "
        return f"{head}{text[: MOST_CHARACTERS - len(head) - len(how) - 2]}, {how}"
    tail = _tail(log)
    words = f"; its last words: {tail}" if tail else "; it printed nothing"
    return f"AlgorithmError: {entry_point}: {how}{words}"[:MOST_CHARACTERS]


def error_reason(error: PipeModeDatasetException) -> str:
    """What an error means for a job: whose it is, and its words; of an actor's, those it raised."""
    whose = "InternalServerError" if isinstance(error, InternalError) else "ClientError"
    return f"{whose}: {getattr(error, 'cause', error)}"


def _how(status: int) -> str:
    if status >= 0:
        return f"exit code: {status}"
    hint = " (for lack of memory?)" if -status == signal.SIGKILL else ""
    return f"ended by {signal.Signals(-status).name}{hint}"


def _read(failure: Path) -> str:
    with contextlib.suppress(OSError), failure.open("rb") as file:
        return file.read(4 * MOST_CHARACTERS).decode(errors="replace").strip()
    return ""


def _tail(log: Path) -> str:
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
        text = file.read().decode(errors="replace").strip()
        cut = text[-_TAIL_CHARACTERS:]
        return cut if cut == text else cut.partition("\n")[2] or cut  # whole lines
    return ""
