"""boto3: one client, ranged get_object in threads."""

from __future__ import annotations

from collections.abc import Callable

import boto3
from botocore.config import Config

from s3_clients.job import Job, Range, fetch_in_order


def prepare(job: Job) -> Callable[[], int]:
    """Makes the client; returns the transfer."""
    client = boto3.client(
        "s3",
        endpoint_url=job.endpoint,
        region_name="us-east-1",
        aws_access_key_id="access",
        aws_secret_access_key="secret",
        verify=job.ca or None,
        config=Config(
            signature_version="s3v4",
            max_pool_connections=job.connections,
            s3={"addressing_style": "path"},
        ),
    )

    def fetch(part: Range) -> int:
        answer = client.get_object(
            Bucket=job.bucket, Key=part.key, Range=f"bytes={part.begin}-{part.end - 1}"
        )
        return len(answer["Body"].read())

    return lambda: fetch_in_order(job, job.ranges(), fetch)
