"""Which objects a job transforms: those with a key prefix, those of a manifest, or local files.

**What results are named after** (`InputObject.relative`):

- of a prefix that names a folder, with or without a slash at its end, what is in the folder:
  ``s3://b/data`` and ``s3://b/data/`` hold ``s3://b/data/x/1.csv`` as ``x/1.csv``, and
  ``file:///srv/data`` and ``file:///srv/data/`` are the same in the same way;
- of a prefix that ends inside a name, what is behind its last ``/``: ``s3://b/da`` holds
  ``s3://b/data/x/1.csv`` as ``data/x/1.csv``;
- of a single object its basename, which is the same rule;
- of a manifest the entry, without slashes at its beginning.

The service's documentation shows the first for ``.../tfrecord``, whose results lie beside one
another in the output path.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import re
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from botocore.exceptions import ClientError

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.listing import ListedObject, local_files, objects_of_page
from sagemaker_tensorflow.locations import LocalLocation, Location, S3Location, parse_location
from sagemaker_tensorflow.manifests import Manifest, missing_error, parse_manifest
from sagemaker_tensorflow.object_text import open_s3_text, read_local_text
from sagemaker_tensorflow.prefix_siblings import warn_of_sibling
from sagemaker_tensorflow.s3_errors import translated_s3_errors
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.s3_session import S3Session
from sagemaker_tensorflow.system_errors import translated_os_errors
from sagemaker_tensorflow.transform.input_list import InputList

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# HEAD requests at a time, as many as `s3_session` keeps connections.
_STAT_THREADS = 20
# How many are given to the threads at once: each takes about 1 kB until it is answered.
_STAT_PAGE = 2000
_MISSING = -1
# What `quote` leaves as it is.
_UNQUOTED = re.compile(r"[A-Za-z0-9_.~/-]*").fullmatch


def list_inputs(input_uri: str, data_type: str, s3_options: S3Options) -> InputList:
    """Finds a job's input objects, in the order of their keys or of the manifest.

    Of a prefix, zero-byte keys that end in ``/`` are left out, and of a local folder what begins
    with a dot. A log line warns of a prefix that also matches what a folder of its name would not.

    Args:
        input_uri: ``s3://`` or ``file://`` prefix or object, or the manifest's URI.
        data_type: ``"S3Prefix"`` or ``"ManifestFile"``.
        s3_options: How to reach S3.

    Returns:
        The objects; none where there is nothing under the prefix.

    Raises:
        NotFoundError: There is no such bucket, path or manifest, or the manifest names objects that
            are not there.
        PermissionDeniedError: The credentials are missing or do not allow it.
        UnavailableError: S3 cannot be reached.
        InvalidArgumentError: The URI, the data type or the manifest is not what it should be.
    """
    location = parse_location(input_uri)
    if data_type == "ManifestFile":
        return _list_manifest(location, s3_options)
    if data_type != "S3Prefix":
        raise InvalidArgumentError(
            f"data_type={data_type!r} is not allowed: give S3Prefix or ManifestFile"
        )
    if isinstance(location, LocalLocation):
        return _list_files(location)
    with contextlib.closing(S3Session.from_options(s3_options)) as session:
        return _list_prefix(session.client, location)


def _list_prefix(client: S3Client, location: S3Location) -> InputList:
    inputs = InputList(_s3_uri_of(location.bucket), _relative_to(location.prefix))
    paginator = client.get_paginator("list_objects_v2")
    first_page: list[ListedObject] = []
    with translated_s3_errors(f"listing {location}"):
        for page in paginator.paginate(Bucket=location.bucket, Prefix=location.prefix):
            objects = objects_of_page(page)
            first_page = first_page or objects
            for name, size, etag in objects:
                inputs.append(name, size, etag)
    warn_of_sibling(client, location, first_page if len(first_page) == len(inputs) else None)
    return inputs


def _relative_to(prefix: str) -> Callable[[str, int], str]:
    folder = f"{prefix.rstrip('/')}/" if prefix else ""
    cut = prefix.rfind("/") + 1

    def relative(key: str, _: int) -> str:
        return key[len(folder) :] if key.startswith(folder) else key[cut:]

    return relative


def _list_files(location: LocalLocation) -> InputList:
    inputs = InputList(_file_uri, _relative_to(str(location.path)))
    for path, status in local_files(location):
        inputs.append(str(path), status.st_size, file_etag(status))
    return inputs


def _list_manifest(location: Location, s3_options: S3Options) -> InputList:
    where = str(location)
    with contextlib.ExitStack() as stack:

        def session() -> S3Session:
            return stack.enter_context(contextlib.closing(S3Session.from_options(s3_options)))

        if isinstance(location, S3Location):
            opened = session()
            text = b"".join(open_s3_text(opened, location).chunks)
            return _stat_manifest(parse_manifest(text, where), where, opened.client)
        text = b"".join(read_local_text(location))
        manifest = parse_manifest(text, where, location.path.parent)
        return _stat_manifest(manifest, where, session().client if manifest.bucket else None)


def _stat_manifest(manifest: Manifest, where: str, client: S3Client | None) -> InputList:
    entries = manifest.entries
    uri_of = _file_uri if manifest.bucket is None else _s3_uri_of(manifest.bucket)
    inputs = InputList(uri_of, lambda _, index: entries[index].lstrip("/"))
    missing: list[str] = []
    for name, (size, etag) in _stats(manifest, client):
        if size == _MISSING:
            missing.append(name)
        inputs.append(name, max(size, 0), etag)
    if missing:
        raise missing_error(where, missing, all_known=True)
    return inputs


def _stats(manifest: Manifest, client: S3Client | None) -> Iterator[tuple[str, tuple[int, str]]]:
    if client is None or manifest.bucket is None:
        for name in manifest.names:
            yield name, _stat_file(name)
        return
    head = functools.partial(_stat_object, client, manifest.bucket)
    names = iter(manifest.names)
    with ThreadPoolExecutor(_STAT_THREADS, "smtf-head") as threads:
        while page := list(itertools.islice(names, _STAT_PAGE)):
            yield from zip(page, threads.map(head, page), strict=True)


def _stat_object(client: S3Client, bucket: str, key: str) -> tuple[int, str]:
    with translated_s3_errors(f"asking for s3://{bucket}/{key}"):
        try:
            answer = client.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != HTTPStatus.NOT_FOUND:
                raise
            return _MISSING, ""
    return answer["ContentLength"], answer.get("ETag", "")


def _stat_file(path: str) -> tuple[int, str]:
    with translated_os_errors("looking for a manifest's file"):
        try:
            status = Path(path).stat()
        except (FileNotFoundError, NotADirectoryError):
            return _MISSING, ""
    return (status.st_size, file_etag(status)) if stat.S_ISREG(status.st_mode) else (_MISSING, "")


def file_etag(status: os.stat_result) -> str:
    """What tells a version of a local file from others, as csrc/prefetch/file_object_source.h."""
    return f'"{status.st_mtime_ns % (1 << 64):x}-{status.st_size:x}"'


def _s3_uri_of(bucket: str) -> Callable[[str], str]:
    return lambda key: f"s3://{bucket}/{key}"


def _file_uri(path: str) -> str:
    # Most need no quoting, and finding that out this way takes a third of the time.
    if _UNQUOTED(path):
        return f"file://{path}"
    return f"file://{quote(os.fsencode(path))}"
