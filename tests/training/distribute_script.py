"""A process of a distributed training, which says how often it saw each record.

    distribute_script.py worker INDEX   one of the workers of a MultiWorkerMirroredStrategy
    distribute_script.py servers        a coordinator, its workers and its parameter server in one

The environment has TF_CONFIG for a worker; stdin a JSON object: the directories of the channels,
how many records they have, and whether a pipe's own channel is dealt to hosts. Prints a JSON
object: for each way to distribute a dataset the ids of each epoch, in the order of their arrival.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from sagemaker_tensorflow import PipeModeDataset
from sagemaker_tensorflow.training.free_ports import free_ports

EPOCHS = 2
BATCH = 16
LIMITS = {"timeout": 60, "stall_timeout": 60}
GIVEN = json.load(sys.stdin)


def batches(channel: str) -> tf.data.Dataset:
    """Batches of ids."""
    records = PipeModeDataset(channel, "TextLine", batch_size=BATCH, **GIVEN["dirs"], **LIMITS)
    return records.map(lambda lines: tf.strings.to_number(lines, tf.int64))


def epochs_of(strategy: tf.distribute.Strategy, dataset: Any) -> list[list[int]]:
    """Trains in step with the other workers; what this one saw."""

    @tf.function
    def step(ids: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        own = strategy.run(tf.identity, (ids,))
        return own, strategy.reduce("SUM", strategy.run(tf.size, (ids,)), axis=None)

    seen: list[list[int]] = []
    for _ in range(EPOCHS):
        own, everybodys = [], 0
        for ids in dataset:
            mine, count = step(ids)
            for local in strategy.experimental_local_results(mine):
                own += local.numpy().tolist()
            everybodys += int(count)
        assert everybodys == GIVEN["records"], everybodys
        seen.append(own)
    return seen


def worker(index: int) -> dict[str, list[list[int]]]:
    strategy = tf.distribute.MultiWorkerMirroredStrategy()

    def own_pipe(context: tf.distribute.InputContext) -> tf.data.Dataset:
        return batches(f"shared-{context.input_pipeline_id}")

    return {
        # One prefetcher feeds both workers, a pipe for each.
        "shared": epochs_of(strategy, strategy.distribute_datasets_from_function(own_pipe)),
        # Each worker has a prefetcher, as on a host of its own, that deals it its share.
        "sharded": epochs_of(
            strategy, strategy.experimental_distribute_dataset(batches(f"sharded-{index}"))
        ),
    }


def servers() -> dict[str, list[list[int]]]:
    """Two workers that read one channel: each epoch goes to one of them."""
    ports = iter(free_ports(3))
    jobs = {"worker": 2, "ps": 1}
    spec = tf.train.ClusterSpec(
        {job: [f"localhost:{next(ports)}" for _ in range(count)] for job, count in jobs.items()}
    )
    started = [
        tf.distribute.Server(spec, job_name=job, task_index=index)
        for job, count in jobs.items()
        for index in range(count)
    ]
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(spec, rpc_layer="grpc")
    strategy = tf.distribute.ParameterServerStrategy(resolver)
    coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)

    @tf.function
    def each_workers() -> Any:
        return strategy.distribute_datasets_from_function(lambda _: batches("alone"))

    @tf.function
    def step(iterator: Any) -> tf.Tensor:
        found = iterator.get_next_as_optional()
        return tf.cond(found.has_value(), found.get_value, lambda: tf.zeros([0], tf.int64))

    iterator = iter(coordinator.create_per_worker_dataset(each_workers))
    seen: list[int] = []
    # More than an epoch has batches: one worker may be in a step that waits until the other one has
    # read its epoch, which it does in the rest of them. Who is through asks in vain meanwhile.
    count = GIVEN["records"] // BATCH + 3
    while len(seen) < EPOCHS * GIVEN["records"]:
        steps = [coordinator.schedule(step, args=(iterator,)) for _ in range(count)]
        coordinator.join()
        for ids in coordinator.fetch(steps):
            seen += ids.tolist()
    del started
    return {"alone": [seen]}


def main() -> None:
    run: Callable[[], dict[str, list[list[int]]]] = (
        servers if sys.argv[1] == "servers" else lambda: worker(int(sys.argv[2]))
    )
    print(json.dumps(run()))


if __name__ == "__main__":
    main()
