"""What is asked of a client, and the bounded, ordered fetching that several of them share."""

from __future__ import annotations

import argparse
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class Range(NamedTuple):
    """Bytes [begin, end) of an object."""

    key: str
    begin: int
    end: int

    @property
    def bytes(self) -> int:
        """How many."""
        return self.end - self.begin


@dataclass(frozen=True)
class Job:
    """Read these objects, in this order, into memory, and forget them there.

    Attributes:
        endpoint: URL of the S3 server.
        bucket: Addressed as the first segment of the path.
        objects: Keys and sizes.
        connections: Requests at a time.
        part_bytes: Larger objects are read in ranges of this size.
        memory_bytes: Of what is asked for and not yet taken in order.
        ca: File of the certificate to trust; empty without TLS.
    """

    endpoint: str
    bucket: str
    objects: tuple[tuple[str, int], ...]
    connections: int
    part_bytes: int
    memory_bytes: int
    ca: str

    @classmethod
    def from_arguments(cls, arguments: list[str]) -> Job:
        """Parses what `bench_s3_stream.Client` passes, as native/fetch_job.cc does."""
        parser = argparse.ArgumentParser()
        for name in ("endpoint", "bucket"):
            parser.add_argument(f"--{name}", required=True)
        parser.add_argument("--objects", type=Path, required=True, help="lines: key, size, ETag")
        for name, default in (("connections", 8), ("part-bytes", 8 << 20)):
            parser.add_argument(f"--{name}", type=int, default=default)
        parser.add_argument("--memory-bytes", type=int, default=256 << 20)
        parser.add_argument("--ca", default="")
        options = vars(parser.parse_args(arguments))
        lines = [line.split("\t") for line in options["objects"].read_text().splitlines()]
        options["objects"] = tuple((key, int(size)) for key, size, _ in lines)
        return cls(**options)

    def ranges(self) -> Iterator[Range]:
        """Cuts the objects into parts."""
        for key, size in self.objects:
            for begin in range(0, size, self.part_bytes):
                yield Range(key, begin, min(size, begin + self.part_bytes))

    def whole_objects(self) -> Iterator[Range]:
        """For clients that cut them by themselves."""
        return (Range(key, 0, size) for key, size in self.objects)


def fetch_in_order(job: Job, ranges: Iterator[Range], fetch: Callable[[Range], int]) -> int:
    """Calls `fetch` in as many threads as there are connections; takes the results in order.

    Returns the sum of what `fetch` returned, which is bytes.
    """
    window: deque[tuple[Range, Future[int]]] = deque()
    ahead = total = 0
    with ThreadPoolExecutor(job.connections) as pool:
        for part in ranges:
            while window and ahead + part.bytes > job.memory_bytes:
                oldest, future = window.popleft()
                total += future.result()
                ahead -= oldest.bytes
            window.append((part, pool.submit(fetch, part)))
            ahead += part.bytes
        return total + sum(future.result() for _, future in window)
