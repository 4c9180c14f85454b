"""Fetches ranges of objects in threads, those that somebody waits for first."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from sagemaker_tensorflow.errors import CancelledError, InternalError, PipeModeDatasetException
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.training.fast_file.tree import FileObject

if TYPE_CHECKING:
    from sagemaker_tensorflow._prefetch import RangeReader, Source

_AWAITED, _AHEAD = 0, 1


class Range:
    """Some bytes of an object, on their way or here.

    Attributes:
        begin: Of the first byte.
        end: Behind the last one.
        data: The bytes, once they are here.
        error: Why they are not.
        wanted: Cleared when nobody will read them.
        settled: Set when who asked for them was told that they are done.
    """

    __slots__ = ("begin", "data", "end", "error", "settled", "wanted")

    def __init__(self, begin: int, end: int) -> None:
        self.begin = begin
        self.end = end
        self.data: bytes | None = None
        self.error: PipeModeDatasetException | None = None
        self.wanted = True
        self.settled = False

    @property
    def done(self) -> bool:
        """Whether nothing will change any more."""
        return self.data is not None or self.error is not None


class Fetches:
    """A pool of threads, each with a connection, which are started when they are needed.

    Args:
        open_source: Where the bytes come from. Called when something is read first, and once more
            whenever it failed.
        config: How many connections there may be, and what is done about trouble.
        on_done: Called, in a thread of the pool, with each range once it is done.
    """

    # S3 gives about 85 MB/s to a connection; above this, Python's share of the work shows.
    MOST_CONNECTIONS = 16

    def __init__(
        self,
        open_source: Callable[[], Source],
        config: PrefetchConfig,
        on_done: Callable[[Range], None],
    ) -> None:
        self._open_source = open_source
        self._config = config
        self._on_done = on_done
        self._source: Source | None = None
        self._source_lock = threading.Lock()
        self._numbers = itertools.count()
        self._waiting: queue.PriorityQueue[tuple[int, int, FileObject, Range]] = (
            queue.PriorityQueue()
        )
        self._lock = threading.Lock()
        self._idle = 0
        self._threads = 0

    def ask(self, file_object: FileObject, wanted: Range, awaited: bool) -> None:
        """Has a range fetched.

        Args:
            file_object: What it is of.
            wanted: Becomes done.
            awaited: Somebody waits for it now.
        """
        order = _AWAITED if awaited else _AHEAD
        self._waiting.put((order, next(self._numbers), file_object, wanted))
        most = self._config.connections or self.MOST_CONNECTIONS
        with self._lock:
            grow = self._waiting.qsize() > self._idle and self._threads < most
            if grow:
                self._threads += 1
        if grow:
            threading.Thread(target=self._work, name="smtf-fetch", daemon=True).start()

    def _work(self) -> None:
        reader: RangeReader | None = None
        while True:
            with self._lock:
                self._idle += 1
            _, _, file_object, wanted = self._waiting.get()
            with self._lock:
                self._idle -= 1
            try:
                if not wanted.wanted:
                    raise CancelledError(f"{file_object.name} is not read any more")
                if reader is None:
                    reader = self._new_reader()
                wanted.data = reader.read(*file_object, wanted.begin, wanted.end - wanted.begin)
            except PipeModeDatasetException as error:
                wanted.error = error
            except Exception as error:  # a bug, which must not leave anybody waiting
                wanted.error = InternalError(f"{file_object.name}: {error!r}")
            self._on_done(wanted)

    def _new_reader(self) -> RangeReader:
        from sagemaker_tensorflow._prefetch import RangeReader

        with self._source_lock:
            if self._source is None:
                self._source = self._open_source()
        return RangeReader(
            self._source,
            retry_seconds=self._config.retry_seconds,
            retry_tries=self._config.retry_tries,
            stall_seconds=self._config.stall_seconds,
            seed=threading.get_ident(),
        )
