"""boto3's word on everything about S3 but the bytes: who we are, where the bucket is, how to sign.

The engine fetches objects with libcurl; what it must know to do so is taken from the same boto3
client that asks for the first page of a listing or for a manifest, so that both reach the same
place with the same rights.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from botocore.httpsession import get_cert_path

from sagemaker_tensorflow.credential_keeper import CredentialKeeper, CredentialSink
from sagemaker_tensorflow.errors import InvalidArgumentError, PermissionDeniedError
from sagemaker_tensorflow.listing import ListedObject, objects_of_page
from sagemaker_tensorflow.locations import S3Location
from sagemaker_tensorflow.s3_errors import translated_s3_errors
from sagemaker_tensorflow.s3_options import S3Options

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from botocore.credentials import Credentials
    from mypy_boto3_s3 import S3Client

    from sagemaker_tensorflow._prefetch import S3Source

# boto3 repeats requests by itself, but not the reading of a body that breaks off.
_BODY_TRIES = 5
_BODY_BACKOFF_SECONDS = 0.2


@dataclass(frozen=True)
class BucketAddress:
    """Where and how a bucket's objects are asked for.

    Attributes:
        endpoint_url: Scheme, host and port, without the bucket's name.
        region: For the signature.
        virtual_host: The bucket stands in the host's name instead of in the path.
    """

    endpoint_url: str
    region: str
    virtual_host: bool

    @classmethod
    def from_url(cls, url: str, bucket: str, region: str, key: str = "") -> BucketAddress:
        """Takes apart the URL of a request for the bucket itself or for one of its objects.

        Raises:
            InvalidArgumentError: The endpoint has a path of its own.
        """
        parts = urlsplit(url)
        path = unquote(parts.path)
        if not key:
            path = path.rstrip("/") + "/"
        if path == f"/{bucket}/{key}":
            return cls(f"{parts.scheme}://{parts.netloc}", region, virtual_host=False)
        if path == f"/{key}" and parts.netloc.startswith(f"{bucket}."):
            host = parts.netloc.removeprefix(f"{bucket}.")
            return cls(f"{parts.scheme}://{host}", region, virtual_host=True)
        raise InvalidArgumentError(
            f"endpoint {parts.scheme}://{parts.netloc}{parts.path} of bucket {bucket!r}: an "
            "endpoint with a path is not supported; give scheme, host and port"
        )


@dataclass(frozen=True)
class FirstPage:
    """The beginning of a prefix's listing.

    Attributes:
        address: Where the bucket is.
        objects: Without zero-byte keys that end in ``/``.
        last_key: Behind which the listing goes on; None when this is all of it.
    """

    address: BucketAddress
    objects: list[ListedObject]
    last_key: str | None


@dataclass(frozen=True)
class ObjectRange:
    """Some bytes of an object.

    Attributes:
        address: Where the bucket is.
        data: Fewer bytes than were asked for at the object's end.
        etag: Of the object; empty where the store has none.
    """

    address: BucketAddress
    data: bytes
    etag: str


@dataclass(frozen=True)
class _Connection:
    client: S3Client
    credentials: Credentials | None  # None when nothing is signed
    ca_bundle: str


class S3Session:
    """A boto3 client and the sources that follow its credentials. Thread-safe.

    Attributes:
        client: For listing and uploads; it retries and follows redirects as configured. Another one
            after S3 refused its credentials.
        ca_bundle: The PEM file of certificates that boto3 trusts.
    """

    def __init__(
        self, connect: Callable[[], _Connection], refresh_seconds: float | None = None
    ) -> None:
        self._connect = connect
        # botocore calls `_note` in the thread that sends.
        self._sent = threading.local()
        connection = connect()
        self.client = self._listened_to(connection.client)
        self.ca_bundle = connection.ca_bundle
        self._keeper: CredentialKeeper | None = None
        if connection.credentials is not None:
            intervals = () if refresh_seconds is None else (refresh_seconds,)
            self._keeper = CredentialKeeper(connection.credentials, self._reconnect, *intervals)

    @classmethod
    def from_environment(
        cls,
        profile: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        anonymous: bool = False,
        refresh_seconds: float | None = None,
    ) -> S3Session:
        """Finds everything that is not given where boto3 finds it.

        Raises:
            PermissionDeniedError: There are no credentials, or they cannot be had.
            InvalidArgumentError: The configuration is wrong: no such profile, a bad endpoint.
        """
        options = S3Options(profile, region, endpoint_url, anonymous)
        return cls(lambda: _connect(options), refresh_seconds)

    @classmethod
    def from_options(cls, options: S3Options) -> S3Session:
        """`from_environment` with the options of a prefetcher."""
        return cls(lambda: _connect(options))

    def first_page(self, location: S3Location) -> FirstPage:
        """Asks for the first page of a prefix's listing, and notes where boto3 sent that.

        botocore applies addressing style, endpoint rules and region redirects; the request that
        succeeds tells where the bucket is, so no request is sent for that alone.

        Raises:
            PipeModeDatasetException: As for listing.
        """
        with translated_s3_errors(f"listing {location}"):
            answer = self.client.list_objects_v2(Bucket=location.bucket, Prefix=location.prefix)
        contents = answer.get("Contents", [])
        more = answer.get("IsTruncated", False)
        return FirstPage(
            self._address(location.bucket, answer),
            objects_of_page(answer),
            (contents[-1]["Key"] if contents else "") if more else None,
        )

    def locate_object(self, location: S3Location, may_be_denied: bool = False) -> BucketAddress:
        """Finds out where a bucket is by asking for one of its objects, there or not.

        Args:
            location: Of the object.
            may_be_denied: That this one may not be read is an answer too.

        Raises:
            PipeModeDatasetException: It cannot be asked for: no such bucket, no right.
        """
        with translated_s3_errors(f"looking for {location}"):
            try:
                answer: Any = self.client.head_object(Bucket=location.bucket, Key=location.prefix)
            except ClientError as error:
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                if status != 404 and not (status == 403 and may_be_denied):
                    raise
                answer = error.response
        return self._address(location.bucket, answer, location.prefix)

    def read_range(
        self, location: S3Location, start: int, size: int, etag: str = ""
    ) -> ObjectRange:
        """Reads bytes [start, start + size) of an object into memory.

        Args:
            location: Of the object.
            start: In the object.
            size: At most; fewer bytes come back at its end, none behind it.
            etag: The object must still have this one, if it is not empty.

        Raises:
            PipeModeDatasetException: What S3 said, or that it cannot be reached.
        """
        match = {"IfMatch": etag} if etag else {}
        with translated_s3_errors(f"reading {location}"):
            try:
                answer, data = self._get(
                    Bucket=location.bucket,
                    Key=location.prefix,
                    Range=f"bytes={start}-{start + size - 1}",
                    **match,
                )
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] != 416:
                    raise
                answer, data = error.response, b""
        if data and "ContentRange" not in answer:  # a store that ignores Range
            data = data[start : start + size]
        address = self._address(location.bucket, answer, location.prefix)
        return ObjectRange(address, data, answer.get("ETag", ""))

    def _get(self, **request: Any) -> tuple[Any, bytes]:
        for tries in range(1, _BODY_TRIES + 1):
            answer = self.client.get_object(**request)
            try:
                return answer, answer["Body"].read()
            except (IncompleteReadError, ReadTimeoutError, ResponseStreamingError):
                if tries == _BODY_TRIES:
                    raise
                time.sleep(_BODY_BACKOFF_SECONDS * 2**tries)
        raise AssertionError  # for mypy: the last try returns or raises

    def _address(self, bucket: str, answer: Any, key: str = "") -> BucketAddress:
        """From the request that this thread sent last, and its answer."""
        request: AWSPreparedRequest = self._sent.request
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        region = (
            _signed_region(request)
            or headers.get("x-amz-bucket-region")
            or self.client.meta.region_name
        )
        return BucketAddress.from_url(request.url, bucket, region, key)

    def _listened_to(self, client: S3Client) -> S3Client:
        client.meta.events.register("before-send.s3", self._note)
        return client

    def _note(self, request: AWSPreparedRequest, **_: Any) -> None:
        self._sent.request = request

    def source(self, address: BucketAddress, bucket: str, checksums: bool = True) -> S3Source:
        """Makes the engine's source of a bucket's objects and keeps its credentials fresh.

        Only for the prefetcher's process: the engine brings libcurl with it.
        """
        from sagemaker_tensorflow._prefetch import S3Source

        source = S3Source(
            endpoint_url=address.endpoint_url,
            bucket=bucket,
            region=address.region,
            virtual_host=address.virtual_host,
            ca_bundle=self.ca_bundle,
            checksums=checksums,
        )
        self.keep_fresh(source)
        return source

    def keep_fresh(self, sink: CredentialSink) -> None:
        """Gives the credentials to `sink`, if there are any; see `CredentialKeeper.keep`.

        Raises:
            PermissionDeniedError: They have to be refreshed and cannot be.
        """
        if self._keeper is not None:
            self._keeper.keep(sink)

    def _reconnect(self) -> Credentials:
        """Finds credentials from scratch; this session's own requests use them too."""
        connection = self._connect()
        if connection.credentials is None:
            raise PermissionDeniedError("there are no AWS credentials any more")
        self.client = self._listened_to(connection.client)
        return connection.credentials

    def close(self) -> None:
        """Stops refreshing. Idempotent."""
        if self._keeper is not None:
            self._keeper.close()


def _connect(options: S3Options) -> _Connection:
    with translated_s3_errors("setting up S3"):
        core = botocore.session.Session(profile=options.profile)
        session = boto3.Session(botocore_session=core, region_name=options.region)
        credentials = None if options.anonymous else _credentials(session, core)
        try:
            client = session.client(
                "s3",
                endpoint_url=options.endpoint_url,
                # One connection for each channel that is being listed: SageMaker allows 20.
                config=Config(
                    signature_version=UNSIGNED if options.anonymous else "s3v4",
                    max_pool_connections=20,
                ),
            )
        except ValueError as error:  # "Invalid endpoint: ..."
            raise InvalidArgumentError(f"setting up S3: {error}") from error
        bundle = core.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    return _Connection(client, credentials, str(bundle or get_cert_path(True)))


def _credentials(session: boto3.Session, core: botocore.session.Session) -> Credentials:
    found = session.get_credentials()
    if found is not None:
        try:
            found.get_frozen_credentials()
        except RuntimeError as error:  # "Credentials were refreshed, but ... still expired."
            raise PermissionDeniedError(f"no AWS credentials: {error}") from error
        return found
    looked = [provider.METHOD for provider in core.get_component("credential_provider").providers]
    raise PermissionDeniedError(
        f"no AWS credentials: boto3 looked at {', '.join(looked)} "
        f"(profile {core.profile or 'default'!r}) and found none; set AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, choose a profile, or ask for anonymous access to a public bucket"
    )


def _signed_region(request: AWSPreparedRequest) -> str | None:
    """The region in SigV4's Credential=<key>/<date>/<region>/s3/aws4_request."""
    header = request.headers.get("Authorization", "")
    text = header.decode() if isinstance(header, bytes) else header
    scope = text.partition("Credential=")[2].partition(",")[0].split("/")
    return scope[-3] if len(scope) >= 5 else None
