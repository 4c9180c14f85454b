"""The original extension's example as its README has it: Pipe mode into tf.estimator.

Only tf.FixedLenFeature, tf.parse_single_example and tf.decode_raw have their TensorFlow 2 names.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from sagemaker_tensorflow import PipeModeDataset, Prefetcher
from tests.pipe_mode_dataset.conftest import framed
from tests.pipe_mode_dataset.test_original_readme import example
from tests.versions.conftest import TENSORFLOW

pytestmark = pytest.mark.skipif(
    TENSORFLOW > (2, 15), reason="tf.estimator ended with TensorFlow 2.15"
)

EPOCHS = 20
COUNTS = {"training": 200, "evaluation": 50}
SIZE = 32


def input_fn(channel: str) -> tf.data.Dataset:
    """Returns a Dataset which reads from a SageMaker PipeMode channel."""
    features = {
        "data": tf.io.FixedLenFeature([], tf.string),
        "labels": tf.io.FixedLenFeature([], tf.int64),
    }

    def parse(record: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        parsed = tf.io.parse_single_example(record, features)
        return ({"data": tf.io.decode_raw(parsed["data"], tf.float64)}, parsed["labels"])

    ds = PipeModeDataset(channel=channel, record_format="TFRecord")
    ds = ds.repeat(EPOCHS)
    ds = ds.prefetch(10)
    ds = ds.map(parse, num_parallel_calls=10)
    return ds.batch(64)


def labelled(count: int) -> bytes:
    """TFRecords of examples whose label says on which side of a plane their data is."""
    rng = np.random.default_rng(7)
    data = rng.standard_normal((count, SIZE))
    data[:, 0] += np.sign(data[:, 0])  # nothing near the plane
    return framed(example(row.tobytes(), int(row[0] > 0)) for row in data)


@pytest.fixture
def feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Prefetcher]:
    """Both channels, in the directories of a training container."""
    for channel, count in COUNTS.items():
        (tmp_path / channel).write_bytes(labelled(count))
    ml = tmp_path / "ml"
    monkeypatch.setenv("SM_INPUT_DIR", str(ml / "input"))
    monkeypatch.setenv("SM_INPUT_CONFIG_DIR", str(ml / "input" / "config"))
    channels = {channel: str(tmp_path / channel) for channel in COUNTS}
    with Prefetcher(
        channels,
        pipe_dir=ml / "input" / "data",
        config_dir=ml / "input" / "config",
        state_dir=ml / "pipe_state",
    ) as running:
        yield running


def epochs_used(feed: Prefetcher, channel: str) -> int:
    state = Path(feed.dirs["state_dir"], f".{channel}-pipe_mode-state")
    return int(state.read_text().split()[0])


def test_a_linear_classifier_is_trained_and_evaluated(feed: Prefetcher, tmp_path: Path) -> None:
    column = tf.feature_column.numeric_column("data", shape=(SIZE,))
    estimator: Any = tf.estimator.LinearClassifier(
        feature_columns=[column], model_dir=str(tmp_path / "model")
    )
    estimator.train(input_fn=lambda: input_fn("training"))
    found = estimator.evaluate(input_fn=lambda: input_fn("evaluation"))
    # Every record of every epoch, in batches of 64.
    assert found["global_step"] == -(-EPOCHS * COUNTS["training"] // 64)
    assert found["label/mean"] == pytest.approx(labels_mean("evaluation"))
    assert found["accuracy"] > 0.95
    assert {channel: epochs_used(feed, channel) for channel in COUNTS} == dict.fromkeys(
        COUNTS, EPOCHS
    )


def labels_mean(channel: str) -> float:
    rng = np.random.default_rng(7)
    return float((rng.standard_normal((COUNTS[channel], SIZE))[:, 0] > 0).mean())
