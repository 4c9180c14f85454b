"""The checks of credentials, region and endpoint, and the session that they lead to."""

from __future__ import annotations

import dataclasses
import datetime

from sagemaker_tensorflow.doctor import aws_setup
from sagemaker_tensorflow.doctor.check import Check, ok, problem, skipped
from sagemaker_tensorflow.doctor.endpoint import check_endpoint
from sagemaker_tensorflow.doctor.time_limit import within
from sagemaker_tensorflow.errors import PipeModeDatasetException
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.s3_session import S3Session

# Some of boto3's providers ask a service over the network, others run a program.
_PROVIDERS_SECONDS = 20.0
_CREDENTIALS_ADVICE = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose a profile (--profile), or use "
    "--anonymous for a public bucket"
)


class AwsTrial:
    """Sets up S3 as a prefetcher does, up to the first signed request.

    Args:
        options: How to reach S3.
        needed: S3 is to be used. Otherwise nothing is wrong where nothing is configured.

    Attributes:
        session: None until `checks` has found that requests can be sent.
        why_none: Why it is still None.
    """

    def __init__(self, options: S3Options, needed: bool) -> None:
        self._options = options
        self._needed = needed
        self._has_credentials = options.anonymous
        self.session: S3Session | None = None
        self.why_none = "the AWS configuration could not be checked"

    def checks(self) -> list[Check]:
        """Finds credentials, makes the session and asks the endpoint."""
        credentials = self._check_credentials()
        # Without credentials for the endpoint alone.
        anonymous = dataclasses.replace(self._options, anonymous=True)
        options = self._options if self._has_credentials else anonymous
        try:
            session = within(
                _PROVIDERS_SECONDS, "setting up boto3", lambda: S3Session.from_options(options)
            )
        except PipeModeDatasetException as error:
            self.why_none = "boto3 cannot be set up"
            return [credentials, problem("endpoint", str(error), "look at the AWS configuration")]
        others = self._check_session(session)
        if not self._has_credentials:
            self.why_none = "there are no credentials"
        elif any(check.status == "problem" for check in others if check.name != "clock"):
            self.why_none = "the endpoint cannot be reached"
        else:
            self.session = session
        return [credentials, *others]

    def _check_credentials(self) -> Check:
        if self._options.anonymous:
            return ok("credentials", "not used (--anonymous)")
        try:
            identity = within(
                _PROVIDERS_SECONDS,
                "boto3's providers of credentials",
                lambda: aws_setup.find_identity(self._options),
            )
        except PipeModeDatasetException as error:
            self._needed = True  # someone configured something
            return problem("credentials", str(error), _CREDENTIALS_ADVICE)
        if identity is None:
            found = "boto3's providers have none"
            return self._if_needed(problem("credentials", found, _CREDENTIALS_ADVICE))
        self._has_credentials = self._needed = True
        return aws_setup.judge_identity(identity, datetime.datetime.now(datetime.timezone.utc))

    def _check_session(self, session: S3Session) -> list[Check]:
        url, region = session.client.meta.endpoint_url, session.client.meta.region_name
        origin = aws_setup.endpoint_origin(self._options, url)
        if origin != aws_setup.DEFAULT_ORIGIN:
            self._needed = True
        certificates = aws_setup.check_certificates(url, session.ca_bundle)
        if certificates.status == "problem":
            reach = [skipped("endpoint", f"{url} ({origin}): see the certificates")]
        else:
            reach = [
                self._if_needed(check) for check in check_endpoint(url, session.ca_bundle, origin)
            ]
        return [
            aws_setup.check_region(self._options, region),
            *reach,
            certificates,
            aws_setup.check_proxies(url),
        ]

    def _if_needed(self, check: Check) -> Check:
        if self._needed or check.status != "problem":
            return check
        return dataclasses.replace(check, status="warning")
