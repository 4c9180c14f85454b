"""The roads from a prefetcher to a dataset, for tests that have to hold on each."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from sagemaker_tensorflow import PipeModeDataset, PrefetchConfig, Prefetcher, TrainingInput
from sagemaker_tensorflow.channel_stats import ChannelStats
from sagemaker_tensorflow.process_handle import ProcessHandle
from tests.pipes import PATIENCE_SECONDS

_LIMITS: dict[str, Any] = {"timeout": PATIENCE_SECONDS, "stall_timeout": PATIENCE_SECONDS}


class Road(Protocol):
    """A prefetcher that streams something."""

    def dataset(self, record_format: str = "TFRecord", **options: Any) -> PipeModeDataset:
        """What reads it, with limits to every wait."""

    def process(self) -> ProcessHandle:
        """The prefetcher's, once there is a dataset."""


OpenRoad = Callable[..., contextlib.AbstractContextManager[Road]]


class _Pipes:
    def __init__(self, feed: Prefetcher) -> None:
        self._feed = feed

    def dataset(self, record_format: str = "TFRecord", **options: Any) -> PipeModeDataset:
        return PipeModeDataset("train", record_format, **{**self._feed.dirs, **_LIMITS, **options})

    def process(self) -> ProcessHandle:
        assert self._feed._process is not None
        return self._feed._process


class _Ring:
    def __init__(self, given: str | TrainingInput, config: PrefetchConfig | None) -> None:
        self._given, self._config = given, config
        self._datasets: list[PipeModeDataset] = []

    def dataset(self, record_format: str = "TFRecord", **options: Any) -> PipeModeDataset:
        limited = {**_LIMITS, **options}
        made = PipeModeDataset.from_uri(self._given, record_format, config=self._config, **limited)
        self._datasets.append(made)
        return made

    def process(self) -> ProcessHandle:
        return self._datasets[-1]._stream.process


@contextlib.contextmanager
def pipes(given: str | TrainingInput, config: PrefetchConfig | None = None) -> Iterator[Road]:
    """`Prefetcher` and named pipes."""
    with Prefetcher({"train": given}, config=config) as feed:
        yield _Pipes(feed)


@contextlib.contextmanager
def ring(given: str | TrainingInput, config: PrefetchConfig | None = None) -> Iterator[Road]:
    """`PipeModeDataset.from_uri`. Each dataset has a prefetcher of its own."""
    yield _Ring(given, config)


def kill(road: Road) -> None:
    popen = road.process()._popen
    assert popen is not None
    popen.send_signal(signal.SIGKILL)
    popen.wait()


def stats(road: Road) -> ChannelStats:
    (found,) = road.process().stats().values()
    return found
