"""s3torchconnectorclient: the client below s3torchconnector's data sets, whole objects in threads.

It cuts them into parts by itself and takes its number of connections from a target rate.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from s3torchconnectorclient._mountpoint_s3_client import MountpointS3Client

from s3_clients.job import Job, Range, fetch_in_order

# Few connections, which suits a server on loopback: its default of 10, and 50, were slower.
_TARGET_GBPS = 5.0


def prepare(job: Job) -> Callable[[], int]:
    """Makes the client; returns the transfer."""
    if job.ca:
        raise NotImplementedError("it has no option for a certificate to trust")
    os.environ |= {"AWS_ACCESS_KEY_ID": "access", "AWS_SECRET_ACCESS_KEY": "secret"}
    client = MountpointS3Client(
        region="us-east-1",
        endpoint=job.endpoint,
        force_path_style=True,
        part_size=job.part_bytes,
        throughput_target_gbps=_TARGET_GBPS,
    )

    def fetch(part: Range) -> int:
        return sum(len(chunk) for chunk in client.get_object(job.bucket, part.key))

    return lambda: fetch_in_order(job, job.whole_objects(), fetch)
