"""A prefetcher that streams listed objects, once and with their ends marked.

What comes through its pipe is csrc/framing/object_frames.h; `_core` has the classes that read it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType

from sagemaker_tensorflow.channel_stats import ChannelStats
from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.errors import PipeModeDatasetException
from sagemaker_tensorflow.listing import ListedObject
from sagemaker_tensorflow.object_list_file import ListedObjects, ObjectListWriter
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.prefetcher import Prefetcher
from sagemaker_tensorflow.process_handle import ProcessHandle
from sagemaker_tensorflow.s3_options import S3Options

_CHANNEL = "objects"


class ObjectFeed:
    """A context manager; the first object is being fetched when it is entered, or `start` returns.

    Args:
        objects: One or more; iterated over by a thread, while the first are streamed.
        bucket: Of all objects; None when they are local files.
        gunzip: Decompress every object.
        s3_options: How to reach S3.
        config: The prefetcher's numbers.
        on_failure: Called, in that thread, when the list cannot be passed on. `failure` says why,
            and the stream does not end by itself then.
        as_they_come: The iterator waits for objects; each is fetched as soon as it is there.
        process: A prefetcher's that waits for its orders; None to start one.
    """

    def __init__(
        self,
        objects: Iterator[ListedObject],
        bucket: str | None,
        *,
        gunzip: bool = False,
        s3_options: S3Options,
        config: PrefetchConfig,
        on_failure: Callable[[], None],
        as_they_come: bool = False,
        process: ProcessHandle | None = None,
    ) -> None:
        self._objects = objects
        self._bucket = bucket
        self._gunzip = gunzip
        self._s3_options = s3_options
        self._config = config
        self._on_failure = on_failure
        self._as_they_come = as_they_come
        self._process = process
        self._list: ObjectListWriter | None = None
        self._prefetcher: Prefetcher | None = None
        self.channel = _CHANNEL
        self.pipe_dir = ""
        self.failure: Exception | None = None

    def __enter__(self) -> ObjectFeed:
        self.start()
        return self

    def start(self) -> None:
        """Starts the prefetcher.

        Raises:
            PermissionDeniedError: There are no credentials.
            UnavailableError: S3 cannot be reached.
            PipeModeDatasetException: What else keeps the prefetcher from starting.
        """
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        self._list = ObjectListWriter(self._objects, self._fail, self._as_they_come)
        s3 = self._s3_options
        self._prefetcher = Prefetcher(
            [Channel(_CHANNEL, ListedObjects(str(self._list.path), self._bucket, self._gunzip))],
            config=self._config,
            profile=s3.profile,
            region=s3.region,
            endpoint_url=s3.endpoint_url,
            anonymous=s3.anonymous,
        )
        self._prefetcher.start(self._process)
        self.pipe_dir = self._prefetcher.dirs["pipe_dir"]

    def _fail(self, error: Exception) -> None:
        self.failure = error
        self._on_failure()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def ask_to_end(self) -> None:
        """Has the prefetcher end, as all was read; `close` need not wait for it then."""
        if self._prefetcher is not None:
            self._prefetcher.ask_to_end()

    def close(self) -> None:
        """Ends the prefetcher. Idempotent."""
        if self._prefetcher is not None:
            self._prefetcher.close()
        if self._list is not None:
            self._list.close()

    def stats(self) -> ChannelStats | None:
        """The prefetcher's counters; None where it does not answer any more."""
        if self._prefetcher is None:
            return None
        try:
            return self._prefetcher.stats().get(_CHANNEL)
        except PipeModeDatasetException:
            return None
