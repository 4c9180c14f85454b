"""Writes ``jax``: a function of JAX as jax2tf exports it. Ran with jax 0.10.2, TensorFlow 2.21.

The graph is one op, XlaCallModule, which holds the function as StableHLO, for batches of any size.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import tensorflow as tf
from jax.experimental import jax2tf
from packing import keep_model, plain

ROWS = [[0.0, 0.0, 0.0, 0.0], [1.0, -2.0, 3.0, 0.5], [-1.0, 4.0, 0.25, 2.0]]


def predict(weights: dict[str, jax.Array], x: jax.Array) -> dict[str, jax.Array]:
    hidden = jnp.tanh(x @ weights["first"] + weights["bias"])
    logits = hidden @ weights["second"]
    return {"probabilities": jax.nn.softmax(logits), "label": jnp.argmax(logits, axis=-1)}


def main() -> None:
    # Else the module says in which folder this file lay.
    jax.config.update("jax_include_full_tracebacks_in_locations", False)
    jax.config.update("jax_hlo_source_file_canonicalization_regex", ".*/")
    random = np.random.default_rng(0)
    sizes = {"first": (4, 8), "bias": (8,), "second": (8, 3)}
    weights = {key: random.normal(size=size).astype(np.float32) for key, size in sizes.items()}
    convert = jax2tf.convert(predict, polymorphic_shapes=[None, "(batch, 4)"])
    module = tf.Module()
    module.weights = {key: tf.Variable(value) for key, value in weights.items()}
    module.serve = tf.function(
        lambda x: convert(module.weights, x),
        autograph=False,
        input_signature=[tf.TensorSpec([None, 4], tf.float32, "x")],
    )
    case = {
        "signature": "serving_default",
        "content_type": "text/csv",
        "lines": [",".join(map(str, row)) for row in ROWS],
        "outputs": plain(predict(weights, jnp.array(ROWS, jnp.float32))),
    }
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=module.serve)
        keep_model("jax", Path(folder), [case])


if __name__ == "__main__":
    main()
