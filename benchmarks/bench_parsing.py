"""From records to tensors: what parsing costs, one way against the other.

    python benchmarks/bench_parsing.py [--rounds N] [--records N]

  recordio_protobuf   Amazon's RecordIO-protobuf records, in batches of 1024 that lie in memory, by
                      parse_recordio_protobuf against a tf.py_function that parses them with
                      protobuf's own C parser (upb) and makes arrays of them, the fastest way that
                      was found: numpy takes protobuf's containers 10 times as fast as lists. Both
                      in Dataset.map. Dense and sparse, all types, with labels of one number.
  examples            tf.Examples from a channel, the whole road: PipeModeDataset with
                      tf.io.parse_single_example for each record, in as many threads as tf.data
                      likes, then .batch(1024); with .batch(1024), then tf.io.parse_example; and
                      with batch_size=1024, then tf.io.parse_example

All contestants of a case run in one process and take turns. The channel's pipes are regular files
in tmpfs, which the dataset reads like a pipe, so that no writer takes part. Ratios are taken round
by round; those with a bar stand beside it and whether their median meets it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import harness
import numpy as np
import tensorflow as tf

from sagemaker_tensorflow import PipeModeDataset, parse_recordio_protobuf
from sagemaker_tensorflow.records import RecordWriter
from sagemaker_tensorflow.transform.decoders.record_protobuf import record_message

BATCH = 1024
PROTOBUF_BAR = 20.0  # times the rate of a tf.py_function that uses protobuf
LABEL = tf.TensorSpec([], tf.float32)

Contestants = dict[str, Callable[[], float]]


class Case(NamedTuple):
    """RecordIO-protobuf records of one kind."""

    dtype: str
    values: int  # in a record
    keys_below: int | None = None  # of a sparse tensor

    @property
    def spec(self) -> Any:
        """What is asked of parse_recordio_protobuf."""
        if self.keys_below is None:
            return tf.TensorSpec([self.values], self.dtype)
        return tf.SparseTensorSpec([self.keys_below], self.dtype)


CASES = {
    "dense_float32_784": Case("float32", 784),
    "dense_float32_32": Case("float32", 32),
    "dense_float64_784": Case("float64", 784),
    "dense_int32_784": Case("int32", 784),
    "sparse_float32_50": Case("float32", 50, keys_below=100_000),
}


def protobuf_records(case: Case) -> list[bytes]:
    """A batch of records, made by protobuf."""
    random = np.random.default_rng(7)
    record = record_message()()
    records = []
    for index in range(BATCH):
        record.Clear()
        tensor = getattr(record.features["values"], f"{case.dtype}_tensor")
        tensor.values.extend((256 * random.random(case.values)).astype(case.dtype))
        if case.keys_below is not None:
            tensor.keys.extend(np.sort(random.choice(case.keys_below, case.values, replace=False)))
            tensor.shape.append(case.keys_below)
        record.label["values"].float32_tensor.values.append(index % 10)
        records.append(record.SerializeToString())
    return records


def with_protobuf(case: Case) -> Callable[[Any], Any]:
    """The function that a tf.py_function calls: arrays of a batch."""
    parse = record_message().FromString
    field = f"{case.dtype}_tensor"

    def tensors(records: Any) -> tuple[list[Any], Any]:
        parsed = [parse(record) for record in records.numpy()]
        labels = np.array(
            [record.label["values"].float32_tensor.values[0] for record in parsed], np.float32
        )
        return [getattr(record.features["values"], field) for record in parsed], labels

    def dense(records: Any) -> tuple[Any, Any]:
        features, labels = tensors(records)
        return np.array([tensor.values for tensor in features], case.dtype), labels

    def sparse(records: Any) -> tuple[Any, Any, Any]:
        features, labels = tensors(records)
        rows = np.repeat(np.arange(len(features)), [len(tensor.keys) for tensor in features])
        keys = np.concatenate([np.array(tensor.keys, np.int64) for tensor in features])
        values = np.concatenate([np.array(tensor.values, case.dtype) for tensor in features])
        return np.stack([rows, keys], axis=1), values, labels

    if case.keys_below is None:
        return lambda records: tf.py_function(dense, [records], [case.dtype, tf.float32])
    return lambda records: tf.py_function(sparse, [records], [tf.int64, case.dtype, tf.float32])


def passing(dataset: Any, records: int) -> Callable[[], float]:
    """A function that goes once over a dataset and says how many microseconds a record took.

    The loop is inside TensorFlow: one in Python would cost as much per batch as some parsers.
    """

    @tf.function
    def go() -> Any:
        return dataset.reduce(np.int64(0), lambda batches, *_: batches + 1)

    go.get_concrete_function()

    def run() -> float:
        begin = time.perf_counter()
        go()
        return (time.perf_counter() - begin) / records * 1e6

    return run


def protobuf_contestants(case: Case, records: list[bytes], batches: int) -> Contestants:
    """Both ways over the same batches; py_function gets fewer, as it takes longer."""
    few = max(2, batches // 10)
    source = tf.data.Dataset.from_tensors(tf.constant(records))
    ours = source.repeat(batches).map(
        lambda batch: parse_recordio_protobuf(batch, case.spec, LABEL)
    )
    theirs = source.repeat(few).map(with_protobuf(case))
    require_same(case, next(iter(ours)), next(iter(theirs)))
    return {
        "parse_recordio_protobuf": passing(ours, batches * BATCH),
        "py_function": passing(theirs, few * BATCH),
    }


def require_same(case: Case, ours: Any, theirs: Any) -> None:
    """Both parse the same numbers out of a record, or the comparison is void."""
    features, labels = ours
    if case.keys_below is None:
        found = [features, labels]
    else:
        found = [features.indices, features.values, labels]
    for one, other in zip(found, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


def measure_protobuf(name: str, batches: int, rounds: int) -> dict[str, Any]:
    """One kind of records, both ways."""
    case = CASES[name]
    records = protobuf_records(case)
    contestants = protobuf_contestants(case, records, batches)
    for warm_up in contestants.values():
        warm_up()
    samples = harness.interleave(contestants, rounds)
    speedup = harness.ratios(samples["py_function"], samples["parse_recordio_protobuf"])
    return {
        "records": name,
        "record_bytes": len(records[0]),
        "microseconds_per_record": {way: harness.summary(took) for way, took in samples.items()},
        "times_the_rate_of_py_function": {
            **speedup,
            "bar": PROTOBUF_BAR,
            "met": speedup["median"] >= PROTOBUF_BAR,
        },
    }


def write_examples(path: Path, values: int, records: int) -> None:
    """TFRecords of tf.Examples with an array and a label."""
    random = np.random.default_rng(7)
    feature = tf.train.Feature
    examples = []
    for index in range(BATCH):
        array = feature(float_list=tf.train.FloatList(value=random.random(values, np.float32)))
        label = feature(int64_list=tf.train.Int64List(value=[index % 10]))
        features = tf.train.Features(feature={"array": array, "label": label})
        examples.append(tf.train.Example(features=features).SerializeToString())
    with RecordWriter(path, "TFRecord") as writer:
        for example in itertools.islice(itertools.cycle(examples), records):
            writer.write(example)


class Channel:
    """A channel whose epochs are one file over and over."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._epochs = itertools.count()
        config = {"bench": {"TrainingInputMode": "Pipe"}}
        (directory / "inputdataconfig.json").write_text(json.dumps(config))

    def dataset(self, batch_size: int | None) -> PipeModeDataset:
        """The channel's next epochs."""
        dirs = dict.fromkeys(("pipe_dir", "state_dir", "config_dir"), self.directory)
        return PipeModeDataset("bench", "TFRecord", batch_size=batch_size, **dirs)

    def passing(self, dataset: Any, records: int) -> Callable[[], float]:
        """A function that goes over one epoch of a dataset that is made of this channel's."""
        go = passing(dataset, records)

        def run() -> float:
            epoch = self.directory / f"bench_{next(self._epochs)}"
            epoch.hardlink_to(self.directory / "examples")
            microseconds = go()
            epoch.unlink()
            return microseconds

        return run


def example_contestants(channel: Channel, values: int, records: int) -> Contestants:
    """The three roads from a channel to parsed batches."""
    features = {
        "array": tf.io.FixedLenFeature([values], tf.float32),
        "label": tf.io.FixedLenFeature([], tf.int64),
    }

    def parse_one(record: Any) -> Any:
        return tf.io.parse_single_example(record, features)

    def parse_batch(batch: Any) -> Any:
        return tf.io.parse_example(batch, features)

    one_by_one = channel.dataset(None).map(parse_one, num_parallel_calls=tf.data.AUTOTUNE)
    roads = {
        "parse_single_example": one_by_one.batch(BATCH),
        "batch_and_parse_example": channel.dataset(None).batch(BATCH).map(parse_batch),
        "batch_size_and_parse_example": channel.dataset(BATCH).map(parse_batch),
    }

    return {name: channel.passing(dataset, records) for name, dataset in roads.items()}


def measure_examples(values: int, records: int, rounds: int, directory: Path) -> dict[str, Any]:
    """Examples of one size, all three roads."""
    write_examples(directory / "examples", values, records)
    contestants = example_contestants(Channel(directory), values, records)
    for warm_up in contestants.values():
        warm_up()
    samples = harness.interleave(contestants, rounds)
    slowest = samples["parse_single_example"]
    return {
        "values": values,
        "records": records,
        "microseconds_per_record": {way: harness.summary(took) for way, took in samples.items()},
        "times_the_rate_of_parse_single_example": {
            way: harness.ratios(slowest, took)
            for way, took in samples.items()
            if took is not slowest
        },
    }


def example_results(sizes: list[int], records: int, rounds: int, tmpfs: Path) -> Iterator[Any]:
    """A result for each size, in a folder of its own."""
    for values in sizes:
        with tempfile.TemporaryDirectory(dir=tmpfs, prefix="smtf-bench-") as directory:
            yield measure_examples(values, records, rounds, Path(directory))


def main() -> None:
    """Parses the command line, measures, prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--records", type=int, default=200 * BATCH, help="in an epoch")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--example-values", type=int, nargs="*", default=[64, 784])
    parser.add_argument("--tmpfs", type=Path, default=Path("/dev/shm"))
    options = parser.parse_args()
    batches = max(1, options.records // BATCH)
    results = {
        "recordio_protobuf": [
            measure_protobuf(name, batches, options.rounds) for name in options.cases
        ],
        "examples": list(
            example_results(options.example_values, batches * BATCH, options.rounds, options.tmpfs)
        ),
    }
    harness.print_report(
        "parsing",
        results,
        rounds=options.rounds,
        batch=BATCH,
        tensorflow=harness.tensorflow_version(),
    )


if __name__ == "__main__":
    main()
