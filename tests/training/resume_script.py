"""A training script that goes on from its checkpoint, in many lives.

    resume_script.py ROOT FOLDER RECORD_FORMAT EPOCHS BATCH

It reads FOLDER by from_uri, or, where that is empty, the channel "train" from the pipes in ROOT.

Each line on stdin begins a life, a process of its own that is forked from this one, as importing
TensorFlow again and again would take minutes. It restores its iterator from the last checkpoint in
ROOT/checkpoints, if there is one, reads on, and notes each record down in ROOT/seen, a JSON line
for a batch, before the checkpoint that is behind it. Its pid is printed, then "ended" or "killed"
when it is over.
"""

import json
import os
import signal
import sys
from pathlib import Path

import tensorflow as tf

from sagemaker_tensorflow import PipeModeDataset, ShuffleConfig, TrainingInput

root, folder, record_format, epochs, batch = sys.argv[1:]
EVERY = 3  # batches between checkpoints


def open_dataset() -> PipeModeDataset:
    batch_size = int(batch) or None
    if folder:
        shuffled = TrainingInput(folder, shuffle_config=ShuffleConfig(5))
        return PipeModeDataset.from_uri(
            shuffled, record_format, batch_size=batch_size, timeout=60, stall_timeout=60
        )
    return PipeModeDataset(
        "train",
        record_format,
        pipe_dir=f"{root}/pipes",
        state_dir=f"{root}/state",
        config_dir=f"{root}/config",
        batch_size=batch_size,
        timeout=60,
        stall_timeout=60,
    )


def live() -> None:
    behind = open_dataset().map(tf.identity, num_parallel_calls=2).prefetch(2).repeat(int(epochs))
    iterator = iter(behind)
    done = tf.Variable(0, dtype=tf.int64)
    checkpoint = tf.train.Checkpoint(iterator=iterator, done=done)
    manager = tf.train.CheckpointManager(checkpoint, f"{root}/checkpoints", max_to_keep=2)
    if manager.latest_checkpoint:
        checkpoint.restore(manager.latest_checkpoint)
    else:
        manager.save()  # lest another life begins in the next epoch
    seen = Path(root, "seen")
    with seen.open("a") as lines:
        for records in iterator:
            ids = [int(record.split()[0]) for record in tf.reshape(records, [-1]).numpy()]
            lines.write(json.dumps([int(done), ids]) + "\n")
            lines.flush()
            done.assign_add(1)
            if int(done) % EVERY == 0:
                manager.save()


for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        live()
        sys.stdout.flush()
        os._exit(0)
    print(child, flush=True)
    status = os.waitpid(child, 0)[1]
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    print("killed" if killed else "ended" if status == 0 else f"failed: {status}", flush=True)
