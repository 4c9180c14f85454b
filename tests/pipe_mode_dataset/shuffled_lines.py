"""Channels of numbered lines whose every epoch has another order, and what those orders are."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sagemaker_tensorflow import PipeModeDataset, Prefetcher, ShuffleConfig, TrainingInput
from tests.pipes import PATIENCE_SECONDS, read_epoch

COUNT = 240
FILES = 12


def write_lines(folder: Path) -> Path:
    """Files of 20 lines each, which are the numbers from 0."""
    folder.mkdir()
    for file in range(FILES):
        numbers = range(file * COUNT // FILES, (file + 1) * COUNT // FILES)
        (folder / f"{file:02}").write_text("".join(f"{number}\n" for number in numbers))
    return folder


def shuffled(folder: Path) -> TrainingInput:
    return TrainingInput(str(folder), shuffle_config=ShuffleConfig(7))


def orders(folder: Path, epochs: int) -> list[list[int]]:
    """The first epochs of the shuffled channel, read without TensorFlow."""
    with Prefetcher({"train": shuffled(folder)}) as feed:
        texts = [read_epoch(feed.dirs["pipe_dir"], "train", epoch) for epoch in range(epochs)]
    found = [numbers(text.splitlines()) for text in texts]
    assert all(sorted(order) == list(range(COUNT)) for order in found)
    assert len({tuple(order) for order in found}) == epochs
    return found


def numbers(lines: Iterable[bytes]) -> list[int]:
    return [int(line) for line in lines]


class Channels:
    """The datasets of a prefetcher's channels."""

    def __init__(self, feed: Prefetcher) -> None:
        self.dirs = feed.dirs

    def dataset(
        self, channel: str = "train", record_format: str = "TextLine", **options: Any
    ) -> PipeModeDataset:
        limits = {"timeout": PATIENCE_SECONDS, "stall_timeout": PATIENCE_SECONDS}
        return PipeModeDataset(channel, record_format, **{**self.dirs, **limits, **options})

    def epochs_used(self, channel: str = "train") -> int:
        state = Path(self.dirs["state_dir"], f".{channel}-pipe_mode-state")
        return int(state.read_text().split()[0]) if state.exists() else 0
