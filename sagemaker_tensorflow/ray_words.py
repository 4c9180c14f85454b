"""What Ray says of an actor that is gone, in a line."""

from __future__ import annotations

import re

from sagemaker_tensorflow.errors import FailedPreconditionError

# Ray begins with what happened and ends with the reason.
_FIRST_LETTERS = 120
_LAST_LETTERS = 240
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
# How Python says, somewhere in Ray's words, that a node has not got this package.
_NOT_INSTALLED = "No module named 'sagemaker_tensorflow"


def words_of(error: Exception) -> str:
    """The beginning and the end of one of Ray's errors, without colours and line breaks.

    Raises:
        FailedPreconditionError: The error is that a node has not got this package.
    """
    words = " ".join(_COLOURS.sub("", str(error)).split())
    if _NOT_INSTALLED in words:
        raise FailedPreconditionError(
            "a node of the Ray cluster does not find the package sagemaker_tensorflow: install "
            f"the same version on every node; Ray says: {_short(words)}"
        ) from error
    return _short(words)


def _short(words: str) -> str:
    if len(words) <= _FIRST_LETTERS + _LAST_LETTERS:
        return words
    return f"{words[:_FIRST_LETTERS]} ... {words[-_LAST_LETTERS:]}"
