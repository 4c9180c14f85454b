"""Who boto3 says that we are, in which region, at which endpoint, and where it has that from."""

from __future__ import annotations

import datetime
import os
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import botocore.session
from botocore.credentials import Credentials

from sagemaker_tensorflow.doctor.check import Check, ok, problem, skipped, warning
from sagemaker_tensorflow.errors import PermissionDeniedError
from sagemaker_tensorflow.s3_errors import translated_s3_errors
from sagemaker_tensorflow.s3_options import S3Options

# botocore refreshes credentials that end sooner, if it can.
_SOON = datetime.timedelta(minutes=15)
# Of an endpoint that nobody configured.
DEFAULT_ORIGIN = "AWS, for the region"


@dataclass(frozen=True)
class Identity:
    """Credentials, without their secrets.

    Attributes:
        access_key_end: The last 4 characters of the access key's id.
        method: boto3's name of the provider that found them.
        profile: Its name, and where that comes from.
        temporary: They come with a session token.
        expiry: If boto3 knows it.
    """

    access_key_end: str
    method: str
    profile: str
    temporary: bool
    expiry: datetime.datetime | None


def find_identity(options: S3Options) -> Identity | None:
    """Asks boto3's providers, which may take as long as they like. None when none has any.

    Raises:
        PermissionDeniedError: One fails.
        InvalidArgumentError: There is no such profile, or the files cannot be parsed.
    """
    core = botocore.session.Session(profile=options.profile)
    with translated_s3_errors("looking for credentials"):
        credentials = core.get_credentials()
        try:
            return None if credentials is None else _identity_of(core, credentials)
        except RuntimeError as error:  # botocore's "... are still expired"
            raise PermissionDeniedError(f"looking for credentials: {error}") from error


def _identity_of(core: botocore.session.Session, credentials: Credentials) -> Identity:
    frozen = credentials.get_frozen_credentials()
    # Private in botocore, and the only place where it stands.
    expiry = getattr(credentials, "_expiry_time", None)
    return Identity(
        (frozen.access_key or "")[-4:],
        str(credentials.method),
        profile_name(core),
        bool(frozen.token),
        expiry if isinstance(expiry, datetime.datetime) else None,
    )


def profile_name(core: botocore.session.Session) -> str:
    """With where it comes from."""
    if core.profile is None:
        return "'default'"
    source = " (AWS_PROFILE)" if core.profile == os.environ.get("AWS_PROFILE") else ""
    return f"{core.profile!r}{source}"


def judge_identity(identity: Identity, now: datetime.datetime) -> Check:
    """Whether the credentials last."""
    name = "credentials"
    found = (
        f"access key ...{identity.access_key_end} from boto3's provider {identity.method!r}, "
        f"profile {identity.profile}"
    )
    if identity.expiry is None:
        return ok(name, found + (", temporary, end unknown" if identity.temporary else ""))
    left = identity.expiry - now
    found += f", until {identity.expiry.astimezone():%Y-%m-%d %H:%M %Z}"
    if left <= datetime.timedelta(0):
        return problem(name, f"{found}, which is past", "get new credentials")
    if left < _SOON:
        return warning(name, found, "get new ones soon, if nothing refreshes them")
    return ok(name, found)


def check_region(options: S3Options, client_region: str) -> Check:
    """Which region requests are signed for, until S3 says where the bucket is."""
    name = "region"
    core = botocore.session.Session(profile=options.profile)
    if options.region:
        return ok(name, f"{options.region} (--region)")
    if os.environ.get("AWS_DEFAULT_REGION"):
        return ok(name, f"{client_region} (AWS_DEFAULT_REGION)")
    if core.get_config_variable("region"):
        return ok(name, f"{client_region} (the AWS configuration, profile {profile_name(core)})")
    found = f"none configured, {client_region} is used; S3 says where a bucket is"
    if os.environ.get("AWS_REGION"):
        advice = "boto3 does not read AWS_REGION: set AWS_DEFAULT_REGION"
        return warning(name, f"{found}; AWS_REGION={os.environ['AWS_REGION']}", advice)
    return ok(name, found)


def endpoint_origin(options: S3Options, endpoint_url: str) -> str:
    """Where the endpoint that boto3 chose comes from."""
    if options.endpoint_url:
        return "--endpoint-url"
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"):
        if os.environ.get(name, "").rstrip("/") == endpoint_url.rstrip("/"):
            return name
    host = urlsplit(endpoint_url).hostname or ""
    if host.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return DEFAULT_ORIGIN
    return "the AWS configuration"


def check_certificates(endpoint_url: str, ca_bundle: str) -> Check:
    """Which certificate authorities are trusted."""
    name = "certificates"
    if urlsplit(endpoint_url).scheme != "https":
        return skipped(name, "the endpoint is plain http")
    origin = "boto3's own"
    for variable in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        if os.environ.get(variable) == ca_bundle:
            origin = variable
            break
    found = f"{ca_bundle} ({origin})"
    if not os.access(ca_bundle, os.R_OK) or not Path(ca_bundle).exists():
        return problem(name, f"{found} cannot be read", f"correct {origin}")
    return ok(name, found)


def check_proxies(endpoint_url: str) -> Check:
    """Whether requests go through a proxy."""
    parts = urlsplit(endpoint_url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if not proxy:
        return ok("proxy", "none")
    if urllib.request.proxy_bypass(parts.netloc):
        return ok("proxy", f"not for {parts.netloc} (no_proxy); {proxy} for others")
    return ok("proxy", f"{proxy} ({parts.scheme}_proxy)")
