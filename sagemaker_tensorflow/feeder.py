"""Feeds the pipes of several channels from this process: listings, native feeds, statistics.

Both forms of the prefetcher are made of it, the process behind `Prefetcher` and ``smtf stream``.
It loads the engine, so it is never imported where TensorFlow is.
"""

from __future__ import annotations

import logging
import queue
import signal
import threading
import time
from collections.abc import Callable, Collection, Sequence

from sagemaker_tensorflow import _prefetch
from sagemaker_tensorflow.channel_objects import ChannelObjects, open_channel_objects
from sagemaker_tensorflow.channel_stats import ChannelStats
from sagemaker_tensorflow.channels import Channel, pipe_count
from sagemaker_tensorflow.errors import (
    InternalError,
    PipeModeDatasetException,
    kind_of_error,
)
from sagemaker_tensorflow.hosts import HostPlace
from sagemaker_tensorflow.open_files import raise_open_files_limit
from sagemaker_tensorflow.outlets import Outlet
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.source_pool import SourcePool

_log = logging.getLogger(__name__)

# How often a feeder in the foreground looks for errors to log and calls `tick`, in seconds.
_TICK_SECONDS = 0.5
# The same while it starts.
_STARTING_SECONDS = 0.05
# After so long it is said what is waited for: boto3 gives a request 60 s, and tries it again.
_SILENCE_SECONDS = 10.0
# Connections that a pipe may find by itself: so many over all pipes, and so many for each. 64 are
# about 5 GB/s of S3; each takes a thread and two or three open files.
_MOST_AUTOMATIC = 64
_FEWEST_AUTOMATIC = 4
# How long the threads that list may take to end.
_LISTERS_SECONDS = 1.0


class Feeder:
    """The channels of one prefetcher. Its methods are for one thread.

    A channel is listed by a thread of its own. Once its first page is there, the channel is
    announced, its first pipes or rings are made, and the thread goes on listing.
    A channel with several pipes has one list of objects and a feed for each pipe.
    """

    def __init__(
        self,
        channels: Sequence[Channel],
        *,
        outlet: Outlet,
        config: PrefetchConfig,
        s3_options: S3Options,
        host: HostPlace,
    ) -> None:
        self._channels = channels
        self._outlet = outlet
        self._config = config
        self._memory_bytes = config.memory_share(pipe_count(channels))
        self._host = host
        self._sources = SourcePool(config, s3_options)
        # Held while a channel starts, so that `stop` finds it either started or never to start.
        self._start_lock = threading.Lock()
        # What the listing threads report: a started channel, or why it cannot start.
        self._reports: queue.SimpleQueue[Channel | PipeModeDatasetException] = queue.SimpleQueue()
        self._started = 0
        self._stopping = threading.Event()
        # By the pipe's name; when it began.
        self._feeds: dict[str, tuple[_prefetch.Feed, float]] = {}
        self._listers: list[threading.Thread] = []
        self._listed: list[ChannelObjects] = []
        self._running: set[Channel] = set()
        self._logged: dict[str, str] = {}

    def start(self) -> None:
        """Makes the directories and begins to list; returns at once.

        Raises:
            PipeModeDatasetException: A directory cannot be made.
        """
        raise_open_files_limit()
        self._outlet.prepare()
        self._listers = [
            threading.Thread(
                target=self._run, args=(channel,), name=f"smtf-list-{channel.name}", daemon=True
            )
            for channel in self._channels
        ]
        for lister in self._listers:
            lister.start()

    def wait_started(self, timeout: float) -> bool:
        """Waits until every channel has its first pipes. False when `timeout` seconds are over.

        Raises:
            PipeModeDatasetException: A channel cannot be listed or its pipe cannot be made.
        """
        deadline = time.monotonic() + timeout
        while self._started < len(self._channels):
            try:
                report = self._reports.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return False
            if isinstance(report, PipeModeDatasetException):
                raise report
            self._started += 1
        return True

    def stats(self) -> dict[str, ChannelStats]:
        """Counters of the channels that have started, by pipe."""
        now = time.monotonic()
        return {
            name: ChannelStats.from_json({**feed.stats(), "seconds": now - since})
            for name, (feed, since) in list(self._feeds.items())
        }

    def connections(self) -> int:
        """How many readers, and datasets that may be read, hold on to the rings."""
        return sum(feed.connections() for feed, _ in list(self._feeds.values()))

    def warn_of_silence(self) -> None:
        """Says which channels are being listed and have nothing to stream yet."""
        for channel in self._channels:
            if channel not in self._running:
                _log.warning(
                    "channel %s: the list of its objects has not begun to come after %d s; still "
                    "waiting, smtf doctor looks at endpoint and network",
                    channel.name,
                    _SILENCE_SECONDS,
                )

    def log_errors(self) -> None:
        """Logs the errors of epochs that failed since the last call; readers get them too."""
        for name, stats in self.stats().items():
            if stats.error and stats.error != self._logged.get(name):
                _log.error("channel %s: %s", name, stats.error)
            self._logged[name] = stats.error

    def stop(self) -> None:
        """Ends the epochs under way with an error for their readers and removes the pipes."""
        self._stopping.set()
        with self._start_lock:
            feeds = [feed for feed, _ in self._feeds.values()]
            listed = list(self._listed)
        for objects in listed:
            objects.stop()
        stoppers = [threading.Thread(target=feed.stop) for feed in feeds]
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join()
        self._sources.close()
        # Not from under the interpreter's feet while it ends; but a request may take its time.
        deadline = time.monotonic() + _LISTERS_SECONDS
        for lister in self._listers:
            lister.join(max(0.0, deadline - time.monotonic()))

    def _run(self, channel: Channel) -> None:
        objects = _prefetch.ObjectList()
        try:
            self._list(channel, objects)
        except PipeModeDatasetException as error:
            self._fail(channel, objects, error)
        except Exception as error:
            # A bug. Without this the thread would end in silence and the reader wait for ever.
            _log.exception("channel %s", channel.name)
            self._fail(channel, objects, InternalError(f"channel {channel.name}: {error!r}"))

    def _list(self, channel: Channel, objects: _prefetch.ObjectList) -> None:
        found = open_channel_objects(channel.input, self._sources)
        with self._start_lock:
            self._listed.append(found)
        pages = found.fill(objects)
        count = next(pages, 0)
        with self._start_lock:
            if self._stopping.is_set():
                return
            self._start_feeds(channel, found, objects)
        self._running.add(channel)
        self._reports.put(channel)
        for listed in pages:
            if self._stopping.is_set():
                return
            count += listed
        objects.finish()
        self._warn_of_empty_shards(channel, count)

    def _start_feeds(
        self, channel: Channel, found: ChannelObjects, objects: _prefetch.ObjectList
    ) -> None:
        feeds = [
            self._make_feed(channel, pipe, found, objects)
            for pipe in range(len(channel.pipe_names))
        ]
        # Before the pipes are there, so that who finds a pipe finds the channel too.
        self._outlet.announce(channel)
        for name, feed in zip(channel.pipe_names, feeds, strict=True):
            feed.start()
            self._feeds[name] = (feed, time.monotonic())

    def _make_feed(
        self, channel: Channel, pipe: int, found: ChannelObjects, objects: _prefetch.ObjectList
    ) -> _prefetch.Feed:
        numbers, given = self._config, channel.input
        shuffle = given.shuffle_config
        first_shard = self._host.index * given.pipes_per_channel if given.sharded else 0
        return _prefetch.Feed(
            channel=channel.pipe_names[pipe],
            **self._outlet.feed_arguments(channel.pipe_names[pipe]),
            source=found.source,
            objects=objects,
            connections=numbers.engine_connections,
            most_connections=max(_FEWEST_AUTOMATIC, _MOST_AUTOMATIC // pipe_count(self._channels)),
            part_bytes=numbers.engine_part_bytes,
            first_part_bytes=numbers.first_part_bytes,
            memory_bytes=self._memory_bytes,
            retry_seconds=numbers.retry_seconds,
            retry_tries=numbers.retry_tries,
            stall_seconds=numbers.stall_seconds,
            hedging=numbers.hedging,
            # The engine's seeds have no sign; -1 is 2**64 - 1 there.
            shuffle_seed=None if shuffle is None else shuffle.seed % (1 << 64),
            group=max(1, len(given.attributes)),
            shards=self._shards(channel),
            shard=first_shard + pipe,
            gunzip=given.compression == "Gzip",
            wrap_recordio=given.record_wrapping == "RecordIO",
            frame_objects=given.frame_objects,
        )

    def _shards(self, channel: Channel) -> int:
        hosts = self._host.count if channel.input.sharded else 1
        return hosts * channel.input.pipes_per_channel

    def _warn_of_empty_shards(self, channel: Channel, count: int) -> None:
        units = count // max(1, len(channel.input.attributes))
        shards = self._shards(channel)
        if units < shards:
            _log.warning(
                "channel %s: %d objects or lines are dealt to %d shards (hosts times pipes), so in "
                "each epoch some get nothing",
                channel.name,
                units,
                shards,
            )

    def _fail(
        self, channel: Channel, objects: _prefetch.ObjectList, error: PipeModeDatasetException
    ) -> None:
        if self._stopping.is_set():
            return
        if channel not in self._running:
            self._reports.put(error)
        else:
            _log.error("channel %s: the list of objects ends early: %s", channel.name, error)
            objects.fail(kind_of_error(error), str(error))


def serve(
    feeder: Feeder,
    stop_signals: Collection[signal.Signals],
    *,
    on_started: Callable[[], None],
    tick: Callable[[], None] = lambda: None,
) -> None:
    """Runs a feeder until one of the signals comes, then stops it. For the main thread.

    The signals must be blocked (`signal.pthread_sigmask`) before the first thread is started, so
    that all threads inherit it; here they are waited for, and no handler interrupts anything.
    While the feeder stops they have their default effect: a second signal ends the process.

    Raises:
        PipeModeDatasetException: The feeder cannot start; it has been stopped.
    """
    started = False
    warn_at = time.monotonic() + _SILENCE_SECONDS
    try:
        feeder.start()
        while not _came(stop_signals, _TICK_SECONDS if started else 0):
            if not started and feeder.wait_started(_STARTING_SECONDS):
                started = True
                on_started()
            if not started and time.monotonic() > warn_at:
                warn_at = float("inf")
                feeder.warn_of_silence()
            feeder.log_errors()
            tick()
    finally:
        for number in stop_signals:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, stop_signals)
        feeder.stop()


def _came(signals: Collection[signal.Signals], seconds: float) -> bool:
    """Waits for one of these blocked signals. False when none came in time."""
    came = signal.sigtimedwait(signals, seconds)
    # In a process that was stopped meanwhile, by SIGSTOP or a debugger, until the time was over
    # CPython 3.11 does not return None but a siginfo that nobody has filled in.
    return came is not None and came.si_signo in signals
