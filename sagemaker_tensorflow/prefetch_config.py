"""The numbers of a prefetcher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from sagemaker_tensorflow.errors import InvalidArgumentError

_KIB = 1 << 10
_MIB = 1 << 20
_GIB = 1 << 30

# Each with the reason for its ends.
_BOUNDS: dict[str, tuple[float, float]] = {
    "connections": (1, 256),  # a thread each; S3 gives about 85 MB/s to one
    "part_bytes": (64 * _KIB, _GIB),  # below, the round trips cost more than the bytes
    "first_part_bytes": (4 * _KIB, _GIB),
    "memory_bytes": (_MIB, 1 << 40),
    "retry_seconds": (0, 86_400),
    "retry_tries": (1, 1_000),
    "stall_seconds": (1, 3_600),  # whole seconds of silence happen on healthy links
    "cache_bytes": (_MIB, 1 << 50),  # less does not hold a part
}

# With a cache parts have one size, so that an epoch finds those of the one before.
_CACHED_PART_BYTES = 8 * _MIB
# The least that a pipe may have while the engine chooses the size of its parts.
_LEAST_SHARE_BYTES = _MIB


@dataclass(frozen=True)
class PrefetchConfig:
    """How a prefetcher fetches. Every number is checked against its bounds.

    Attributes:
        connections: Transfers at a time, for each pipe. None finds the number at run time: it grows
            while the rate does, and falls when the store asks for fewer requests. Where the first
            byte of a transfer takes 15 ms or more, up to as many requests wait for theirs besides.
        part_bytes: Bytes per ranged request. None finds the size at run time; with a cache it is 8
            MiB, as what is cached is cut into parts of this size.
        first_part_bytes: Bytes of an epoch's first request: 256 KiB, so that the first record
            arrives after about one round trip.
        memory_bytes: Bound on what is fetched and not yet read, over all pipes together, which
            share it evenly; used only as far as it is needed. 512 MiB hold parts of 8 MiB on 64
            connections, and bridge half a second at 1 GB/s, as the backoffs of a retry may take: a
            part that is late holds up all behind it.
        retry_seconds: How long one part may be retried, in seconds, before the epoch fails.
        retry_tries: How often, at most.
        stall_seconds: A fetch without a byte for so many seconds is begun anew from where it
            stopped.
        hedging: Fetch a part a second time when it is much slower than others, and take what comes
            first.
        checksums: Verify the checksums that S3 keeps of its objects.
        cache_dir: A directory that keeps what was fetched from S3 for later epochs. Off when None.
            Several prefetchers may share one. Made if missing.
        cache_bytes: Bound on everything in `cache_dir`: 10 GiB.

    Raises:
        InvalidArgumentError: A number is out of its bounds, or they do not fit together.
    """

    connections: int | None = None
    part_bytes: int | None = None
    first_part_bytes: int = 256 * _KIB
    memory_bytes: int = 512 * _MIB
    retry_seconds: float = 60.0
    retry_tries: int = 8
    stall_seconds: float = 20.0
    hedging: bool = True
    checksums: bool = True
    cache_dir: str | None = None
    cache_bytes: int = 10 * _GIB

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _BOUNDS:
                _check_number(field.name, str(field.type), value)
            elif field.type == "bool" and not isinstance(value, bool):
                raise InvalidArgumentError(f"{field.name}={value!r} is not bool")
        if self.cache_dir is not None:
            # Absolute, as the prefetcher's process may have another current directory.
            object.__setattr__(self, "cache_dir", str(Path(self.cache_dir).absolute()))
        self.memory_share(1)

    @property
    def engine_connections(self) -> int:
        """As the engine takes it: 0 finds the number at run time."""
        return self.connections or 0

    @property
    def engine_part_bytes(self) -> int:
        """As the engine takes it: 0 finds the size at run time."""
        return self.part_bytes or (_CACHED_PART_BYTES if self.cache_dir is not None else 0)

    def memory_share(self, pipes: int) -> int:
        """Bytes of memory for each of so many pipes.

        Raises:
            InvalidArgumentError: It does not hold two parts, one to fetch and one to write.
        """
        share = self.memory_bytes // pipes
        part_bytes = self.engine_part_bytes
        if part_bytes and share < 2 * part_bytes:
            raise InvalidArgumentError(
                f"memory_bytes={self.memory_bytes} over {pipes} pipe(s) does not hold two "
                f"parts of part_bytes={part_bytes} each: raise the one or lower the other"
            )
        if share < _LEAST_SHARE_BYTES:
            raise InvalidArgumentError(
                f"memory_bytes={self.memory_bytes} over {pipes} pipe(s) leaves less than "
                f"{_LEAST_SHARE_BYTES} to each: raise it or stream fewer"
            )
        return share

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every number."""
        return asdict(self)

    @classmethod
    def from_json(cls, numbers: Mapping[str, Any]) -> PrefetchConfig:
        """The reverse; what is missing has its default.

        Raises:
            InvalidArgumentError: There is a name that is none of these.
        """
        unknown = sorted(set(numbers) - {field.name for field in fields(cls)})
        if unknown:
            raise InvalidArgumentError(f"no such number of a prefetcher: {', '.join(unknown)}")
        return cls(**numbers)


def _check_number(name: str, declared: str, value: object) -> None:
    if value is None and declared.endswith("| None"):
        return
    kinds = (int, float) if declared == "float" else (int,)
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise InvalidArgumentError(f"{name}={value!r} is not {declared}")
    low, high = _BOUNDS[name]
    if not low <= value <= high:
        raise InvalidArgumentError(f"{name}={value} is not in [{low}, {high}]")
