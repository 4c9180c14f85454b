"""Epochs as they come out of a pipe, beside the truth."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.prefetcher import Prefetcher
from tests.faulty_s3 import FaultyS3
from tests.pipes import outcome, read_epoch

PART = 128 << 10
# Whole parts, odd ends, an empty object and one that is smaller than anything: 41 parts or so.
SIZES = {
    "data/a": 1_500_000,
    "data/b": 3,
    "data/c": 0,
    "data/d": 10 * PART,
    "data/e": 10 * PART + 1,
    "data/f": 10 * PART - 1,
}


def small_parts(**numbers: Any) -> PrefetchConfig:
    """A configuration in which a few megabytes make many requests, and which is soon tired."""
    defaults: dict[str, Any] = {
        "connections": 4,
        "part_bytes": PART,
        "first_part_bytes": PART // 2,
        "memory_bytes": 4 << 20,
        "stall_seconds": 1.0,
        # What is tried again shall be seen alone; hedging has tests of its own.
        "hedging": False,
    }
    return PrefetchConfig(**{**defaults, **numbers})


def digest(data: bytes) -> tuple[int, str]:
    """What two epochs are compared by: a difference of megabytes makes no good message."""
    return len(data), hashlib.sha256(data).hexdigest()


def check_epoch(feed: Prefetcher, s3: FaultyS3, epoch: int = 0, prefix: str = "data/") -> None:
    """Reads an epoch: every byte has to come, once and in order."""
    data = read_epoch(feed.dirs["pipe_dir"], "train", epoch)
    said = outcome(feed.dirs["pipe_dir"], "train", epoch)
    assert said["state"] == "done", said
    assert said["bytes"] == len(data)
    assert digest(data) == digest(s3.truth(prefix))


@dataclass(frozen=True)
class FailedEpoch:
    """How an epoch ended that was to fail, and what had come before."""

    kind: str
    message: str
    data: bytes


def fail_epoch(
    feed: Prefetcher, s3: FaultyS3, epoch: int = 0, prefix: str = "data/"
) -> FailedEpoch:
    """Reads an epoch that ends with an error: what comes before it has to be right."""
    data = read_epoch(feed.dirs["pipe_dir"], "train", epoch)
    said = outcome(feed.dirs["pipe_dir"], "train", epoch)
    assert said["state"] == "error", said
    assert said["bytes"] == len(data)
    truth = s3.truth(prefix)
    assert digest(data) == digest(truth[: len(data)])
    assert len(data) < len(truth)
    return FailedEpoch(said["error"]["kind"], said["error"]["message"], data)
