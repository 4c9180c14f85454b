"""Limits of the system that the prefetcher runs into sooner than others do."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from sagemaker_tensorflow.prefetcher import Prefetcher
from tests.faults.conftest import ServeS3
from tests.faults.epochs import digest, small_parts
from tests.faulty_s3 import ServerOptions
from tests.pipes import outcome, read_epoch

pytestmark = pytest.mark.timeout(90)

CHANNELS = 4


def test_more_connections_than_files_may_be_open(serve: ServeS3) -> None:
    """Under a soft limit, as the usual 1024 is; here a lower one, and fewer channels for it."""
    s3 = serve(ServerOptions(latency=0.05))
    s3.add({f"data/{number:03}": 20_000 for number in range(400)})
    channels = {f"c{number}": f"{s3.uri}/data/" for number in range(CHANNELS)}
    feed = Prefetcher(channels, config=small_parts(connections=64, memory_bytes=64 << 20))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        feed.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        for channel in channels:
            data = read_epoch(feed.dirs["pipe_dir"], channel, 0)
            said = outcome(feed.dirs["pipe_dir"], channel, 0)
            assert said["state"] == "done", said
            assert digest(data) == digest(s3.truth("data/"))
        assert feed.alive
        assert all(stats.error == "" for stats in feed.stats().values())
    finally:
        feed.close()
    assert not any(Path(folder).exists() for folder in feed.dirs.values())
