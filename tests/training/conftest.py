"""Training data whose every record is different, and what the training tests do with it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sagemaker_tensorflow import PipeModeDataset, Prefetcher
from tests.pipes import PATIENCE_SECONDS
from tests.record_samples import encode
from tests.roads import OpenRoad, pipes, ring

# The last batch of 32 has one record, so one of two replicas gets none of it.
RECORD_COUNT = 1025


def numbered(count: int) -> list[bytes]:
    """Records that begin with their index (int64, little endian), of 8 to about 5,000 bytes."""
    return [struct.pack("<q", i) + bytes([i % 251]) * (i % 51 * 100) for i in range(count)]


# About 2.5 MB: more than a pipe holds.
RECORDS = numbered(RECORD_COUNT)


def write_shards(folder: Path, records: Sequence[bytes], shards: int) -> Path:
    """Deals the records out to TFRecord files, in order, the first one the longest."""
    folder.mkdir()
    begin = 0
    for shard in range(shards):
        left = len(records) - begin
        end = begin + left // 2 if shard + 1 < shards else len(records)
        (folder / f"part-{shard:05}").write_bytes(encode("TFRecord", list(records[begin:end])))
        begin = end
    return folder


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """A folder whose TFRecord files hold RECORDS."""
    return write_shards(tmp_path / "shards", RECORDS, 5)


@pytest.fixture(params=[pipes, ring], ids=["pipes", "ring"])
def open_road(request: pytest.FixtureRequest) -> OpenRoad:
    """How a prefetcher and its dataset are made, on each road."""
    road: OpenRoad = request.param
    return road


def open_dataset(
    feed: Prefetcher, channel: str = "train", record_format: str = "TFRecord", **options: Any
) -> PipeModeDataset:
    """A channel's dataset, with limits to every wait."""
    limits = {"timeout": PATIENCE_SECONDS, "stall_timeout": PATIENCE_SECONDS}
    return PipeModeDataset(channel, record_format, **{**feed.dirs, **limits, **options})


def read(dataset: Any) -> list[bytes]:
    return list(dataset.as_numpy_iterator())
