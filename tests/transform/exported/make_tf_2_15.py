"""Writes ``estimator``, ``keras2`` and ``forest``. Ran with tensorflow-cpu 2.15.1 on Python 3.11.

That is the last TensorFlow that has estimators, and the last whose Keras is version 2. Models of
tensorflow_decision_forests, of which this was 1.8.1, need ops of its own.
"""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf
import tensorflow_decision_forests as tfdf
from packing import keep_model, plain

COLOURS = ["red", "green", "blue"]
ROWS = [(1.0, 2.0, "red"), (-3.0, 0.5, "blue"), (0.0, 0.0, "no colour"), (2.5, -1.0, "green")]


def example(row: tuple[float, float, str]) -> bytes:
    features = {
        "x": tf.train.Feature(float_list=tf.train.FloatList(value=row[:2])),
        "colour": tf.train.Feature(bytes_list=tf.train.BytesList(value=[row[2].encode()])),
    }
    message = tf.train.Example(features=tf.train.Features(feature=features))
    return message.SerializeToString(deterministic=True)


def make_estimator(temporary: Path) -> None:
    """Serialized tf.Examples in, parsed within the graph; three signatures."""
    colour = tf.feature_column.categorical_column_with_vocabulary_list("colour", COLOURS)
    columns = [
        tf.feature_column.numeric_column("x", (2,)),
        tf.feature_column.indicator_column(colour),
    ]
    estimator = tf.estimator.DNNClassifier(
        [4],
        columns,
        str(temporary / "training"),
        n_classes=3,
        label_vocabulary=["low", "middle", "high"],
        config=tf.estimator.RunConfig(tf_random_seed=1),
    )
    features = {
        "x": np.array([row[:2] for row in ROWS], np.float32),
        "colour": np.array([row[2] for row in ROWS]),
    }
    labels = np.array(["low", "middle", "high", "low"])
    estimator.train(lambda: tf.data.Dataset.from_tensors((features, labels)).repeat(3))
    parsing = tf.feature_column.make_parse_example_spec(columns)
    receiver = tf.estimator.export.build_parsing_serving_input_receiver_fn(parsing)
    folder = estimator.export_saved_model(str(temporary / "estimator"), receiver).decode()
    model = tf.saved_model.load(folder)
    records = [example(row) for row in ROWS]
    arguments = {"serving_default": "inputs", "classification": "inputs", "predict": "examples"}
    cases = [
        {
            "signature": name,
            "content_type": "application/x-tfexample",
            "records": [base64.b64encode(record).decode() for record in records],
            "outputs": plain(model.signatures[name](**{argument: tf.constant(records)})),
        }
        for name, argument in arguments.items()
    ]
    keep_model("estimator", Path(folder), cases)


def make_keras2(temporary: Path) -> None:
    """With a table of strings, and its optimizer, of which today's TensorFlow can make nothing."""
    tf.keras.utils.set_random_seed(1)
    x = tf.keras.Input((2,), name="x")
    colour = tf.keras.Input((1,), name="colour", dtype=tf.string)
    number = tf.keras.layers.StringLookup(vocabulary=COLOURS)(colour)
    embedded = tf.keras.layers.Flatten()(tf.keras.layers.Embedding(4, 2)(number))
    both = tf.keras.layers.Concatenate()([x, embedded])
    score = tf.keras.layers.Dense(1, name="score")(both)
    model = tf.keras.Model({"x": x, "colour": colour}, score)
    model.compile(tf.keras.optimizers.legacy.Adam(), "mse")
    inputs = {
        "x": tf.constant([row[:2] for row in ROWS]),
        "colour": tf.constant([[row[2]] for row in ROWS]),
    }
    model.fit(inputs, tf.constant([[1.0], [2.0], [3.0], [4.0]]), epochs=2, verbose=0)
    model.save(temporary / "keras2", save_format="tf")
    case = {
        "signature": "serving_default",
        "content_type": "application/jsonlines",
        "lines": [json.dumps({"x": list(row[:2]), "colour": [row[2]]}) for row in ROWS],
        "outputs": plain({"score": model(inputs)}),
    }
    keep_model("keras2", temporary / "keras2", [case])


def make_forest(temporary: Path) -> None:
    """Trees that only ops of tensorflow_decision_forests can evaluate."""
    b = np.arange(80) * 3 % 7
    frame = pd.DataFrame({"a": np.arange(80.0), "b": b, "label": (b > 3) ^ (np.arange(80) > 40)})
    frame["label"] = frame["label"].astype(int)
    model = tfdf.keras.RandomForestModel(num_trees=3, verbose=0)
    model.fit(tfdf.keras.pd_dataframe_to_tf_dataset(frame, label="label"))
    model.save(temporary / "forest")
    rows = frame[["a", "b"]][::9]
    signature = tf.saved_model.load(str(temporary / "forest")).signatures["serving_default"]
    specs = signature.structured_input_signature[1]
    inputs = {name: tf.constant(rows[name], spec.dtype) for name, spec in specs.items()}
    case = {
        "signature": "serving_default",
        "content_type": "application/jsonlines",
        "lines": [row.to_json() for _, row in rows.iterrows()],
        "outputs": plain(signature(**inputs)),
    }
    keep_model("forest", temporary / "forest", [case])


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        make_estimator(Path(temporary))
        make_keras2(Path(temporary))
        make_forest(Path(temporary))


if __name__ == "__main__":
    main()
