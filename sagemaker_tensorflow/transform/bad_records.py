"""The error of one record, which need not be the error of a job."""

from __future__ import annotations

from sagemaker_tensorflow.errors import InvalidArgumentError


class BadRecordError(InvalidArgumentError):
    """A record that cannot be decoded, filtered or joined. The message is the reason, in a line.

    Which record it is says whoever catches it.
    """
