from __future__ import annotations

import dataclasses
import io
import logging

import pytest

from sagemaker_tensorflow.channel_stats import ChannelStats
from sagemaker_tensorflow.progress import AboveProgress, ProgressLine, describe, format_bytes

STATS = ChannelStats(
    bytes_fetched=3_000_000_000,
    bytes_written=2_000_000_000,
    objects=7,
    epoch=3,
    epochs_done=3,
    retries=0,
    throttled=0,
    hedges=0,
    hedges_won=0,
    checksums_verified=7,
    reader_waited=0,
    feeder_waited=0,
    stalls=0,
    queue_bytes=64_000_000,
    queue_parts=8,
    memory_bytes=100_000_000,
    connections=6,
    connections_limit=8,
    part_bytes=8 << 20,
    listed_objects=10,
    listed_bytes=4_000_000_000,
    error="",
    seconds=10,
)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_949, "99.9 kB"),
        (99_950, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (1.5e9, "1.5 GB"),
        (2e15, "2000 TB"),
    ],
)
def test_format_bytes(count: float, text: str) -> None:
    assert format_bytes(count) == text


def test_the_mean_rate_is_of_what_was_fetched() -> None:
    assert STATS.mb_per_second == 300
    assert dataclasses.replace(STATS, seconds=0).mb_per_second == 0


def test_describe_since_the_start() -> None:
    line = describe("train", STATS)
    assert line == "train: epoch 3, 2.0 GB, 200 MB/s, queue 8 (64.0 MB), 6/8 connections"


def test_describe_since_before() -> None:
    before = dataclasses.replace(STATS, bytes_written=1_800_000_000, seconds=9.5)
    assert "400 MB/s" in describe("train", STATS, before)


@pytest.mark.parametrize(
    ("reader", "feeder", "says"),
    [(0.6, 0.1, "reader waits"), (0.1, 0.6, "waits for reader"), (0.01, 0.02, None)],
)
def test_describe_says_who_waits(reader: float, feeder: float, says: str | None) -> None:
    now = dataclasses.replace(STATS, reader_waited=5 + reader, feeder_waited=5 + feeder, seconds=11)
    before = dataclasses.replace(STATS, reader_waited=5, feeder_waited=5)
    line = describe("train", now, before)
    assert line.endswith(says) if says else "waits" not in line


def test_describe_counts_retries() -> None:
    assert "4 retries" in describe("train", dataclasses.replace(STATS, retries=4))


def test_describe_counts_throttling() -> None:
    assert "throttled" not in describe("train", STATS)
    assert "5 throttled" in describe("train", dataclasses.replace(STATS, throttled=5))


def test_no_time_has_passed() -> None:
    assert "0 B/s" in describe("train", STATS, STATS)


def shown(output: str) -> list[str]:
    """The lines that a terminal shows of what was written to it."""
    return [line.rpartition("\x1b[K")[2] for line in output.split("\n")]


def test_line_is_rewritten_and_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    stream = io.StringIO()
    progress = ProgressLine(stream)
    progress.update({})
    assert shown(stream.getvalue()) == ["listing"]
    progress.update({"a": STATS, "b": STATS})
    assert shown(stream.getvalue()) == [f"{describe('a', STATS)} | {describe('b', STATS)}"]
    progress.clear()
    assert shown(stream.getvalue()) == [""]


def test_line_is_cut_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    stream = io.StringIO()
    ProgressLine(stream).update({"a": STATS})
    assert shown(stream.getvalue()) == [describe("a", STATS)[:19]]


def test_logs_stand_above_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    stream = io.StringIO()
    progress = ProgressLine(stream)
    progress.update({})
    handler = AboveProgress(progress)
    handler.emit(logging.makeLogRecord({"msg": "hello"}))
    assert shown(stream.getvalue()) == ["hello", "listing"]
