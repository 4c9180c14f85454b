"""Turns what boto3 raises into this package's exceptions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from botocore import exceptions
from botocore.parsers import ResponseParserError

from sagemaker_tensorflow.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    PipeModeDatasetException,
    UnavailableError,
)

_NO_CREDENTIALS = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
    exceptions.NoAuthTokenError,
    exceptions.TokenRetrievalError,
    exceptions.SSOError,
    exceptions.MetadataRetrievalError,
)
_BROKEN_CONNECTION = (
    exceptions.HTTPClientError,
    exceptions.ConnectionError,
    exceptions.IncompleteReadError,
)
# S3's codes for requests that it cannot place, although they come with status 400.
_WRONG_REGION = ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraint")
_CREDENTIALS_REFUSED = ("ExpiredToken", "InvalidToken", "TokenRefreshRequired")
_TRY_AGAIN = ("RequestTimeout", "SlowDown", "Throttling", "RequestTimeTooSkewed")


@contextlib.contextmanager
def translated_s3_errors(what: str) -> Iterator[None]:
    """Raises botocore's errors as `PipeModeDatasetException`; `what` says what was tried."""
    try:
        yield
    except (exceptions.BotoCoreError, exceptions.ClientError, ResponseParserError) as error:
        raise translate_s3_error(error, what) from error
    except RecursionError as error:  # botocore follows redirects by calling itself
        raise UnavailableError(
            f"{what}: the endpoint redirects without end; look at its configuration"
        ) from error


def translate_s3_error(error: Exception, what: str) -> PipeModeDatasetException:
    """Makes this package's exception for one of botocore's."""
    if isinstance(error, exceptions.ClientError):
        return _refusal(error, what)
    seen = " ".join(str(error).split())
    if isinstance(error, _NO_CREDENTIALS):
        return PermissionDeniedError(
            f"{what}: {seen}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose a profile, "
            "or ask for anonymous access if the bucket is public"
        )
    if isinstance(error, _BROKEN_CONNECTION):
        return UnavailableError(f"{what}: {seen}; look at the endpoint and the network")
    if isinstance(error, ResponseParserError):
        return UnavailableError(f"{what}: the endpoint does not answer as S3 does: {seen}")
    return InvalidArgumentError(f"{what}: {seen}")


def _refusal(error: exceptions.ClientError, what: str) -> PipeModeDatasetException:
    answer = error.response.get("Error", {})
    code = str(answer.get("Code", "unknown"))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = f"{what}: {status} {code}: {answer.get('Message', 'no message')}"
    if code in _WRONG_REGION or status in (301, 307):
        return InvalidArgumentError(f"{message}; set the region of the bucket")
    if code in _TRY_AGAIN or status >= 500 or status in (408, 429):
        return UnavailableError(message)
    if code in _CREDENTIALS_REFUSED:
        return PermissionDeniedError(f"{message}; get new credentials")
    if status in (401, 403):
        return PermissionDeniedError(f"{message}; look at the credentials and the bucket's policy")
    if code == "NoSuchBucket":
        message += "; look at the spelling of the bucket's name, and at the endpoint"
    if status == 404:
        return NotFoundError(message)
    if status == 412:
        return FailedPreconditionError(message)
    return InvalidArgumentError(message)
