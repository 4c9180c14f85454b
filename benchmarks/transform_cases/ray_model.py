"""What Ray's workers run: see ray_job.py."""

from __future__ import annotations

import contextlib
import functools
import os
import time
from pathlib import Path
from typing import Any


@functools.cache
def loaded(path: str) -> tuple[Any, Any]:
    """A model and its signature for rows, once in each process."""
    import tensorflow as tf

    # Whoever was earlier has chosen.
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    model = tf.saved_model.load(path)
    return model, model.signatures["rows"]


def predict(batch: Any, model: str) -> dict[str, Any]:
    """The scores of a pyarrow.Table of rows."""
    import tensorflow as tf

    _, function = loaded(model)
    # Lists, whose values lie one behind the other: to_numpy() would make an array of each.
    values = batch["row"].combine_chunks().flatten().to_numpy()
    rows = tf.constant(values.reshape(batch.num_rows, -1))
    return {"scores": function(row=rows)["scores"].numpy()}


def warm_up(model: str, workers: int, meeting: str) -> None:
    """Loads the model, and waits until as many workers have: none of them does it for another.

    Args:
        model: Its path.
        workers: How many meet.
        meeting: An empty folder, in which each leaves a file.
    """
    loaded(model)
    (Path(meeting) / str(os.getpid())).touch()
    while len(list(Path(meeting).iterdir())) < workers:
        time.sleep(0.05)
