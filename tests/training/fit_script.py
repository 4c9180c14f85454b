"""A Keras training script whose model counts the records that reach it.

    fit_script.py alone|mirrored TRAIN_FOLDER VALIDATION_FOLDER RECORDS VALIDATION_RECORDS

Prints a JSON object: for every pass over the data, how often each id reached the model.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from sagemaker_tensorflow import PipeModeDataset, Prefetcher

BATCH = 32
LIMITS = {"timeout": 60, "stall_timeout": 60}

STRATEGY, TRAIN, VALIDATION = sys.argv[1:4]
RECORDS, VALIDATION_RECORDS = map(int, sys.argv[4:6])


def make_strategy() -> tf.distribute.Strategy:
    """MirroredStrategy over two devices that share this machine's CPU, or the default."""
    if STRATEGY == "alone":
        return tf.distribute.get_strategy()
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


class Counts:
    """How often each id was seen; each replica adds to a copy of its own."""

    def __init__(self) -> None:
        self._counts = tf.Variable(
            tf.zeros([RECORDS], tf.int64),
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.SUM,
        )

    def add(self, ids: tf.Tensor) -> None:
        ids = tf.reshape(ids, [-1, 1])
        self._counts.assign_add(tf.scatter_nd(ids, tf.ones_like(ids[:, 0]), [RECORDS]))

    def take(self) -> list[int]:
        """The counts since the last call."""
        counts = self._counts.numpy().tolist()
        self._counts.assign(tf.zeros_like(self._counts))
        return counts


class CountingModel(keras.Model):
    """A linear model that counts the ids it is trained, evaluated and asked on."""

    def __init__(self, trained: Counts, tested: Counts) -> None:
        super().__init__()
        self.output_layer = keras.layers.Dense(1)
        self.count_trained, self.count_tested = trained.add, tested.add

    def call(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        return self.output_layer(inputs["x"])

    def train_step(self, data: tuple[dict[str, tf.Tensor], tf.Tensor]) -> dict[str, tf.Tensor]:
        self.count_trained(data[0]["id"])
        return super().train_step(data)

    def test_step(self, data: tuple[dict[str, tf.Tensor], tf.Tensor]) -> dict[str, tf.Tensor]:
        self.count_tested(data[0]["id"])
        return super().test_step(data)

    def predict_step(self, data: tuple[dict[str, tf.Tensor], tf.Tensor]) -> tf.Tensor:
        self.count_tested(data[0]["id"])
        return super().predict_step(data)


def untuned() -> tf.data.Options:
    """Without autotuning, whose thread now and then (in TensorFlow 2.21, with any dataset) does
    not notice for up to a minute that its iterator is being destroyed.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return options


def parse(records: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    ids = tf.reshape(tf.io.decode_raw(tf.strings.substr(records, 0, 8), tf.int64), [-1])
    x = tf.reshape(tf.cast(ids, tf.float32) / RECORDS, [-1, 1])
    return {"id": ids, "x": x}, 2 * x + 1


def main() -> None:
    strategy = make_strategy()
    passes: dict[str, object] = {}
    with strategy.scope():
        trained, tested = Counts(), Counts()
        model = CountingModel(trained, tested)
        model.compile("sgd", "mse", jit_compile=False)

    def each_epoch(name: str, counts: Counts) -> keras.callbacks.Callback:
        return keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, _: passes.update({f"{name} {epoch}": counts.take()})
        )

    def fit(name: str, data: tf.data.Dataset, **options: object) -> None:
        model.fit(data, callbacks=[each_epoch(name, trained)], verbose=0, **options)

    with Prefetcher({"train": TRAIN, "validation": VALIDATION}) as feed:

        def records(channel: str = "train") -> PipeModeDataset:
            return PipeModeDataset(channel, "TFRecord", **feed.dirs, **LIMITS)

        def batches(channel: str = "train") -> tf.data.Dataset:
            return records(channel).batch(BATCH).map(parse).prefetch(2).with_options(untuned())

        passes["adapt"] = adapt(batches())
        fit("fit", batches(), epochs=3)
        model.evaluate(batches(), verbose=0)
        passes["evaluate"] = tested.take()
        predictions = model.predict(batches(), verbose=0)
        passes["predict"] = tested.take()
        passes["predictions"] = len(predictions)
        passes["epochs until predict"] = next_epoch(feed)

        model.fit(
            batches(),
            validation_data=batches("validation"),
            epochs=2,
            verbose=0,
            callbacks=[each_epoch("validated", trained), each_epoch("validation", tested)],
        )
        # 75 batches of one endless iterator: two epochs and the beginning of a third.
        endless = records().repeat().batch(BATCH).map(parse).with_options(untuned())
        fit("endless", endless, epochs=3, steps_per_epoch=25)
        distributed = strategy.experimental_distribute_dataset(batches())
        passes["distributed"] = count_all(strategy, distributed)
        made = strategy.distribute_datasets_from_function(lambda _: batches())
        passes["distributed from a function"] = count_all(strategy, made)
    print(json.dumps(passes), flush=True)
    if STRATEGY == "mirrored":
        # Its own datasets, one for each device, take no options: untuned() is not for them, and
        # now and then the interpreter would wait for their autotuning threads, a minute for each.
        os._exit(0)


def adapt(data: tf.data.Dataset) -> list[int]:
    """Adapts a preprocessing layer, and counts what it takes from the data."""
    counts = [0] * RECORDS

    def note(ids: tf.Tensor) -> tf.Tensor:
        for record_id in ids.numpy():
            counts[record_id] += 1
        return ids

    def noted(inputs: dict[str, tf.Tensor], _: tf.Tensor) -> tf.Tensor:
        ids = tf.py_function(note, [inputs["id"]], tf.int64)
        with tf.control_dependencies([ids]):
            return tf.ensure_shape(tf.identity(inputs["x"]), [None, 1])

    keras.layers.Normalization(axis=None).adapt(data.map(noted))
    return counts


def count_all(
    strategy: tf.distribute.Strategy, data: tf.distribute.DistributedDataset
) -> list[int]:
    """Counts the records of a dataset that is dealt out to the strategy's replicas."""
    with strategy.scope():
        counts = Counts()
    count: Callable[[tf.Tensor], None] = tf.function(lambda ids: counts.add(ids))
    for batch, _ in data:
        strategy.run(count, (batch["id"],))
    return counts.take()


def next_epoch(feed: Prefetcher) -> int:
    return int(Path(feed.dirs["state_dir"], ".train-pipe_mode-state").read_text().split()[0])


if __name__ == "__main__":
    main()
