"""What to do about an answer of S3."""

from __future__ import annotations

from typing import Literal, TypeAlias

from botocore.exceptions import ClientError

from sagemaker_tensorflow.doctor.check import Check, problem
from sagemaker_tensorflow.errors import DeadlineExceededError, PipeModeDatasetException
from sagemaker_tensorflow.locations import S3Location

Action: TypeAlias = Literal["s3:ListBucket", "s3:GetObject"]

# By S3's error code (Amazon S3 API Reference, "Error responses").
_ADVICE = {
    "NoSuchBucket": "look at the spelling of the bucket's name, and at the endpoint",
    "InvalidBucketName": "look at the spelling of the bucket's name",
    "NoSuchKey": "the object was deleted after it was listed: try again",
    "InvalidAccessKeyId": "this endpoint does not know the access key: look at where the "
    "credentials come from, and at the endpoint",
    "SignatureDoesNotMatch": "the secret key is not that of the access key: look at where the "
    "credentials come from",
    "ExpiredToken": "get new credentials, for instance with aws sso login",
    "InvalidToken": "the session token is not that of the access key: look at AWS_SESSION_TOKEN",
    "TokenRefreshRequired": "get new credentials",
    "RequestTimeTooSkewed": "set this machine's clock",
    "PermanentRedirect": "set the bucket's region: --region or AWS_DEFAULT_REGION",
    "AuthorizationHeaderMalformed": "set the bucket's region: --region or AWS_DEFAULT_REGION",
    "IllegalLocationConstraintException": "set the bucket's region: --region or AWS_DEFAULT_REGION",
    "InvalidObjectState": "the object is archived (Glacier): restore it",
    "SlowDown": "S3 throttles this bucket: try again later, with fewer readers",
}


def s3_problem(
    name: str, error: PipeModeDatasetException, action: Action, location: S3Location
) -> Check:
    """The check that failed with `error` while doing what `action` allows."""
    cause = error.__cause__
    if not isinstance(cause, ClientError):
        advice = "look at the endpoint and the network"
        return problem(name, str(error), advice if _from_network(error) else "")
    answer = cause.response.get("Error", {})
    status = cause.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = str(answer.get("Code", "unknown"))
    found = f"{status} {code}: {answer.get('Message', 'no message')}"
    if status == 403 and code not in _ADVICE:
        return problem(name, found, _permission_advice(action, location))
    return problem(name, found, _ADVICE.get(code, "look at the endpoint and the credentials"))


def _from_network(error: PipeModeDatasetException) -> bool:
    return isinstance(error, (DeadlineExceededError, ConnectionError))


def _permission_advice(action: Action, location: S3Location) -> str:
    bucket = f"arn:aws:s3:::{location.bucket}"
    if action == "s3:ListBucket":
        return f"allow these credentials {action} on {bucket}, or use others"
    return (
        f"allow these credentials {action} on {bucket}/{location.prefix}*, and kms:Decrypt if "
        "the bucket is encrypted with a key of yours"
    )
