"""A training that is killed and started again as another job sees each record as if it had not."""

from __future__ import annotations

import json
from pathlib import Path

from sagemaker_tensorflow import Prefetcher, ShuffleConfig, TrainingInput
from tests.pipes import read_epoch
from tests.training_jobs.conftest import Jobs, printed

SCRIPT = """
import json
import os
import signal
import time

import tensorflow as tf

from sagemaker_tensorflow import PipeModeDataset

dataset = PipeModeDataset("train", "TextLine", batch_size=16)
iterator = iter(dataset.map(tf.identity, num_parallel_calls=2).prefetch(2).repeat(2))
done = tf.Variable(0, dtype=tf.int64)
checkpoint = tf.train.Checkpoint(iterator=iterator, done=done)
folder = os.environ["SAGEMAKER_BASE_DIR"] + "/checkpoints"
manager = tf.train.CheckpointManager(checkpoint, folder, max_to_keep=2)
checkpoint.restore(manager.latest_checkpoint)
for records in iterator:
    print(json.dumps([int(done), [int(record) for record in records.numpy()]]), flush=True)
    done.assign_add(1)
    if int(done) % 5 == 0:
        manager.save()
        time.sleep(0.3)  # what a signal follows at once is not stored
    if int(done) == int(os.environ["DIES_AT"]):
        os.kill(os.getpid(), signal.SIGKILL)
"""
COUNT = 600


def batches(log: Path) -> dict[int, list[int]]:
    lines = [line for line in printed(log).splitlines() if line.startswith("[")]
    return dict(json.loads(line) for line in lines)


def test_a_training_goes_on_in_the_next_job(jobs: Jobs, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for part in range(12):
        numbers = range(part * 50, (part + 1) * 50)
        (folder / f"{part:02}").write_text("".join(f"{number}\n" for number in numbers))
    channel = TrainingInput(str(folder), shuffle_config=ShuffleConfig(5))
    with Prefetcher({"train": channel}) as feed:
        epochs = [read_epoch(feed.dirs["pipe_dir"], "train", epoch) for epoch in range(2)]
    expected = [[int(line) for line in epoch.splitlines()] for epoch in epochs]
    assert expected[0] != expected[1]

    fields = {"channels": {"train": channel}, "input_mode": "Pipe"}
    uri = str(tmp_path / "checkpoints")
    logs = []
    for name, dies_at in (("first", 55), ("second", 0)):
        job = jobs.make(
            SCRIPT,
            name,
            checkpoint_s3_uri=uri,
            environment={"DIES_AT": str(dies_at), "TF_CPP_MIN_LOG_LEVEL": "3"},
            **fields,
        )
        assert job.run().status == ("Failed" if dies_at else "Completed"), printed(job.log_path)
        logs.append(batches(job.log_path))
    first, second = logs
    assert len(first) == 55
    assert 0 < min(second) <= 55  # it went on, and not from the beginning
    seen = {**first, **second}
    assert all(second[number] == first[number] for number in set(first) & set(second))
    records = [record for number in sorted(seen) for record in seen[number]]
    assert records == expected[0] + expected[1]
