"""examples/keras_backup.py, killed with SIGKILL and started again."""

from __future__ import annotations

import importlib.metadata
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sagemaker_tensorflow import Prefetcher, ShuffleConfig, TrainingInput
from tests.pipes import read_epoch

SCRIPT = Path(__file__).with_name("backup_script.py")
EXAMPLES = SCRIPT.parents[2] / "examples"
RECORDS, BATCH = 960, 16
EPOCHS = 4
BATCHES = RECORDS // BATCH
pytestmark = [
    pytest.mark.timeout(240),  # eight trainings, though TensorFlow is imported once
    pytest.mark.skipif(
        importlib.metadata.version("keras").startswith("2."),
        reason="the example needs Keras 3, which came with TensorFlow 2.16",
    ),
]

Live = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Runs one life of the example; returns its notes."""
    log = (tmp_path_factory.mktemp("lives") / "log").open("w+")
    script = subprocess.Popen(
        [sys.executable, SCRIPT, EXAMPLES],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    assert script.stdin is not None
    assert script.stdout is not None

    def run(
        directory: Path, *, every: int | None = None, dies_at: tuple[int, int] | None = None
    ) -> list[dict[str, Any]]:
        notes = directory.parent / f"{directory.name}-notes"
        notes.unlink(missing_ok=True)
        args = [str(directory), "--epochs", str(EPOCHS)]
        if every is not None:
            args += ["--every", str(every)]
        life = {"notes": str(notes), "dies_at": dies_at, "args": args}
        print(json.dumps(life), file=script.stdin, flush=True)
        status = script.stdout.readline().strip()
        assert status == str(-signal.SIGKILL if dies_at else 0), Path(log.name).read_text()
        return [json.loads(line) for line in notes.read_text().splitlines()]

    yield run
    script.kill()
    script.communicate()
    log.close()


@pytest.fixture(scope="module")
def uninterrupted(
    live: Live, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[list[list[int]]], list[float]]:
    """The batches of each epoch, which are the prefetcher's, and the weights that come of them."""
    directory = tmp_path_factory.mktemp("uninterrupted")
    *notes, end = live(directory)
    seen = trained(notes)
    channel = TrainingInput(str(directory / "data"), shuffle_config=ShuffleConfig(7))
    with Prefetcher({"train": channel}) as feed:
        for epoch in range(EPOCHS):
            lines = read_epoch(feed.dirs["pipe_dir"], "train", epoch).splitlines()
            records = [round(float(line.split()[0]) * RECORDS) for line in lines]
            assert records == [record for batch in seen[epoch] for record in batch]
    return [seen[epoch] for epoch in range(EPOCHS)], end["weights"]


def trained(notes: list[dict[str, Any]]) -> dict[int, list[list[int]]]:
    """The batches that the model was trained on, by epoch; more may have been read."""
    batches: dict[int, list[list[int]]] = {}
    read: list[list[int]] = []
    for note in notes:
        if "epoch" in note:
            read = []
            batches[note["epoch"]] = []
        elif "read" in note:
            read.append(note["read"])
        elif "trained" in note:
            batches[epoch := max(batches)] = read[: note["trained"]]
            assert len(batches[epoch]) == note["trained"]
    return batches


def test_backup_and_restore_goes_on_with_the_epochs_shuffle(
    live: Live, uninterrupted: tuple[list[list[list[int]]], list[float]], tmp_path: Path
) -> None:
    """Killed in the middle of an epoch, twice, it begins that epoch again."""
    expected, weights = uninterrupted
    directory = tmp_path / "work"
    for dies_at in ((1, 30), (2, 20)):
        seen = trained(live(directory, dies_at=dies_at))
        epoch, batches = dies_at
        assert seen[epoch] == expected[epoch][:batches]
        assert all(seen[before] == expected[before] for before in seen if before < epoch)
    *notes, end = live(directory)
    assert trained(notes) == {2: expected[2], 3: expected[3]}
    assert end["weights"] == pytest.approx(weights, rel=1e-5)


def test_backups_within_epochs_go_on_with_the_batch(
    live: Live, uninterrupted: tuple[list[list[list[int]]], list[float]], tmp_path: Path
) -> None:
    """Killed in a first epoch, in one that was resumed, and behind that."""
    expected, weights = uninterrupted
    directory = tmp_path / "work"
    lives = [
        # The batches of `dies_at` are those of this life's fit; the backup is every 7 batches.
        {"dies_at": (0, 17), "begins": (0, 0)},
        {"dies_at": (0, 10), "begins": (0, 14)},
        {"dies_at": (2, 5), "begins": (0, 21)},
        {"dies_at": None, "begins": (2, 0)},
    ]
    for life in lives:
        notes = live(directory, every=7, dies_at=life["dies_at"])
        epoch, done = life["begins"]
        seen = trained(notes)
        assert min(seen) == epoch
        seen[epoch] = expected[epoch][:done] + seen[epoch]
        last = max(seen)
        assert seen.pop(last) == expected[last][: done_until(life, last)]
        assert all(seen[before] == expected[before] for before in seen)
    assert notes[-1]["weights"] == pytest.approx(weights, rel=1e-5)


def done_until(life: dict[str, Any], epoch: int) -> int:
    """How many batches of its last epoch are behind when a life ends."""
    if life["dies_at"] is None:
        return BATCHES
    before = life["begins"][1] if epoch == life["begins"][0] else 0
    return int(before + life["dies_at"][1])
