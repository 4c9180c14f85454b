"""The training script of bench_training_modes.py: the same in both input modes, but for the source.

Its last line of output is JSON with times (time.monotonic(), which all processes of a machine
share) and what it has seen; the same is its model.
"""

from __future__ import annotations

import time

# What the imports below take is one of the figures.
BEGAN = time.monotonic()

import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import tensorflow as tf  # noqa: E402

IMPORTED = time.monotonic()

from compute import make_step  # noqa: E402

CHANNEL = "training"


def records() -> tf.data.Dataset:
    """What the channel holds, record by record."""
    mode = json.loads(os.environ["SM_INPUT_DATA_CONFIG"])[CHANNEL]["TrainingInputMode"]
    if mode == "Pipe":
        from sagemaker_tensorflow import PipeModeDataset

        return PipeModeDataset(CHANNEL, "TFRecord")
    files = sorted(Path(os.environ["SM_CHANNEL_TRAINING"]).iterdir())
    return tf.data.TFRecordDataset([str(file) for file in files])


def train(batch_records: int, products: int, first_batch_only: bool) -> dict[str, float]:
    """Reads the channel, with so many matrix products for each batch."""
    step = make_step(products)
    first_batch = 0.0
    batches = payload_bytes = 0
    for batch in records().batch(batch_records).prefetch(tf.data.AUTOTUNE):
        first_batch = first_batch or time.monotonic()
        if first_batch_only:
            return {"first_batch": first_batch}
        payload_bytes += int(tf.reduce_sum(tf.strings.length(batch)))
        batches += 1
        if products:
            step(batch).numpy()
    return {
        "first_batch": first_batch,
        "data_end": time.monotonic(),
        "batches": batches,
        "payload_bytes": payload_bytes,
    }


def main() -> None:
    """Parses the hyperparameters, trains, prints what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, required=True, help="records")
    parser.add_argument("--products", type=int, default=0)
    parser.add_argument("--first-batch-only", type=int, default=0)
    options = parser.parse_args()
    # One core is the device that computes; the others read.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    took = train(options.batch, options.products, bool(options.first_batch_only))
    words = json.dumps({"began": BEGAN, "imported": IMPORTED, **took})
    Path(os.environ["SM_MODEL_DIR"], "took.json").write_text(words)
    sys.stdout.write(words + "\n")


if __name__ == "__main__":
    main()
