"""What stands for a model: matrix products on one core, as many as the benchmark asks for.

``python compute.py`` prints how long one of them takes, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import tensorflow as tf

_SIDE = 512
_ROUNDS = 5
_PRODUCTS = 400


def make_step(products: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """A step over a batch of records, ``[n]`` strings of `_SIDE` bytes and more, to a scalar."""
    weights = tf.random.stateless_normal([_SIDE, _SIDE], seed=(1, 2)) / _SIDE**0.5

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def step(batch: tf.Tensor) -> tf.Tensor:
        pixels = tf.io.decode_raw(tf.strings.substr(batch, 0, _SIDE), tf.uint8)
        activations = tf.cast(pixels, tf.float32) / 255.0
        for _ in tf.range(products):
            activations = tf.nn.relu(activations @ weights)
        return tf.reduce_mean(activations)

    return step


def main() -> None:
    """Measures with a batch of the size of the script's."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    batch = tf.fill([64], tf.constant(bytes(range(256)) * 512))
    step = make_step(_PRODUCTS)
    step(batch).numpy()
    seconds = []
    for _ in range(_ROUNDS):
        begin = time.perf_counter()
        step(batch).numpy()
        seconds.append((time.perf_counter() - begin) / _PRODUCTS)
    sys.stdout.write(json.dumps({"seconds_per_product": sorted(seconds)[_ROUNDS // 2]}) + "\n")


if __name__ == "__main__":
    main()
