"""awscrt.s3.S3Client: whole objects, several at a time, their bodies through on_body.

It cuts them into parts by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from awscrt.auth import AwsCredentialsProvider
from awscrt.http import HttpHeaders, HttpRequest
from awscrt.io import ClientTlsContext, TlsContextOptions
from awscrt.s3 import (
    S3Client,
    S3RequestTlsMode,
    S3RequestType,
    create_default_s3_signing_config,
)

from s3_clients.job import Job, Range, fetch_in_order


def prepare(job: Job) -> Callable[[], int]:
    """Makes the client; returns the transfer."""
    host = urlsplit(job.endpoint).netloc
    credentials = AwsCredentialsProvider.new_static("access", "secret")
    client = S3Client(
        region="us-east-1",
        signing_config=create_default_s3_signing_config(
            region="us-east-1", credential_provider=credentials
        ),
        part_size=job.part_bytes,
        max_active_connections_override=job.connections,
        **_tls(job, host.partition(":")[0]),
    )

    def fetch(part: Range) -> int:
        sizes: list[int] = []
        request = HttpRequest("GET", f"/{job.bucket}/{part.key}", HttpHeaders([("host", host)]))
        client.make_request(
            type=S3RequestType.GET_OBJECT,
            request=request,
            on_body=lambda chunk, offset, **_: sizes.append(len(chunk)),
        ).finished_future.result()
        return sum(sizes)

    return lambda: fetch_in_order(job, job.whole_objects(), fetch)


def _tls(job: Job, server_name: str) -> dict[str, object]:
    if not job.ca:
        return {"tls_mode": S3RequestTlsMode.DISABLED}
    options = TlsContextOptions()
    options.override_default_trust_store_from_path(None, job.ca)
    connection = ClientTlsContext(options).new_connection_options()
    connection.set_server_name(server_name)
    return {"tls_mode": S3RequestTlsMode.ENABLED, "tls_connection_options": connection}
