from __future__ import annotations

import http.server
import io
import json
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from sagemaker_tensorflow import s3_session
from sagemaker_tensorflow.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    PipeModeDatasetException,
    UnavailableError,
)
from sagemaker_tensorflow.locations import S3Location
from sagemaker_tensorflow.s3_errors import translate_s3_error
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.s3_session import BucketAddress, S3Session
from tests.conftest import ACCESS_KEY, SECRET_KEY, PutObjects
from tests.servers import free_port


class CannedS3:
    """Answers in place of AWS, through botocore's own hook; the last answer is repeated."""

    def __init__(
        self,
        session: S3Session,
        answers: Sequence[tuple[int, dict[str, str]]],
        body: bytes = b"<ListBucketResult/>",
    ) -> None:
        self._answers = list(answers)
        self._body = body
        session.client.meta.events.register_last("before-send.s3", self._answer)

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        status, headers = self._answers[0]
        del self._answers[: len(self._answers) - 1 and 1]
        body = self._body if status == 200 else b"<Error><Code>Oops</Code></Error>"
        raw = io.BytesIO(body)
        raw.stream = lambda *_args, **_kwargs: iter([body])  # type: ignore[attr-defined]
        return AWSResponse(request.url, status, headers, raw)


@pytest.fixture
def keys(clean_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials and nothing else."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)


def test_locate_local_server(bucket: str, aws: str) -> None:
    address = S3Session.from_environment().first_page(S3Location(bucket, "")).address
    assert address == BucketAddress(aws, "us-east-1", virtual_host=False)


def test_locate_is_anonymous_when_asked(bucket: str, aws: str, monkeypatch: Any) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    session = S3Session.from_environment(anonymous=True)
    assert session.first_page(S3Location(bucket, "")).address.endpoint_url == aws


@pytest.mark.parametrize(
    ("bucket_name", "region", "endpoint", "virtual_host"),
    [
        ("bkt", "eu-west-1", "https://s3.eu-west-1.amazonaws.com", True),
        ("b.kt", "eu-west-1", "https://s3.eu-west-1.amazonaws.com", False),
        ("s3s", "cn-north-1", "https://s3.cn-north-1.amazonaws.com.cn", True),
    ],
)
def test_locate_aws(
    keys: None, bucket_name: str, region: str, endpoint: str, virtual_host: bool
) -> None:
    session = S3Session.from_environment(region=region)
    CannedS3(session, [(200, {})])
    address = session.first_page(S3Location(bucket_name, "x")).address
    assert address == BucketAddress(endpoint, region, virtual_host)


def test_locate_follows_redirects_to_the_buckets_region(keys: None) -> None:
    session = S3Session.from_environment(region="us-east-1")
    CannedS3(session, [(301, {"x-amz-bucket-region": "eu-west-3"}), (200, {})])
    address = session.first_page(S3Location("bkt", "")).address
    assert address == BucketAddress("https://s3.eu-west-3.amazonaws.com", "eu-west-3", True)


def test_locate_honours_addressing_style(keys: None) -> None:
    Path(os.environ["AWS_CONFIG_FILE"]).write_text(
        "[default]\ns3 =\n  addressing_style = virtual\n"
    )
    session = S3Session.from_environment(endpoint_url="http://store.test:9000")
    CannedS3(session, [(200, {})])
    address = session.first_page(S3Location("bkt", "")).address
    assert address == BucketAddress("http://store.test:9000", "us-east-1", True)


def test_locate_refuses_endpoint_with_a_path(keys: None) -> None:
    session = S3Session.from_environment(endpoint_url="http://store.test/s3")
    CannedS3(session, [(200, {})])
    with pytest.raises(InvalidArgumentError, match=r"http://store\.test/s3.*path is not supported"):
        session.first_page(S3Location("bkt", ""))


def test_first_page(put_objects: PutObjects, bucket: str) -> None:
    put_objects({"x/": b"", "x/a": b"1", "x/b é": b"", "y": b""})
    page = S3Session.from_environment().first_page(S3Location(bucket, "x"))
    assert [(key, size) for key, size, _ in page.objects] == [("x/a", 1), ("x/b é", 0)]
    assert page.last_key is None


def test_first_page_of_several_says_where_to_go_on(bucket: str) -> None:
    session = S3Session.from_environment()
    for number in range(1001):
        session.client.put_object(Bucket=bucket, Key=f"{number:04}", Body=b"")
    page = session.first_page(S3Location(bucket, ""))
    assert len(page.objects) == 1000
    assert page.last_key == "0999"


@pytest.mark.parametrize("key", ["a b/é+%41", "gone", "//x/../y", "bkt/x"])
def test_locate_by_an_object(put_objects: PutObjects, bucket: str, aws: str, key: str) -> None:
    put_objects({"a b/é+%41": b"x"})
    address = S3Session.from_environment().locate_object(S3Location(bucket, key))
    assert address == BucketAddress(aws, "us-east-1", virtual_host=False)


def test_locate_by_an_object_in_aws(keys: None) -> None:
    session = S3Session.from_environment(region="us-east-1")
    CannedS3(session, [(301, {"x-amz-bucket-region": "eu-west-3"}), (200, {})])
    address = session.locate_object(S3Location("bkt", "bkt/a b"))
    assert address == BucketAddress("https://s3.eu-west-3.amazonaws.com", "eu-west-3", True)


def test_locate_by_an_object_that_may_not_be_asked_for(keys: None) -> None:
    session = S3Session.from_environment(region="us-east-1")
    CannedS3(session, [(403, {})])
    with pytest.raises(PermissionDeniedError, match="looking for s3://bkt/x: 403"):
        session.locate_object(S3Location("bkt", "x"))


class Stores(http.server.BaseHTTPRequestHandler):
    """A store of one object that cuts short its first answers, and may ignore Range."""

    body = bytes(range(256)) * 4
    cuts: int
    ignores_range: bool

    def do_GET(self) -> None:
        start, end = self.headers["Range"].removeprefix("bytes=").split("-")
        whole = type(self).ignores_range
        data = self.body if whole else self.body[int(start) : int(end) + 1]
        self.send_response(200 if whole else 206)
        if not whole:
            self.send_header("Content-Range", f"bytes {start}-{end}/{len(self.body)}")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if type(self).cuts:
            type(self).cuts -= 1
            data = data[:3]
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def store(keys: None) -> Iterator[S3Session]:
    with http.server.HTTPServer(("127.0.0.1", 0), Stores) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        yield S3Session.from_environment(region="us-east-1", endpoint_url=url)
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("cuts", [0, 2])
@pytest.mark.parametrize("ignores_range", [True, False])
def test_ranges(store: S3Session, cuts: int, ignores_range: bool) -> None:
    Stores.cuts, Stores.ignores_range = cuts, ignores_range
    assert store.read_range(S3Location("bkt", "x"), 10, 20).data == Stores.body[10:30]


def test_range_that_never_arrives(store: S3Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_session, "_BODY_BACKOFF_SECONDS", 0.001)
    Stores.cuts, Stores.ignores_range = 1000, False
    with pytest.raises(UnavailableError, match=r"reading s3://bkt/x: .*17 more expected"):
        store.read_range(S3Location("bkt", "x"), 10, 20)


def test_endpoint_precedence(keys: None, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(os.environ["AWS_CONFIG_FILE"]).write_text(
        "[default]\nservices = here\n[services here]\ns3 =\n  endpoint_url = http://config.test\n"
    )

    def endpoint(**options: Any) -> str:
        return S3Session.from_options(S3Options(**options)).client.meta.endpoint_url

    assert endpoint() == "http://config.test"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://all.test")
    assert endpoint() == "http://all.test"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://s3.test")
    assert endpoint() == "http://s3.test"
    assert endpoint(endpoint_url="http://given.test") == "http://given.test"


def test_ca_bundle(keys: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/requests.pem")
    assert S3Session.from_environment().ca_bundle == "/requests.pem"
    monkeypatch.setenv("AWS_CA_BUNDLE", "/aws.pem")
    assert S3Session.from_environment().ca_bundle == "/aws.pem"
    monkeypatch.delenv("AWS_CA_BUNDLE")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    assert Path(S3Session.from_environment().ca_bundle).is_file()


def test_no_credentials_says_where_boto3_looked(clean_aws: None) -> None:
    with pytest.raises(PermissionDeniedError, match=r"env.*shared-credentials-file.*anonymous"):
        S3Session.from_environment(region="us-east-1")


def test_half_of_the_credentials(clean_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    with pytest.raises(PermissionDeniedError, match="AWS_SECRET_ACCESS_KEY"):
        S3Session.from_environment()


def test_no_such_profile(clean_aws: None) -> None:
    with pytest.raises(InvalidArgumentError, match="nobody"):
        S3Session.from_environment(profile="nobody")


def test_bad_endpoint(keys: None) -> None:
    with pytest.raises(InvalidArgumentError, match="nonsense"):
        S3Session.from_environment(endpoint_url="nonsense")


def test_no_server(keys: None) -> None:
    session = S3Session.from_environment(endpoint_url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(UnavailableError, match="s3://bkt/x: Could not connect"):
        session.first_page(S3Location("bkt", "x"))


def test_server_that_is_not_s3(keys: None) -> None:
    session = S3Session.from_environment(endpoint_url="http://store.test")
    CannedS3(session, [(200, {})], b"<html><p>Welcome!</html>")
    with pytest.raises(UnavailableError, match="s3://bkt/x: 500"):  # botocore's reading of it
        session.first_page(S3Location("bkt", "x"))
    error = translate_s3_error(ResponseParserError("no\n XML"), "listing s3://bkt/x")
    assert isinstance(error, UnavailableError)
    assert str(error) == "listing s3://bkt/x: the endpoint does not answer as S3 does: no XML"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "AccessDenied", PermissionDeniedError),
        (400, "ExpiredToken", PermissionDeniedError),
        (404, "NoSuchBucket", NotFoundError),
        (412, "PreconditionFailed", FailedPreconditionError),
        (301, "PermanentRedirect", InvalidArgumentError),
        (400, "AuthorizationHeaderMalformed", InvalidArgumentError),
        (400, "InvalidArgument", InvalidArgumentError),
        (503, "SlowDown", UnavailableError),
        (500, "InternalError", UnavailableError),
        (400, "RequestTimeout", UnavailableError),
    ],
)
def test_refusals(status: int, code: str, kind: type[PipeModeDatasetException]) -> None:
    answer: Any = {
        "Error": {"Code": code, "Message": "its words"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    error = translate_s3_error(ClientError(answer, "ListObjectsV2"), "listing s3://b/k")
    assert type(error) is kind
    assert str(error).startswith(f"listing s3://b/k: {status} {code}: its words")


def test_options_hold_no_secret(keys: None) -> None:
    text = json.dumps(S3Options(region="us-east-1").__dict__)
    assert SECRET_KEY not in text
