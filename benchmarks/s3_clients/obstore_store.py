"""The store that both ways of using obstore share."""

from __future__ import annotations

from pathlib import Path

from obstore.store import S3Store

from s3_clients.job import Job


def make_store(job: Job) -> S3Store:
    """A signing store for the job's bucket."""
    options: dict[str, object] = {"allow_http": True}
    if job.ca:
        options["root_certificate"] = Path(job.ca).read_text()
    return S3Store(
        job.bucket,
        endpoint=job.endpoint,
        region="us-east-1",
        access_key_id="access",
        secret_access_key="secret",
        virtual_hosted_style_request=False,
        client_options=options,
    )
