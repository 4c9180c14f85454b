"""Keras over the prefetcher: every pass over a channel is a whole epoch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from tensorflow.python.distribute.input_ops import auto_shard_dataset

from sagemaker_tensorflow import Prefetcher
from tests.training.conftest import RECORD_COUNT, RECORDS, open_dataset, read, write_shards

SCRIPT = Path(__file__).with_name("fit_script.py")
VALIDATION_COUNT = 75
ONCE = [1] * RECORD_COUNT
VALIDATION_ONCE = [1] * VALIDATION_COUNT + [0] * (RECORD_COUNT - VALIDATION_COUNT)


@pytest.fixture(scope="module", params=["alone", "mirrored"])
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the training script printed: passes over the data, and "strategy"."""
    folder = tmp_path_factory.mktemp("keras")
    train = write_shards(folder / "train", RECORDS, 5)
    validation = write_shards(folder / "validation", RECORDS[:VALIDATION_COUNT], 3)
    counts = [str(RECORD_COUNT), str(VALIDATION_COUNT)]
    ran = subprocess.run(
        [sys.executable, SCRIPT, request.param, train, validation, *counts],
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert ran.returncode == 0, ran.stderr
    return {"strategy": request.param, **json.loads(ran.stdout)}


def test_fit_then_evaluate_then_predict_get_whole_epochs(ran: dict[str, Any]) -> None:
    for name in ("fit 0", "fit 1", "fit 2", "evaluate", "predict"):
        assert ran[name] == ONCE, name
    assert ran["predictions"] == RECORD_COUNT


def test_adapt_gets_a_whole_epoch(ran: dict[str, Any]) -> None:
    assert ran["adapt"] == ONCE


def test_no_epoch_is_used_up_by_an_iterator_that_nobody_reads(ran: dict[str, Any]) -> None:
    used = 1 + 3 + 1 + 1  # adapt, fit, evaluate, predict
    if ran["strategy"] == "alone":
        assert ran["epochs until predict"] == used
    else:
        # Keras itself takes a batch to build the model with, and starts an iterator too many.
        assert ran["epochs until predict"] >= used


def test_validation_data_is_a_whole_epoch_of_its_own_channel(ran: dict[str, Any]) -> None:
    for epoch in range(2):
        assert ran[f"validated {epoch}"] == ONCE
        assert ran[f"validation {epoch}"] == VALIDATION_ONCE


def test_steps_per_epoch_goes_through_repeated_epochs(ran: dict[str, Any]) -> None:
    taken = [sum(counts) for counts in zip(*(ran[f"endless {i}"] for i in range(3)), strict=True)]
    third = 75 * 32 - 2 * RECORD_COUNT
    assert taken == [3] * third + [2] * (RECORD_COUNT - third)


def test_a_distributed_dataset_keeps_every_record(ran: dict[str, Any]) -> None:
    assert ran["distributed"] == ONCE
    assert ran["distributed from a function"] == ONCE


def test_auto_sharding_keeps_every_record_on_each_of_several_workers(shards: Path) -> None:
    """What experimental_distribute_dataset does to a dataset where there are two workers."""
    data = tf.data.experimental.AutoShardPolicy.DATA
    with Prefetcher({"train": str(shards)}) as feed:
        dataset = open_dataset(feed)
        for worker in range(2):
            assert read(auto_shard_dataset(dataset.prefetch(1), 2, worker)) == RECORDS
        options = tf.data.Options()
        options.experimental_distribute.auto_shard_policy = data
        asked_for = auto_shard_dataset(dataset.with_options(options), 2, 1)
        assert read(asked_for) == RECORDS[1::2]
