"""An object of S3 that is replaced only by who has seen its latest version.

Amazon S3 writes under the conditions ``If-None-Match: *`` (no such object, since August 2024) and
``If-Match: <ETag>`` (still this version, since November 2024), and answers 412 when they do not
hold, or 409 when another write is under way (User Guide, "How to prevent object overwrites with
conditional writes"). Ceph has had both as an extension for long, MinIO, R2 and others have them
too; of several writes that reach Ceph's gateway (16.2) at the same moment, though, more than one
may be told that it was the first. Other stores answer 501, or ignore the conditions, which only
trying shows.

An ETag is in quotes. R2 refuses it without, and Ceph's gateway (16.2) finds none equal that has
them (apache/opendal#2226, slatedb/slatedb#1818; tried with Ceph); AWS takes both.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ParamValidationError

from sagemaker_tensorflow.locations import S3Location, parse_location
from sagemaker_tensorflow.transform.s3_output_store import S3OutputStore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

_NOT_FOUND = 404
# 404: the object whose version was to match is gone. 500: what Ceph's gateway (16.2) answers to
# some of several writes at a time.
_CONDITION_FAILED = (404, 409, 412, 500)
_NOT_IMPLEMENTED = 501
# What stores call a header that they do not take, with status 400.
_UNKNOWN_HEADER = ("NotImplemented", "InvalidArgument", "InvalidRequest")
_NO_OBJECT = {"IfNoneMatch": "*"}
_NO_VERSION = {"IfMatch": '"00000000000000000000000000000000"'}


@dataclass(frozen=True)
class Seen:
    """A version of the object.

    Attributes:
        data: Its content.
        etag: With its quotes.
        age_seconds: Since it was written, by the store's clock; 0 if the store does not say.
    """

    data: bytes
    etag: str
    age_seconds: float


class ConditionalObject:
    """One object. Used by one thread at a time.

    Args:
        store: Sends the requests.
        name: Relative to the store's output path.

    Attributes:
        atomic: Nobody can write between looking and writing. False once it turned out that the
            store (or an old boto3) has no conditions: then `write` looks first.
    """

    def __init__(self, store: S3OutputStore, name: str) -> None:
        location = parse_location(store.uri)
        assert isinstance(location, S3Location)  # noqa: S101 - for mypy
        self._store = store
        self._name = name
        self._bucket = location.bucket
        self._key = store.key_of(name)
        self._quotes = ['"', ""]  # those to try
        self.atomic = True

    @property
    def uri(self) -> str:
        """Bucket and key."""
        return self._store.uri_of(self._name)

    def read(self) -> Seen | None:
        """The latest version; None if there is no such object.

        Raises:
            PipeModeDatasetException: What S3 said.
        """

        def get(client: S3Client) -> Seen | None:
            try:
                answer = client.get_object(Bucket=self._bucket, Key=self._key)
            except ClientError as error:
                if _status(error) != _NOT_FOUND or _code(error) == "NoSuchBucket":
                    raise
                return None
            return Seen(answer["Body"].read(), answer["ETag"], _age(answer))

        return self._store.call(f"reading {self.uri}", get)

    def write(self, data: bytes, seen: str | None) -> str | None:
        """Writes a new version, if the latest one is that which was seen.

        Args:
            data: The new content.
            seen: ETag of the version that is to be replaced; None for no object.

        Returns:
            The new ETag; None if somebody else was faster. Also if this was done, but the answer
            came at the second try: what `read` gives then is `data`.

        Raises:
            PipeModeDatasetException: What S3 said.
        """
        if self.atomic:
            try:
                return self._replace(data, seen) if seen else self._put(data, _NO_OBJECT)
            except _UnsupportedError:
                self.atomic = False
        latest = self.read()
        same = _bare(latest.etag if latest else "") == _bare(seen or "")
        return self._put(data, {}) if same else None

    def find_out(self, data: bytes, etag: str) -> str:
        """Finds out whether the store minds conditions, which decides `atomic`.

        Args:
            data: What the caller has written just now.
            etag: Of it.

        Returns:
            The ETag that it has now.

        Raises:
            PipeModeDatasetException: What S3 said.
        """
        if not self.atomic:
            return etag
        for condition in (_NO_OBJECT, _NO_VERSION):
            try:
                written = self._put(data, condition)
            except _UnsupportedError:
                written = etag
            if written is not None:
                self.atomic = False
                return written
        return etag

    def _replace(self, data: bytes, seen: str) -> str | None:
        """Tries the spellings of an ETag, until it is known which one the store understands."""
        first, *others = self._quotes
        written = self._put(data, {"IfMatch": f"{first}{_bare(seen)}{first}"})
        for quote in others:
            if written is None:
                with contextlib.suppress(_UnsupportedError):
                    written = self._put(data, {"IfMatch": f"{quote}{_bare(seen)}{quote}"})
                    first = quote
        if written is not None:
            self._quotes = [first]
        return written

    def _put(self, data: bytes, condition: dict[str, Any]) -> str | None:
        def put(client: S3Client) -> str | None:
            try:
                answer = client.put_object(
                    Bucket=self._bucket,
                    Key=self._key,
                    Body=data,
                    ContentType="application/json",
                    **condition,
                )
            except ParamValidationError as error:  # a boto3 that is older than the conditions
                raise _UnsupportedError from error
            except ClientError as error:
                if condition and _status(error) in _CONDITION_FAILED and not _no_bucket(error):
                    return None
                if condition and _is_unsupported(error):
                    raise _UnsupportedError from error
                raise
            return answer["ETag"]

        return self._store.call(f"writing {self.uri}", put)


class _UnsupportedError(Exception):
    """The store, or boto3, has no conditions."""


def _bare(etag: str) -> str:
    return etag.strip('"')


def _age(answer: GetObjectOutputTypeDef) -> float:
    """Both times are the store's, so that it does not matter what time it is here."""
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if not date or "LastModified" not in answer:
        return 0.0
    return (parsedate_to_datetime(date) - answer["LastModified"]).total_seconds()


def _status(error: ClientError) -> int:
    return error.response["ResponseMetadata"]["HTTPStatusCode"]


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def _no_bucket(error: ClientError) -> bool:
    return _code(error) == "NoSuchBucket"


def _is_unsupported(error: ClientError) -> bool:
    return _status(error) == _NOT_IMPLEMENTED or (
        _status(error) == 400 and _code(error) in _UNKNOWN_HEADER
    )
