"""obstore: get_range in threads."""

from __future__ import annotations

from collections.abc import Callable

import obstore

from s3_clients.job import Job, Range, fetch_in_order
from s3_clients.obstore_store import make_store


def prepare(job: Job) -> Callable[[], int]:
    """Makes the store; returns the transfer."""
    store = make_store(job)

    def fetch(part: Range) -> int:
        return len(obstore.get_range(store, part.key, start=part.begin, end=part.end))

    return lambda: fetch_in_order(job, job.ranges(), fetch)
