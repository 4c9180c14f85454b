"""obstore: get_range_async in one event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import obstore
from obstore.store import S3Store

from s3_clients.job import Job, Range
from s3_clients.obstore_store import make_store


def prepare(job: Job) -> Callable[[], int]:
    """Makes the store; returns the transfer."""
    store = make_store(job)
    return lambda: asyncio.run(_fetch_all(store, job))


async def _fetch_all(store: S3Store, job: Job) -> int:
    connections = asyncio.Semaphore(job.connections)

    async def fetch(part: Range) -> int:
        async with connections:
            return len(
                await obstore.get_range_async(store, part.key, start=part.begin, end=part.end)
            )

    window: deque[tuple[Range, asyncio.Task[int]]] = deque()
    ahead = total = 0
    for part in job.ranges():
        while window and ahead + part.bytes > job.memory_bytes:
            oldest, task = window.popleft()
            total += await task
            ahead -= oldest.bytes
        window.append((part, asyncio.create_task(fetch(part))))
        ahead += part.bytes
    return total + sum([await task for _, task in window])
