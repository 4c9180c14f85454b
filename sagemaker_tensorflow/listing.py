"""The objects of a channel, page by page, in the order in which they are streamed.

S3 gives keys in the order of their UTF-8 bytes; a local folder is listed in the order in which S3
would list its files. Both are generators, so that streaming begins before a long list is complete.
Where the engine is loaded it lists S3 itself, several requests at a time; here boto3 does it for
who has no engine.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from sagemaker_tensorflow.errors import NotFoundError
from sagemaker_tensorflow.locations import LocalLocation, S3Location
from sagemaker_tensorflow.system_errors import translated_os_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef

# Name (S3 key or absolute path), size in bytes, ETag with its quotes or "".
ListedObject: TypeAlias = tuple[str, int, str]

# As many as S3 puts into one page.
_PAGE_OBJECTS = 1000


def list_s3_objects(client: S3Client, location: S3Location) -> Iterator[list[ListedObject]]:
    """Yields the objects under a prefix, never an empty page.

    Zero-byte keys that end in ``/`` are left out: they are what consoles make of "folders".

    Raises:
        NotFoundError: No such bucket, or nothing under the prefix.
        PermissionDeniedError: The credentials are missing or do not allow listing.
        UnavailableError: S3 cannot be reached, or still fails after boto3's retries.
    """
    # Half of what a process takes to start is botocore, which local files do not need.
    from sagemaker_tensorflow.s3_errors import translated_s3_errors

    paginator = client.get_paginator("list_objects_v2")
    found = False
    with translated_s3_errors(f"listing {location}"):
        for page in paginator.paginate(Bucket=location.bucket, Prefix=location.prefix):
            objects = objects_of_page(page)
            if objects:
                found = True
                yield objects
    if not found:
        raise nothing_under(location)


def objects_of_page(page: ListObjectsV2OutputTypeDef) -> list[ListedObject]:
    """What is streamed of one answer to a listing request."""
    return [
        (item["Key"], item["Size"], item.get("ETag", ""))
        for item in page.get("Contents", [])
        if item["Size"] or not item["Key"].endswith("/")
    ]


def nothing_under(location: S3Location) -> NotFoundError:
    """The error of a prefix without objects."""
    advice = "look at the spelling, or list the bucket"
    if "*" in location.prefix:
        before = str(location).partition("*")[0]
        advice = f"* is no wildcard here; give what is before it, {before}"
    return NotFoundError(
        f"no object in bucket {location.bucket!r} has a key that begins with "
        f"{location.prefix!r}: {advice}"
    )


def list_local_objects(location: LocalLocation) -> Iterator[list[ListedObject]]:
    """Yields a file, or the regular files under a folder, never an empty page.

    Names that begin with a dot are left out, files and folders, and so is what is not a regular
    file. Symbolic links are followed, but for those that lead back to a folder above.

    Raises:
        NotFoundError: The path is not there, a link leads nowhere, or there is no file.
        PermissionDeniedError: A folder may not be read.
    """
    page: list[ListedObject] = []
    found = False
    for path, status in local_files(location):
        page.append((str(path), status.st_size, ""))
        found = True
        if len(page) == _PAGE_OBJECTS:
            yield page
            page = []
    if page:
        yield page
    if not found:
        raise NotFoundError(f"{location} holds no file but hidden ones")


def local_files(location: LocalLocation) -> Iterator[tuple[Path, os.stat_result]]:
    """Yields what `list_local_objects` lists, one by one; nothing of a folder without files.

    Raises:
        NotFoundError: The path is not there, or a link leads nowhere.
        PermissionDeniedError: A folder may not be read.
    """
    # What s3:/bucket is taken for, as it has one slash.
    slip = " (a URI of S3 begins with s3://)" if "s3:" in location.path.parts else ""
    with translated_os_errors(f"listing {location}{slip}"):
        yield from _files(location.path, ancestors=())


def _files(
    path: Path, ancestors: tuple[tuple[int, int], ...]
) -> Iterator[tuple[Path, os.stat_result]]:
    """Walks depth first; `ancestors` are the folders above, to see a link that leads back."""
    status = path.stat()
    if stat.S_ISREG(status.st_mode):
        yield path, status
    if not stat.S_ISDIR(status.st_mode):
        return
    identity = (status.st_dev, status.st_ino)
    if identity in ancestors:
        return
    for entry in sorted(os.scandir(path), key=_s3_order):
        if not entry.name.startswith("."):
            yield from _files(Path(entry.path), (*ancestors, identity))


def _s3_order(entry: os.DirEntry[str]) -> bytes:
    # In S3 a folder is a part of its objects' keys, and the slash takes part in the comparison:
    # "a.x" < "a/b" < "a0".
    return os.fsencode(entry.name) + (b"/" if entry.is_dir() else b"")
