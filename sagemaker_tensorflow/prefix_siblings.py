"""Finds out whether a key prefix matches more than the folder or object that it looks like.

SageMaker and S3 match character by character: ``s3://b/train`` is the folder ``train/``, and also
``training/`` and ``train.old``. Many users meant the first only.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sagemaker_tensorflow.errors import PipeModeDatasetException
from sagemaker_tensorflow.listing import ListedObject
from sagemaker_tensorflow.locations import S3Location

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_log = logging.getLogger(__name__)

# Enough to see "train/" behind some "train-1", "train.x": these come before it in S3's order.
_NAMES = 100


def find_sibling(prefix: str, keys: Iterable[str]) -> str | None:
    """A folder or object that `prefix` matches besides the one that it names, if there is one.

    A prefix that names neither, such as ``data/part-``, is meant as it stands: None.

    Args:
        prefix: Of all `keys`.
        keys: Of objects, or of folders, which end in ``/``.
    """
    if not prefix or prefix.endswith("/"):
        return None
    names = {prefix + (key[len(prefix) :].partition("/")[0]) for key in keys}
    # What follows the prefix is "" for its own folder and its own object.
    return min(names - {prefix}, default=None) if prefix in names else None


def warn_of_sibling(
    client: S3Client, location: S3Location, objects: Iterable[ListedObject] | None
) -> None:
    """Logs a warning if there is one.

    Args:
        client: For a request, if one is needed.
        location: The prefix.
        objects: Everything under it, or None when that is more than is known.
    """
    prefix = location.prefix
    if not prefix or prefix.endswith("/"):
        return
    if objects is not None:
        keys = [name for name, _, _ in objects]
    else:
        try:
            keys = _names_at(client, location)
        except PipeModeDatasetException as error:
            _log.debug("cannot look for siblings of %s: %s", location, error)
            return
    sibling = find_sibling(prefix, keys)
    if sibling is not None:
        _log.warning(
            "%s also matches s3://%s/%s, because a prefix is matched character by character; "
            "end it with / to mean the folder",
            location,
            location.bucket,
            sibling,
        )


def _names_at(client: S3Client, location: S3Location) -> list[str]:
    """The objects and folders that the prefix matches, in S3's order; not all if they are many."""
    from sagemaker_tensorflow.s3_errors import translated_s3_errors  # and botocore: see listing.py

    with translated_s3_errors(f"listing {location}"):
        answer = client.list_objects_v2(
            Bucket=location.bucket, Prefix=location.prefix, Delimiter="/", MaxKeys=_NAMES
        )
    folders = [item["Prefix"] for item in answer.get("CommonPrefixes", [])]
    return folders + [item["Key"] for item in answer.get("Contents", [])]
