"""``python -m transform_cases.material KIND FOLDER``: writes a model, and TFRecords for it.

  dense  FOLDER/model and FOLDER/data/*.tfrecords of Examples of 1,024 bytes: 251 floats, `row`
  cnn    the same, with Examples that hold a JPEG of 128 x 128 pixels, `image`
  small  a dense model for rows of 16 floats, without data

A process of its own, so that the benchmark's never loads TensorFlow. It prints what it wrote.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from sagemaker_tensorflow._core import encode_record

# Makes an Example of exactly 1,024 bytes.
ROW = 251
SMALL_ROW = 16
PIXELS = 128
SCORES = 4
_CLASSES = 10
_CHANNELS = (3, 16, 32, 64)
# Records of a file are these, over and over.
_DISTINCT = 1024
_SEED = 4


class Dense(tf.Module):
    """Two layers, of 32 and of 4. Takes Examples, or rows."""

    def __init__(self, width: int) -> None:
        super().__init__()
        random = np.random.default_rng(_SEED)
        self.hidden = _weights(random, width, 32)
        self.scores = _weights(random, 32, SCORES)
        rows = tf.TensorSpec([None, width], tf.float32, name="row")
        self.of_rows = tf.function(self._of_rows, input_signature=[rows])
        self.of_examples = tf.function(self._of_examples, input_signature=[_EXAMPLES])
        self._width = width

    def _of_rows(self, row: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"scores": tf.nn.relu(row @ self.hidden) @ self.scores}

    def _of_examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        feature = tf.io.FixedLenFeature([self._width], tf.float32)
        return self._of_rows(tf.io.parse_example(examples, {"row": feature})["row"])


class SmallCnn(tf.Module):
    """Three convolutions that halve the sides, a mean, and a layer of 10. Takes Examples."""

    def __init__(self) -> None:
        super().__init__()
        random = np.random.default_rng(_SEED)
        sizes = itertools.pairwise(_CHANNELS)
        self.filters = [_weights(random, 3, 3, *size) for size in sizes]
        self.scores = _weights(random, _CHANNELS[-1], _CLASSES)
        self.of_examples = tf.function(self._of_examples, input_signature=[_EXAMPLES])

    def _of_examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        feature = tf.io.FixedLenFeature([], tf.string)
        jpegs = tf.io.parse_example(examples, {"image": feature})["image"]
        pixels = tf.map_fn(_decoded, jpegs, fn_output_signature=tf.uint8)
        layer = tf.cast(pixels, tf.float32) / 255
        for weights in self.filters:
            layer = tf.nn.relu(tf.nn.conv2d(layer, weights, strides=2, padding="SAME"))
        return {"scores": tf.reduce_mean(layer, axis=[1, 2]) @ self.scores}


_EXAMPLES = tf.TensorSpec([None], tf.string, name="examples")


def _decoded(jpeg: tf.Tensor) -> tf.Tensor:
    return tf.ensure_shape(tf.io.decode_jpeg(jpeg, channels=3), [PIXELS, PIXELS, 3])


def _weights(random: np.random.Generator, *shape: int) -> tf.Variable:
    scale = np.sqrt(2 / np.prod(shape[:-1]))
    return tf.Variable(random.normal(0, scale, shape).astype(np.float32))


def save_dense(path: Path, width: int) -> None:
    """With signatures for Examples, the default, and for rows."""
    model = Dense(width)
    signatures = {
        "serving_default": model.of_examples.get_concrete_function(),
        "rows": model.of_rows.get_concrete_function(),
    }
    tf.saved_model.save(model, str(path), signatures=signatures)


def save_cnn(path: Path) -> None:
    """With one signature."""
    model = SmallCnn()
    tf.saved_model.save(model, str(path), signatures=model.of_examples.get_concrete_function())


def row_examples() -> list[bytes]:
    """Examples of 1,024 bytes."""
    rows = np.random.default_rng(_SEED).normal(size=(_DISTINCT, ROW)).astype(np.float32)
    examples = [_example("row", float_list=tf.train.FloatList(value=row)) for row in rows]
    if {*map(len, examples)} != {1024}:
        raise ValueError(f"Examples have {sorted({*map(len, examples)})} bytes, not 1024")
    return examples


def image_examples() -> list[bytes]:
    """JPEGs of blurred noise, which compresses about as photographs do."""
    random = np.random.default_rng(_SEED)
    examples = []
    for _ in range(_DISTINCT):
        coarse = random.uniform(0, 255, (1, PIXELS // 8, PIXELS // 8, 3))
        image = tf.image.resize(coarse, [PIXELS, PIXELS], "bicubic")[0]
        image += random.normal(0, 6, image.shape)
        jpeg = tf.io.encode_jpeg(tf.cast(tf.clip_by_value(image, 0, 255), tf.uint8), quality=90)
        values = tf.train.BytesList(value=[jpeg.numpy()])
        examples.append(_example("image", bytes_list=values))
    return examples


def _example(name: str, **values: Any) -> bytes:
    feature = {name: tf.train.Feature(**values)}
    data: bytes = tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()
    return data


def write_files(folder: Path, examples: Sequence[bytes], files: int, records: int) -> None:
    """Files of as many records each."""
    folder.mkdir()
    framed = [encode_record("TFRecord", example) for example in examples]
    rounds, rest = divmod(records, len(framed))
    block = b"".join(framed)
    for number in range(files):
        with (folder / f"part-{number:05}.tfrecords").open("wb") as file:
            for _ in range(rounds):
                file.write(block)
            file.write(b"".join(framed[:rest]))


def main() -> None:
    """Writes what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=("dense", "cnn", "small"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=0)
    parser.add_argument("--records", type=int, default=0, help="of each file")
    options = parser.parse_args()
    model = options.folder / "model"
    examples: list[bytes] = []
    if options.kind == "cnn":
        save_cnn(model)
        examples = image_examples()
    else:
        small = options.kind == "small"
        save_dense(model, SMALL_ROW if small else ROW)
        examples = [] if small else row_examples()
    if options.files:
        write_files(options.folder / "data", examples, options.files, options.records)
    mean = sum(map(len, examples)) / len(examples) if examples else 0.0
    print(json.dumps({"mean_record_bytes": mean}))


if __name__ == "__main__":
    main()
