"""The prefetcher's engine with its S3 source. Import it only in a process of this package's own."""

from collections.abc import Sequence
from typing import TypeAlias, TypedDict

class S3Source:
    """Objects of one bucket, fetched with libcurl.

    Args:
        endpoint_url: Scheme, host and port, without a path: ``https://s3.us-east-1.amazonaws.com``.
        bucket: The bucket's name.
        region: For the signature.
        virtual_host: Address the bucket as a host name instead of as the first path segment.
        ca_bundle: A PEM file or directory of certificates; empty for the system's.
        verify_tls: False accepts any certificate.
        checksums: Ask for the objects' checksums and verify what comes.
    """

    def __init__(
        self,
        *,
        endpoint_url: str,
        bucket: str,
        region: str,
        virtual_host: bool = False,
        ca_bundle: str = "",
        verify_tls: bool = True,
        checksums: bool = True,
    ) -> None: ...
    def set_credentials(self, access_key: str, secret_key: str, session_token: str = "") -> None:
        """Signs every request from now on. Before the first call requests are anonymous.

        After a refusal this is also the answer to it, whether they are newer or the same: requests
        that were refused with other credentials are sent once more, the others fail.
        """
    def wait_refused(self, timeout: float) -> bool:
        """Waits until S3 refuses the credentials, which then wait for `set_credentials`.

        True at once while a refusal is unanswered; False after `timeout` seconds without one.
        Without the GIL. Requests wait for an answer for 10 s, then they fail.
        """
    def stat(self, names: Sequence[str], connections: int = 16) -> list[ObjectStat]:
        """Asks for sizes and ETags with HEAD, retrying; in the order of `names`.

        Raises:
            PipeModeDatasetException: Of the first name, in their order, that cannot be had. That is
                not so for a name that is not there: it has size -1.
        """

# Size in bytes, -1 for what is not there, and the ETag with its quotes.
ObjectStat: TypeAlias = tuple[int, str]

class FileSource:
    """Local files; an object's name is its path."""

    def __init__(self) -> None: ...

class FakeSource:
    """Objects made up from a seed, with faults, for tests.

    The bytes of an object depend on its name and the seed only. Each fault rate is the share of
    fetches, in [0, 1], that end so.
    """

    def __init__(
        self,
        *,
        seed: int,
        bytes_per_second: float = 0,
        transient_rate: float = 0,
        truncate_rate: float = 0,
        fail_name: str = "",
        fail_kind: str = "NotFound",
    ) -> None: ...
    def content(self, name: str, size: int) -> bytes:
        """What a fetch of the whole object returns."""

class MultiSource:
    """Several sources as one: an object's source is an index into `sources`, at most 1000."""

    def __init__(self, sources: Sequence[Source]) -> None: ...
    def add(self, source: Source) -> int:
        """Adds another, also while objects are fetched, and returns its index."""

class CachedSource:
    """Keeps what another source gives on a disk, for the next time that it is asked for.

    Safe to share between processes. What is broken or cannot be written is fetched again.

    Args:
        source: Where the bytes come from.
        namespace: Part of every key: what tells this source's objects from others' in the cache.
        cache_dir: Made if missing, mode 0700; its files are 0600.
        cache_bytes: Bound on all files in it together, of all processes that use it.
    """

    def __init__(
        self, source: Source, *, namespace: str, cache_dir: str, cache_bytes: int
    ) -> None: ...
    def stats(self) -> CacheStats:
        """Counters since it was made."""

class CacheStats(TypedDict):
    """What this process did with a cache. Sizes in bytes."""

    hits: int
    misses: int
    hit_bytes: int
    inserted_bytes: int
    refused: int  # not inserted, because the cache is full or its ledger busy
    evicted_bytes: int
    failures: int  # damaged entries, and whatever the disk refused
    last_failure: str

Source: TypeAlias = S3Source | FileSource | FakeSource | MultiSource | CachedSource

class RangeReader:
    """One thread's way to single ranges of objects, as they are wanted.

    With the retries of a feed. Objects that are read as a whole are verified by the checksum that
    the store has of them.

    Args:
        source: Where the bytes come from.
        retry_seconds: How long one range may be retried before it is given up.
        retry_tries: How often, at most.
        stall_seconds: A fetch that brings no byte for so long is retried.
        seed: Of the random part of the waits between tries.
    """

    def __init__(
        self,
        source: Source,
        *,
        retry_seconds: float = 60,
        retry_tries: int = 8,
        stall_seconds: float = 20,
        seed: int = 0,
    ) -> None: ...
    def read(self, name: str, size: int, etag: str, offset: int, count: int) -> bytes:
        """Bytes [offset, offset + count) of an object. Without the GIL; cannot be broken off.

        Args:
            name: S3 key or path.
            size: Of the object.
            etag: What it must still have, with its quotes; "" for any.
            offset: In the object.
            count: 1 or more, and not beyond its end.

        Raises:
            PipeModeDatasetException: Names object and range, and says what was seen.
        """

class ObjectList:
    """A channel's objects, in order. Several feeds may share one. Thread-safe.

    An object takes its name, its ETag and 26 bytes.
    """

    def __init__(self) -> None: ...
    def add(self, objects: Sequence[tuple[str, int, str]], source: int = 0) -> None:
        """Appends objects: name (S3 key or path), size in bytes, ETag with its quotes or ""."""
    def add_inline(self, payload: bytes) -> None:
        """Appends an entry whose bytes are given here."""
    def finish(self) -> None:
        """Says that the list is complete."""
    def fail(self, kind: str, message: str) -> None:
        """Says that the list cannot be completed: the epoch, and each later one, ends with this."""

class S3Listing:
    """Lists a prefix into an `ObjectList`, in the order of the keys' bytes.

    Zero-byte keys that end in ``/`` are left out. Long listings are made with several requests at a
    time, cut at the common prefixes that they have and at guessed keys.

    Args:
        source: Which bucket, and how to reach it.
        prefix: A raw key prefix.
        start_after: List only keys behind this one; "" for all.
        connections: Requests at a time, at most.
    """

    def __init__(
        self, source: S3Source, prefix: str, *, start_after: str = "", connections: int = 8
    ) -> None: ...
    def run(self, objects: ObjectList, source_index: int = 0) -> int:
        """Appends every object and returns how many. Once; without the GIL.

        Does not finish the list.

        Raises:
            CancelledError: `stop` was called.
            PipeModeDatasetException: What S3 said, or that it cannot be reached.
        """
    def stop(self) -> None:
        """Ends `run`. Any thread."""

class Stats(TypedDict):
    """Counters since the start. Sizes in bytes, times in seconds."""

    bytes_fetched: int  # from the source
    bytes_written: int  # to the pipes
    objects: int  # put into a pipe to their end
    epoch: int  # that is being fed, from 0
    epochs_done: int  # read to the end
    retries: int  # of parts
    throttled: int  # answers that asked for fewer requests
    hedges: int  # second requests for a slow part
    hedges_won: int  # of those, how many were faster
    checksums_verified: int  # objects
    reader_waited: float  # the pipe was open and the next part was not there
    feeder_waited: float  # parts were there and the pipe was full or had no reader
    stalls: int  # times that the reader had to wait for a part
    queue_bytes: int  # in buffers that hold data now
    queue_parts: int  # fetched, in order, not written yet
    memory_bytes: int  # in all part buffers, in use or pooled
    connections: int  # fetches under way now
    connections_limit: int  # fetches allowed at a time now: what tuning and throttling chose
    part_bytes: int  # of the parts that are planned now: what tuning chose
    listed_objects: int
    listed_bytes: int
    error: str  # of the last epoch that failed, or ""

class Feed:
    """Streams the objects of one channel to its readers, epoch after epoch, until stopped.

    Through FIFOs in ``pipe_dir`` or, with ``ring_address``, rings in shared memory.

    Objects can be added while it runs; the first part of the first object is fetched at once. Every
    epoch holds all objects in the order of the list, or in the epoch's own order when shuffled, and
    of those the shard's.

    Args:
        channel: The channel's name.
        pipe_dir: Where ``<channel>_<epoch>`` goes. Must exist. Exactly one of this and
            ``ring_address``.
        ring_address: Of the abstract Unix socket, without its leading NUL, at most 107 bytes:
            ``smtf-<32 hex digits>/<channel>``. Readers of the same user can connect from now on.
        source: Where the bytes come from.
        objects: What to stream.
        connections: Fetches at a time, each with a thread and a connection; 0 finds the number at
            run time.
        most_connections: Bound on what is found.
        part_bytes: Size of a ranged fetch; 0 finds it at run time.
        first_part_bytes: Size of the first one of an epoch, small so that its first record comes
            early.
        memory_bytes: Bound on all part buffers together.
        retry_seconds: How long one part may be retried before the epoch fails.
        retry_tries: How often, at most.
        stall_seconds: A fetch that brings no byte for so long is retried.
        hedging: Fetch the slowest part a second time.
        shuffle_seed: Another order in each epoch, made from this and the epoch's number.
        group: So many neighbours of the list stay together in every order and shard.
        shards: Into how many shards the list is dealt.
        shard: Which of those this is.
        gunzip: Decompress every object.
        wrap_recordio: Put every object into a RecordIO record of its own.
        frame_objects: Mark where objects end, as csrc/framing/object_frames.h says, for
            `_core.ObjectRecords`. An object that cannot be had ends with its error within the
            stream, and the next follows. What is fetched ahead is never of the next epoch.

    Raises:
        FailedPreconditionError: A live prefetcher feeds this channel already, or has this address.
        InvalidArgumentError: A number is out of its bounds.
    """

    def __init__(
        self,
        *,
        channel: str,
        pipe_dir: str = "",
        ring_address: str = "",
        source: Source,
        objects: ObjectList,
        connections: int = 0,
        most_connections: int = 64,
        part_bytes: int = 0,
        first_part_bytes: int = 262144,
        memory_bytes: int = 268435456,
        retry_seconds: float = 60,
        retry_tries: int = 8,
        stall_seconds: float = 20,
        hedging: bool = True,
        shuffle_seed: int | None = None,
        group: int = 1,
        shards: int = 1,
        shard: int = 0,
        gunzip: bool = False,
        wrap_recordio: bool = False,
        frame_objects: bool = False,
    ) -> None: ...
    def start(self) -> None:
        """Makes the first FIFO, or lets the first reader of the ring in, and starts the threads."""
    def stop(self) -> None:
        """Ends the epoch under way with an error for its reader and removes the FIFOs.

        Joins the threads, without the GIL. Idempotent.
        """
    def connections(self) -> int:
        """How many are connected to the ring: readers, those who wait for a turn, and leases.

        0 where there are FIFOs. Any thread.
        """
    def stats(self) -> Stats:
        """The counters.

        Raises:
            PipeModeDatasetException: What ended the feed: its directory or FIFO is gone, say. The
                error of an object or of the list does not end it.
        """
