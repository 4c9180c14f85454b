"""Turns what the operating system refuses into this package's exceptions, as the C++ core does."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from sagemaker_tensorflow.errors import (
    FailedPreconditionError,
    InternalError,
    NotFoundError,
    PermissionDeniedError,
)

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def translated_os_errors(what: str) -> Iterator[None]:
    """Raises OSErrors as `PipeModeDatasetException`; `what` says what was tried."""
    try:
        yield
    except OSError as error:
        named = error.filename is None or str(error.filename) in what
        name = "" if named else f" {error.filename}"
        message = f"{what}:{name} {error.strerror or error}"
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            raise NotFoundError(message) from error
        if isinstance(error, PermissionError):
            raise PermissionDeniedError(message) from error
        if error.errno in _FULL:
            raise FailedPreconditionError(
                f"{message}: make room there, or use another disk"
            ) from error
        raise InternalError(message) from error


def make_directory(path: Path) -> None:
    """Makes a directory and those above it, unless it is there.

    Raises:
        PermissionDeniedError: It may not be made.
        NotFoundError: What should be a directory above it is none.
        FailedPreconditionError: The disk, or its user's share of it, is full.
        InternalError: A file is in its place.
    """
    with translated_os_errors("making a directory"):
        path.mkdir(parents=True, exist_ok=True)
