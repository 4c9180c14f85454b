"""A server that asks for fewer requests gets fewer, and as many as before when it has recovered."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import pytest

from sagemaker_tensorflow.prefetcher import Prefetcher
from tests.faults.conftest import ServeS3
from tests.faults.epochs import digest, small_parts
from tests.faulty_s3 import Fault, FaultyS3, ServerOptions
from tests.faulty_s3.request_log import mean_at_a_time
from tests.pipes import outcome, read_epoch, wait_until

pytestmark = pytest.mark.timeout(100)

CONNECTIONS = 12
# With this latency even refusals take time, so requests that are under way can be counted.
LATENCY = 0.05


@contextlib.contextmanager
def reading(feed: Prefetcher, s3: FaultyS3) -> Iterator[list[object]]:
    """Reads epoch after epoch in a thread; yields a list of what was wrong with them."""
    truth = digest(s3.truth("data/"))
    wrong: list[object] = []
    end = threading.Event()

    def read() -> None:
        epoch = 0
        while not end.is_set():
            if digest(read_epoch(feed.dirs["pipe_dir"], "train", epoch)) != truth:
                wrong.append(outcome(feed.dirs["pipe_dir"], "train", epoch))
            epoch += 1

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield wrong
    finally:
        end.set()
        reader.join()


def load(s3: FaultyS3, seconds: float) -> float:
    """The mean number of requests under way during the next so many seconds."""
    begin = time.monotonic()
    time.sleep(seconds)
    return mean_at_a_time(s3.requests(), begin, begin + seconds)


def test_concurrency_falls_in_a_storm_and_recovers(serve: ServeS3) -> None:
    s3 = serve(ServerOptions(seed=5, latency=LATENCY))
    s3.add({f"data/{number:03}": 60_000 for number in range(300)})
    config = small_parts(connections=CONNECTIONS, memory_bytes=32 << 20, retry_tries=1000)
    with (
        Prefetcher({"train": f"{s3.uri}/data/"}, config=config) as feed,
        reading(feed, s3) as wrong,
    ):

        def limit() -> int:
            return feed.stats()["train"].connections_limit

        wait_until(lambda: limit() == CONNECTIONS, "all connections are in use")
        before = load(s3, 1)
        s3.set_faults(Fault("slow_down", lasts=60))
        wait_until(lambda: limit() <= CONNECTIONS // 4, "the limit falls")
        storm = load(s3, 1)
        s3.set_faults()
        wait_until(lambda: limit() == CONNECTIONS, "the limit is what it was")
        after = load(s3, 1)
        assert feed.stats()["train"].throttled > 0
    assert wrong == []
    assert storm < before / 2
    assert after > before * 0.7


def test_single_refusals_cost_little(serve: ServeS3) -> None:
    """5 % of the answers are 503: the limit does not stay at the bottom."""
    s3 = serve(ServerOptions(seed=6))
    s3.add({f"data/{number:04}": 60_000 for number in range(1000)})
    s3.set_faults(Fault("slow_down", rate=0.05))
    config = small_parts(connections=CONNECTIONS, memory_bytes=64 << 20)
    with (
        Prefetcher({"train": f"{s3.uri}/data/"}, config=config) as feed,
        reading(feed, s3) as wrong,
    ):
        wait_until(lambda: feed.stats()["train"].epochs_done >= 2, "two epochs are read")
        stats = feed.stats()["train"]
        assert stats.throttled >= 50
        assert stats.retries >= stats.throttled
    assert wrong == []
