"""The fastest road from records to tensors: whole batches, parsed by one call each.

Usage: python examples/parse_records.py [--records N]

PipeModeDataset with batch_size=N gives [N] tensors of records. tf.io.parse_example takes such a
tensor of tf.Examples at once, parse_recordio_protobuf one of Amazon's RecordIO-protobuf records,
and both use several threads. Parsing each record by a call of its own costs tf.data's and the
function's overhead per record, which is most of the time with small records.

It writes records of both kinds to a temporary folder, streams them through named pipes, and says
how many it got, and how fast.
"""

from __future__ import annotations

import argparse
import os
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

from sagemaker_tensorflow import PipeModeDataset, Prefetcher, parse_recordio_protobuf
from sagemaker_tensorflow.records import RecordWriter

BATCH = 1024
VALUES = 64
EXAMPLE = {
    "features": tf.io.FixedLenFeature([VALUES], tf.float32),
    "label": tf.io.FixedLenFeature([], tf.float32),
}


def parse_examples(records: Any) -> Any:
    """A batch of tf.Examples: [N] strings to ([N, VALUES], [N])."""
    parsed = tf.io.parse_example(records, EXAMPLE)
    return parsed["features"], parsed["label"]


def parse_protobuf(records: Any) -> Any:
    """A batch of RecordIO-protobuf records, likewise."""
    return parse_recordio_protobuf(
        records, tf.TensorSpec([VALUES], tf.float32), tf.TensorSpec([], tf.float32)
    )


def examples(count: int) -> Iterator[bytes]:
    """tf.Examples, each of an array of its number and a label."""
    feature = tf.train.Feature
    for index in range(count):
        array = feature(float_list=tf.train.FloatList(value=[index] * VALUES))
        label = feature(float_list=tf.train.FloatList(value=[index % 10]))
        features = tf.train.Features(feature={"features": array, "label": label})
        yield tf.train.Example(features=features).SerializeToString()


def protobuf_records(count: int) -> Iterator[bytes]:
    """The same as aialgs.data.Records, as write_numpy_to_dense_tensor of SageMaker's SDK has them.

    That function is what one uses where the SDK is installed. A field of a protobuf message is its
    number and type in a byte, its length, and its content.
    """

    def field(number: int, content: bytes) -> bytes:
        length = len(content)
        size = [length] if length < 128 else [length & 127 | 128, length >> 7]
        return bytes([number << 3 | 2, *size]) + content

    def values(*numbers: float) -> bytes:
        tensor = field(1, struct.pack(f"<{len(numbers)}f", *numbers))
        return field(1, b"values") + field(2, field(2, tensor))

    for index in range(count):
        yield field(1, values(*[index] * VALUES)) + field(2, values(index % 10))


def write(folder: Path, record_format: str, records: Iterator[bytes]) -> None:
    """One file, in a folder that becomes a channel."""
    folder.mkdir()
    with RecordWriter(folder / "records", record_format) as writer:
        for record in records:
            writer.write(record)


def stream(feed: Prefetcher, channel: str, record_format: str, parse: Callable[[Any], Any]) -> int:
    """Reads two epochs; returns how many records they had, and prints how fast the second was."""
    dataset = PipeModeDataset(channel, record_format, batch_size=BATCH, **feed.dirs)
    dataset = dataset.map(parse).prefetch(tf.data.AUTOTUNE)
    total = 0
    for epoch in ("first", "second"):
        begin = time.perf_counter()
        records, labels_sum = 0, 0.0
        for features, labels in dataset:
            records += features.shape[0]
            labels_sum += float(tf.reduce_sum(labels))
        rate = records / (time.perf_counter() - begin)
        total += records
        if epoch == "second":  # the first one waits for the pipe and makes the graph
            mean = labels_sum / records
            print(f"{channel}: {records} records, mean label {mean:.3f}, {rate:,.0f} records/s")
    return total


def main() -> None:
    """Writes both kinds of records, and reads them back as tensors."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000, help="of each kind")
    count = parser.parse_args().records
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        write(root / "examples", "TFRecord", examples(count))
        write(root / "protobuf", "RecordIO", protobuf_records(count))
        channels = {name: str(root / name) for name in ("examples", "protobuf")}
        with Prefetcher(channels) as feed:
            read = stream(feed, "examples", "TFRecord", parse_examples)
            read += stream(feed, "protobuf", "RecordIO", parse_protobuf)
    if read != 4 * count:
        raise SystemExit(f"{read} records were read, not twice {count} of each kind")


if __name__ == "__main__":
    main()
