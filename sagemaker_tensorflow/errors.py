"""The package's exceptions: one tree, each class also the builtin that users already catch.

The names are those of the C++ core's error kinds (csrc/errors.h) with ``Error`` behind them.
"""

from __future__ import annotations


class PipeModeDatasetException(Exception):  # noqa: N818 - the original extension's name
    """Anything this package raises of its own."""


class InvalidArgumentError(PipeModeDatasetException, ValueError):
    """An argument, or a combination of arguments, that makes no sense."""


class NotFoundError(PipeModeDatasetException, FileNotFoundError):
    """A pipe, file, bucket or object that is not there."""


class PermissionDeniedError(PipeModeDatasetException, PermissionError):
    """The credentials or the file modes do not allow it."""


class DataLossError(PipeModeDatasetException, OSError):
    """Bytes are missing, corrupt or not what their writer announced."""


class CorruptRecordError(DataLossError):
    """A record that breaks its framing.

    Attributes:
        record_index: Which record of the stream, counted from 0.
        byte_offset: Where its header begins in the stream, in bytes.
    """

    record_index: int
    byte_offset: int


class DeadlineExceededError(PipeModeDatasetException, TimeoutError):
    """Something did not happen within its limit."""


class UnavailableError(PipeModeDatasetException, ConnectionError):
    """The other side cannot be reached or is gone."""


class FailedPreconditionError(PipeModeDatasetException, RuntimeError):
    """The world is not in the state that the call needs, such as an object that was replaced."""


class CancelledError(PipeModeDatasetException, InterruptedError):
    """The caller stopped it."""


class InternalError(PipeModeDatasetException, OSError):
    """The operating system refused something that should work."""


class TrainingJobFailedError(PipeModeDatasetException, RuntimeError):
    """A training job that ended as Failed; the message is its FailureReason."""


_BY_KIND: dict[str, type[PipeModeDatasetException]] = {
    "InvalidArgument": InvalidArgumentError,
    "NotFound": NotFoundError,
    "PermissionDenied": PermissionDeniedError,
    "DataLoss": DataLossError,
    "DeadlineExceeded": DeadlineExceededError,
    "Unavailable": UnavailableError,
    "FailedPrecondition": FailedPreconditionError,
    "Cancelled": CancelledError,
    "Internal": InternalError,
}


def error_of_kind(kind: str, message: str) -> PipeModeDatasetException:
    """Makes the exception for an error kind of the C++ core, such as ``"DataLoss"``."""
    return _BY_KIND.get(kind, InternalError)(message)


def kind_of_error(error: PipeModeDatasetException) -> str:
    """The reverse of `error_of_kind`, for errors that cross to the C++ core or to a process."""
    return next((kind for kind, cls in _BY_KIND.items() if isinstance(error, cls)), "Internal")
