"""Train a Keras classifier on handwritten digits that stream out of S3 through named pipes.

Usage: python examples/digits.py [--s3 s3://bucket/prefix] [--epochs N]

It needs the packages of the dependency group `demo`, which `make demo` installs.

Without --s3 it starts a local S3 server and needs no cloud account; with it, it uses your bucket
and your AWS credentials.

The digits that scikit-learn ships are written as TFRecords of tf.Example and uploaded. A prefetcher
streams them, in a process of its own, into one named pipe per epoch; PipeModeDataset reads the
pipes. The exit status is 1 if the held-out accuracy is not above 0.95.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# TensorFlow announces oneDNN at whatever log level; this model is too small to gain from it.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import boto3
import keras
import numpy as np
import tensorflow as tf
from local_s3 import local_bucket
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sagemaker_tensorflow import PipeModeDataset, Prefetcher

BATCH = 1024
TRAIN_SHARDS = 8
TEST_SHARDS = 2
# The data set is tiny: 1,437 training images, 140 kB. Every epoch holds each of them so many times,
# in a new order, so that there is something to stream.
COPIES = 100
REQUIRED_ACCURACY = 0.95
RATE_EPOCHS = 10


def main() -> int:
    """Runs the demo. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--s3", metavar="URI", help="s3://bucket/prefix to use; default: local")
    parser.add_argument("--epochs", type=int, default=5)
    args = parser.parse_args()
    keras.utils.set_random_seed(0)
    with contextlib.ExitStack() as stack:
        uri = (args.s3 or "s3://digits/tfrecords").rstrip("/")
        if not args.s3:
            stack.enter_context(local_bucket("digits"))
        upload_digits(uri)
        channels = {"train": f"{uri}/train/", "test": f"{uri}/test/"}
        feed = stack.enter_context(Prefetcher(channels))
        accuracy = train(feed, args.epochs)
        rate = streaming_rate(feed)
    print(f"held-out accuracy {accuracy:.4f} after {args.epochs} epochs")
    print(f"streaming rate    {rate / 1e6:.1f} MB/s, S3 to tensors, {RATE_EPOCHS} epochs read only")
    return 0 if accuracy > REQUIRED_ACCURACY else 1


def upload_digits(uri: str) -> None:
    """Writes the shards and uploads them under ``uri``/train/ and ``uri``/test/."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    images, labels = load_digits(return_X_y=True)
    splits = train_test_split(images, labels, test_size=0.2, random_state=0, stratify=labels)
    train_x, test_x, train_y, test_y = splits
    order = np.random.default_rng(0)
    s3 = boto3.client("s3")
    with tempfile.TemporaryDirectory() as folder:
        copies = np.concatenate([order.permutation(len(train_y)) for _ in range(COPIES)])
        write_shards(Path(folder, "train"), train_x[copies], train_y[copies], TRAIN_SHARDS)
        write_shards(Path(folder, "test"), test_x, test_y, TEST_SHARDS)
        shards = sorted(Path(folder).rglob("*.tfrecord"))
        for shard in shards:
            key = "/".join(filter(None, [prefix, str(shard.relative_to(folder))]))
            s3.upload_file(str(shard), bucket, key)
        size = sum(shard.stat().st_size for shard in shards)
    print(f"uploaded {len(shards)} shards, {size / 1e6:.1f} MB, to {uri}")


def write_shards(folder: Path, images: np.ndarray, labels: np.ndarray, count: int) -> None:
    """Writes TFRecord files of tf.Example: the image's 64 bytes and its label."""
    folder.mkdir()
    for index, part in enumerate(np.array_split(np.arange(len(labels)), count)):
        with tf.io.TFRecordWriter(str(folder / f"part-{index:02d}.tfrecord")) as writer:
            for image, label in zip(images[part], labels[part], strict=True):
                writer.write(encode(image, label))


def encode(image: np.ndarray, label: int) -> bytes:
    """One digit as a serialized tf.Example."""
    pixels = tf.train.BytesList(value=[image.astype(np.uint8).tobytes()])
    number = tf.train.Int64List(value=[label])
    features = {
        "image": tf.train.Feature(bytes_list=pixels),
        "label": tf.train.Feature(int64_list=number),
    }
    message = tf.train.Example(features=tf.train.Features(feature=features))
    return message.SerializeToString()


def input_fn(channel: str, dirs: dict[str, str]) -> tf.data.Dataset:
    """What stands in a SageMaker training script; there the directories have their defaults."""
    dataset = PipeModeDataset(channel, record_format="TFRecord", batch_size=BATCH, **dirs)
    return dataset.map(parse, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def parse(batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Serialized tf.Examples, [N] strings, to images [N, 64] in 0..1 and labels [N]."""
    features = tf.io.parse_example(
        batch,
        {
            "image": tf.io.FixedLenFeature([], tf.string),
            "label": tf.io.FixedLenFeature([], tf.int64),
        },
    )
    images = tf.io.decode_raw(features["image"], tf.uint8, fixed_length=64)
    return tf.cast(images, tf.float32) / 16.0, features["label"]


def train(feed: Prefetcher, epochs: int) -> float:
    """Trains on the channel "train", one pipe per epoch; returns the accuracy on "test"."""
    model = keras.Sequential(
        [
            keras.Input([64]),
            keras.layers.Dense(256, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    # Keras says so of every dataset whose length it cannot know beforehand.
    warnings.filterwarnings("ignore", message="Your input ran out of data")
    model.fit(input_fn("train", feed.dirs), epochs=epochs, shuffle=False, verbose=2)
    _, accuracy = model.evaluate(input_fn("test", feed.dirs), verbose=0)
    return float(accuracy)


def streaming_rate(feed: Prefetcher) -> float:
    """Reads epochs without training on them; returns the bytes fetched per second.

    Bytes fetched, not read: a part of the first epoch was fetched before its reader came.
    """
    dataset = PipeModeDataset("train", record_format="TFRecord", batch_size=BATCH, **feed.dirs)
    before, start = feed.stats()["train"], time.monotonic()
    for _ in dataset.repeat(RATE_EPOCHS):
        pass
    seconds = time.monotonic() - start
    return (feed.stats()["train"].bytes_fetched - before.bytes_fetched) / seconds


if __name__ == "__main__":
    sys.exit(main())
