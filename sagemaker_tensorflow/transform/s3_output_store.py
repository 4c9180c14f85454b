"""Results under a prefix of a bucket."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from sagemaker_tensorflow.errors import (
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    PipeModeDatasetException,
)
from sagemaker_tensorflow.locations import S3Location
from sagemaker_tensorflow.s3_errors import translated_s3_errors
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.s3_session import S3Session
from sagemaker_tensorflow.transform.multipart_upload import MultipartUpload
from sagemaker_tensorflow.transform.output_keys import BOOKKEEPING_FOLDER
from sagemaker_tensorflow.transform.output_store import OutputWriter, StoredObject
from sagemaker_tensorflow.transform.s3_output_writer import S3OutputWriter

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef, ListObjectsV2RequestTypeDef

_T = TypeVar("_T")

# Of all parts of all objects at a time. One connection gives some 80 MB/s to S3, so these fill
# 5 Gbit/s, and leave more than half of the client's 20 connections to everybody else.
_PART_THREADS = 8
# Credentials that S3 refused are asked for anew, as often as this at most.
_RECONNECT_SECONDS = 60.0
_REFUSED = ("ExpiredToken", "InvalidToken", "TokenRefreshRequired")
# S3 User Guide, "Creating object key names".
_MOST_KEY_BYTES = 1024
_MOST_OBJECT_BYTES = 50 << 40


class S3OutputStore:
    """An `OutputStore` of a bucket. Thread-safe.

    Args:
        location: A prefix that does not end in ``/`` gets one.
        options: How to reach S3.
        owner: See `open_output_store`.
    """

    def __init__(self, location: S3Location, options: S3Options, owner: str = "") -> None:
        prefix = location.prefix
        self._location = S3Location(
            location.bucket, prefix if prefix.endswith("/") or not prefix else f"{prefix}/"
        )
        self._options = options
        self._notes = f"{BOOKKEEPING_FOLDER}/{owner}/uploads/" if owner else ""
        self._session = S3Session.from_options(options)
        self._reconnected_at = float("-inf")
        self._lock = threading.Lock()
        self._check: Callable[[], None] | None = None
        self._threads = ThreadPoolExecutor(_PART_THREADS, thread_name_prefix="smtf-upload")

    @property
    def uri(self) -> str:
        """Bucket and prefix."""
        return str(self._location)

    @property
    def folder(self) -> None:
        """None: S3 is not a local folder."""
        return

    def uri_of(self, name: str) -> str:
        """Bucket and key."""
        return f"{self._location}{name}"

    def writer(self, name: str, content_type: str = "application/octet-stream") -> OutputWriter:
        """Begins an object: one PUT, or a multipart upload when it gets longer than a part."""
        return S3OutputWriter(self, name, content_type)

    def read_small(self, name: str) -> bytes:
        """Reads an object."""
        location = S3Location(self._location.bucket, self.key_of(name))
        # Unlike botocore it asks again when the body breaks off.
        return self.call(
            f"reading {location}",
            lambda _: self._session.read_range(location, 0, _MOST_OBJECT_BYTES).data,
        )

    def write_small(
        self, name: str, data: bytes, content_type: str = "application/json"
    ) -> StoredObject:
        """One PUT."""
        key = self.key_of(name)
        answer = self.call(
            f"writing {self.uri_of(name)} ({len(data)} bytes)",
            lambda client: client.put_object(
                Bucket=self._location.bucket, Key=key, Body=data, ContentType=content_type
            ),
        )
        return StoredObject(name, len(data), answer.get("ETag", ""))

    def stat(self, name: str) -> StoredObject | None:
        """One HEAD."""

        def head(client: S3Client) -> StoredObject | None:
            try:
                found = client.head_object(Bucket=self._location.bucket, Key=self.key_of(name))
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                    raise
                return None
            return StoredObject(name, found["ContentLength"], found.get("ETag", ""))

        return self.call(f"looking for {self.uri_of(name)}", head)

    def exists(self, name: str) -> bool:
        """One HEAD."""
        return self.stat(name) is not None

    def list_stored(self, prefix: str = "") -> Iterator[StoredObject]:
        """Lists a page of 1,000 at a time."""
        token = ""
        while True:
            page = self._page(prefix, token)
            for item in page.get("Contents", []):
                name = item["Key"].removeprefix(self._location.prefix)
                yield StoredObject(name, item["Size"], item.get("ETag", ""))
            token = page.get("NextContinuationToken", "")
            if not token:
                return

    def _page(self, prefix: str, token: str) -> ListObjectsV2OutputTypeDef:
        request: ListObjectsV2RequestTypeDef = {
            "Bucket": self._location.bucket,
            "Prefix": self._location.prefix + prefix,
        }
        if token:
            request["ContinuationToken"] = token
        return self.call(
            f"listing {self.uri_of(prefix)}", lambda client: client.list_objects_v2(**request)
        )

    def list_names(self, prefix: str = "") -> Iterator[str]:
        """The names alone."""
        return (stored.name for stored in self.list_stored(prefix))

    def delete(self, name: str) -> None:
        """One DELETE, which S3 also answers well when nothing is there."""
        key = self.key_of(name)
        self.call(
            f"removing {self.uri_of(name)}",
            lambda client: client.delete_object(Bucket=self._location.bucket, Key=key),
        )

    def clean_left_overs(self) -> int:
        """Aborts the uploads of every name that is noted, which is done before one begins.

        Uploads cannot be listed by who began them, and S3 keeps and charges their parts for ever.
        """
        if not self._notes:
            return 0
        aborted = 0
        for note in list(self.list_names(self._notes)):
            name = _noted_name(self.read_small(note))
            if name:
                aborted += self._abort_uploads(self.key_of(name))
            self.delete(note)
        return aborted

    def close(self) -> None:
        """Ends the threads; parts that wait are not uploaded."""
        self._threads.shutdown(cancel_futures=True)
        self._session.close()

    def key_of(self, name: str) -> str:
        """The whole key.

        Raises:
            InvalidArgumentError: It would be too long.
        """
        key = self._location.prefix + name
        if not name or len(key.encode()) > _MOST_KEY_BYTES:
            raise InvalidArgumentError(
                f"{self.uri_of(name)!r}: a key has 1 to {_MOST_KEY_BYTES} bytes; choose a shorter "
                "output path"
            )
        return key

    def guard(self, check: Callable[[], None] | None) -> None:
        """Has `check` called before each request, which is not sent if it raises; None ends that.

        So a run that lost its lease stops, whichever of its threads would have written next.
        """
        self._check = check

    def check_lease(self) -> None:
        """Calls what `guard` was given."""
        if self._check is not None:
            self._check()

    def call(self, what: str, request: Callable[[S3Client], _T]) -> _T:
        """Sends a request with the client of now; with other credentials if these were refused.

        Raises:
            PipeModeDatasetException: As S3 answered, after botocore's retries; or of `guard`.
        """
        self.check_lease()
        try:
            with translated_s3_errors(what):
                try:
                    return request(self._session.client)
                except ClientError as error:
                    code = error.response.get("Error", {}).get("Code", "")
                    if code not in _REFUSED or not self._reconnect():
                        raise
                    return request(self._session.client)
        except PipeModeDatasetException as error:
            raise self._advised(error) from error.__cause__

    def upload(self, name: str, content_type: str) -> MultipartUpload:
        """Begins an upload in parts, noting it first where a later run is to find it."""
        key = self.key_of(name)
        note = ""
        if self._notes:
            note = f"{self._notes}{hashlib.sha256(name.encode()).hexdigest()[:32]}.json"
            self.write_small(note, json.dumps({"name": name}).encode())

        def forget() -> None:
            if note:
                self.delete(note)

        return MultipartUpload(
            self.call, self._threads, self._location.bucket, key, content_type, forget
        )

    def _reconnect(self) -> bool:
        """Asks boto3's providers from scratch: a file of credentials may have been renewed."""
        with self._lock:
            if time.monotonic() - self._reconnected_at < _RECONNECT_SECONDS:
                return False
            self._reconnected_at = time.monotonic()
            old, self._session = self._session, S3Session.from_options(self._options)
        old.close()
        return True

    def _abort_uploads(self, key: str) -> int:
        bucket = self._location.bucket

        def abort(client: S3Client) -> int:
            found = 0
            for page in client.get_paginator("list_multipart_uploads").paginate(
                Bucket=bucket, Prefix=key
            ):
                for upload in page.get("Uploads", []):
                    if upload["Key"] == key:  # not one whose key is longer
                        with contextlib.suppress(client.exceptions.NoSuchUpload):
                            client.abort_multipart_upload(
                                Bucket=bucket, Key=key, UploadId=upload["UploadId"]
                            )
                        found += 1
            return found

        return self.call(f"aborting uploads of s3://{bucket}/{key}", abort)

    def _advised(self, error: PipeModeDatasetException) -> PipeModeDatasetException:
        bucket = self._location.bucket
        if isinstance(error, PermissionDeniedError):
            return PermissionDeniedError(
                f"{error}; results need s3:PutObject, s3:GetObject, s3:DeleteObject and "
                f"s3:AbortMultipartUpload on {self._location}* and s3:ListBucket on {bucket!r}"
            )
        if isinstance(error, NotFoundError) and "NoSuchBucket" in str(error):
            return NotFoundError(f"{error}, or make bucket {bucket!r}")
        return error


def _noted_name(note: bytes) -> str:
    """The name in a note of `upload`, or "" in what somebody else put there."""
    try:
        name = json.loads(note)["name"]
    except (ValueError, KeyError, TypeError):
        return ""
    return name if isinstance(name, str) else ""
