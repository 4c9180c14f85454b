"""ManifestFile: a JSON array of objects' names behind a common prefix.

``[{"prefix": "s3://bucket/some/prefix/"}, "relative/path-1", "relative/path-2", ...]`` stands for
``s3://bucket/some/prefix/relative/path-1`` and so on, by plain concatenation (CreateTrainingJob,
S3DataSource's S3Uri).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sagemaker_tensorflow.errors import InvalidArgumentError, NotFoundError
from sagemaker_tensorflow.locations import Location, S3Location, parse_location

# How many missing objects a message names.
NAMED_MISSING = 20


@dataclass(frozen=True)
class Manifest:
    """What a manifest names, in its order and as often as it does.

    Attributes:
        bucket: Of all objects; None when they are local files.
        names: Keys, or absolute paths.
        entries: What the manifest says behind its prefix, for each of the names.
    """

    bucket: str | None
    names: list[str]
    entries: list[str] = field(default_factory=list, compare=False, repr=False)


def parse_manifest(data: bytes, where: str, folder: Path | None = None) -> Manifest:
    """Reads a manifest.

    Args:
        data: Its bytes.
        where: Its own name, for messages.
        folder: Where it lies, if it is a local file: it may then name local files too, and their
            relative paths begin there.

    Raises:
        InvalidArgumentError: It is not such a manifest; says where it goes wrong.
    """
    try:
        items = json.loads(data)
    except ValueError as error:
        raise InvalidArgumentError(f"{where} is not JSON: {error}") from error
    prefix = _prefix(items, where)
    first: Location | None = None
    names: list[str] = []
    for index, suffix in enumerate(items[1:], start=1):
        item = f"{where}, item {index}"
        if not isinstance(suffix, str):
            raise InvalidArgumentError(f"{item}: {suffix!r} is not a string")
        location = parse_reference(prefix + suffix, item, folder)
        first = first or location
        names.append(_name(location, first, item))
    if first is None:
        raise InvalidArgumentError(f"{where} names no object: only its prefix is there")
    return Manifest(first.bucket if isinstance(first, S3Location) else None, names, items[1:])


def parse_reference(uri: str, where: str, folder: Path | None) -> Location:
    """Reads what a manifest says an object is called; `folder` as for `parse_manifest`.

    Raises:
        InvalidArgumentError: It is not an object's name, or a local one in a manifest from S3.
    """
    try:
        location = parse_location(uri, folder)
    except InvalidArgumentError as error:
        raise InvalidArgumentError(f"{where}: {error}") from error
    if isinstance(location, S3Location):
        if not location.prefix:
            raise InvalidArgumentError(f"{where}: {uri!r} is a bucket and not an object")
    elif folder is None:
        raise InvalidArgumentError(
            f"{where}: {uri!r} is no S3 URI; a manifest that lies in S3 names S3 objects only"
        )
    return location


def missing_error(where: str, missing: Sequence[str], all_known: bool) -> NotFoundError:
    """The error of a manifest that names what is not there."""
    named = ", ".join(missing[:NAMED_MISSING])
    more = len(missing) - NAMED_MISSING
    rest = f", and {more} more" if more > 0 else ""
    least = "" if all_known else "at least "
    return NotFoundError(
        f"{where} names objects that are not there, {least}{len(missing)}: {named}{rest}"
    )


def _prefix(items: Any, where: str) -> str:
    if not isinstance(items, list) or not items:
        raise InvalidArgumentError(f'{where} is not a JSON array: give [{{"prefix": ...}}, ...]')
    head = items[0]
    if not isinstance(head, dict) or set(head) != {"prefix"}:
        raise InvalidArgumentError(
            f'{where}: its first item is {json.dumps(head)[:80]}, not {{"prefix": "s3://..."}}'
        )
    prefix = head["prefix"]
    if not isinstance(prefix, str) or not prefix:
        raise InvalidArgumentError(f"{where}: its prefix is {prefix!r}, not an S3 URI")
    return prefix


def _name(location: Location, first: Location, item: str) -> str:
    if isinstance(location, S3Location) and isinstance(first, S3Location):
        if location.bucket == first.bucket:
            return location.prefix
    elif type(location) is type(first):
        return str(location)
    raise InvalidArgumentError(
        f"{item}: {location} is not in the same bucket as {first}; a manifest has one bucket"
    )
