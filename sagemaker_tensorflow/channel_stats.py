"""What a prefetcher has done for one channel, or one pipe of several, so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class ChannelStats:
    """Counters since the channel's start. Sizes in bytes, times in seconds.

    Attributes:
        bytes_fetched: From S3 or the files.
        bytes_written: To the pipes, all epochs together.
        objects: Fetched to their end.
        epoch: That is being fed, from 0.
        epochs_done: Read to the end.
        retries: Of parts.
        throttled: Answers that asked for fewer requests.
        hedges: Second requests for a slow part.
        hedges_won: Of those, how many were faster than the first.
        checksums_verified: Objects whose bytes have the checksum that S3 keeps of them.
        reader_waited: The pipe was open and the next part was not there yet.
        feeder_waited: Parts were there and the pipe was full or had no reader.
        stalls: Times that the reader had to wait for a part.
        queue_bytes: In buffers that hold data now.
        queue_parts: Fetched and not written yet.
        memory_bytes: In all part buffers, in use or pooled.
        connections: Fetches under way now.
        connections_limit: Fetches allowed at a time now, by the configuration or as tuning and
            throttling chose.
        part_bytes: Of the parts that are planned now, by the configuration or as tuning chose.
        listed_objects: Found by the listing so far.
        listed_bytes: Their sizes together, which is an epoch once the listing is complete.
        error: Of the last epoch that failed, or "".
        seconds: Since the channel's first pipe was made.
    """

    bytes_fetched: int
    bytes_written: int
    objects: int
    epoch: int
    epochs_done: int
    retries: int
    throttled: int
    hedges: int
    hedges_won: int
    checksums_verified: int
    reader_waited: float
    feeder_waited: float
    stalls: int
    queue_bytes: int
    queue_parts: int
    memory_bytes: int
    connections: int
    connections_limit: int
    part_bytes: int
    listed_objects: int
    listed_bytes: int
    error: str
    seconds: float

    @property
    def mb_per_second(self) -> float:
        """Mean rate of fetching over `seconds`, in units of 1e6 bytes a second."""
        return self.bytes_fetched / 1e6 / self.seconds if self.seconds > 0 else 0.0

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every counter."""
        return asdict(self)

    @classmethod
    def from_json(cls, counters: Mapping[str, Any]) -> ChannelStats:
        """The reverse; counters that are not known here are left out."""
        return cls(**{field.name: counters[field.name] for field in fields(cls)})
