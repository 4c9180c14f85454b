"""Models written by TensorFlow itself, in every form that users have."""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path
from typing import Any

import tensorflow as tf

# Written with TF 1's builder: a placeholder, a variable, a table that needs its initializer, a
# vocabulary among the assets, and two graphs, of which one is for training.
_TF1 = """
import sys
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
folder, vocabulary, graphs = sys.argv[1:]
builder = tf.saved_model.Builder(folder)
for number, tags in enumerate([["serve"], ["train"]][: int(graphs)]):
    with tf.Graph().as_default(), tf.Session() as session:
        words = tf.placeholder(tf.string, [None], name="words")
        x = tf.placeholder(tf.float32, [None, 2], name="x")
        w = tf.get_variable("w", initializer=[[1.0], [10.0]])
        path = tf.constant(vocabulary)
        tf.add_to_collection(tf.GraphKeys.ASSET_FILEPATHS, path)
        table = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(
                path, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE,
                tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER,
            ),
            -1,
        )
        session.run([tf.global_variables_initializer(), tf.tables_initializer()])
        info = tf.saved_model.utils.build_tensor_info
        signature = tf.saved_model.build_signature_def(
            inputs={"words": info(words), "x": info(x)},
            outputs={
                "ids": info(table.lookup(words)),
                "scores": info(tf.matmul(x, w)),
                "upper": info(tf.strings.upper(words)),
            },
            method_name="tensorflow/serving/predict",
        )
        arguments = dict(main_op=tf.tables_initializer())
        signatures = {"serving_default": signature}
        if number == 0:
            builder.add_meta_graph_and_variables(session, tags, signatures, **arguments)
        else:
            builder.add_meta_graph(tags, signatures, **arguments)
builder.save()
"""


def tf1_export(folder: Path, graphs: int = 1) -> Path:
    """In another process: once TF 1's behaviour is on, it stays on."""
    vocabulary = folder.parent / "vocabulary.txt"
    vocabulary.write_text("zero\none\ntwo\n")
    subprocess.run(
        [sys.executable, "-c", _TF1, str(folder), str(vocabulary), str(graphs)],
        check=True,
        capture_output=True,
        timeout=110,
    )
    return folder


class Scorer(tf.Module):
    """A dense layer with a signature whose names are not Python's."""

    def __init__(self, batch: int | None = None) -> None:
        super().__init__()
        self.w = tf.Variable([[1.0], [10.0]])
        self.momentum = tf.Variable([[0.0], [0.0]])  # the kind of thing that optimizers leave
        spec = tf.TensorSpec([batch, 2], tf.float32, "x-1")
        self.score = tf.function(self._score, input_signature=[spec])

    def _score(self, x: Any) -> dict[str, Any]:
        return {"scores/all": x @ self.w, "rank": tf.cast(x[:, 0] > x[:, 1], tf.int64)}


def tf2_export(folder: Path, batch: int | None = None) -> Path:
    module = Scorer(batch)
    tf.saved_model.save(module, folder, signatures={"score": module.score})
    return folder


class Echo(tf.Module):
    """Strings in, strings out."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text")])
    def upper(self, text: Any) -> dict[str, Any]:
        return {"upper": tf.strings.upper(text), "size": tf.strings.length(text)}


def string_export(folder: Path) -> Path:
    module = Echo()
    tf.saved_model.save(module, folder, signatures={"serving_default": module.upper})
    return folder


class Parser(tf.Module):
    """Serialized tf.Examples in; one that is broken fails the whole batch, as it does in TF."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def parse(self, examples: Any) -> dict[str, Any]:
        parsed = tf.io.parse_example(
            examples,
            {
                "x": tf.io.FixedLenFeature([2], tf.float32),
                "id": tf.io.FixedLenFeature([], tf.int64, default_value=-1),
            },
        )
        return {"sum": tf.reduce_sum(parsed["x"], 1), "id": parsed["id"]}


def example_export(folder: Path) -> Path:
    module = Parser()
    tf.saved_model.save(module, folder, signatures={"serving_default": module.parse})
    return folder


def example(x: list[float], number: int | None = None) -> bytes:
    features = {"x": tf.train.Feature(float_list=tf.train.FloatList(value=x))}
    if number is not None:
        features["id"] = tf.train.Feature(int64_list=tf.train.Int64List(value=[number]))
    message = tf.train.Example(features=tf.train.Features(feature=features))
    return bytes(message.SerializeToString())


class Jpegs(tf.Module):
    """Encoded images in, their mean colour out."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "image_bytes")])
    def colours(self, image_bytes: Any) -> dict[str, Any]:
        decode = functools.partial(tf.io.decode_image, channels=3, expand_animations=False)
        spec = tf.TensorSpec([3], tf.float32)
        mean = tf.map_fn(
            lambda data: tf.reduce_mean(tf.cast(decode(data), tf.float32), [0, 1]),
            image_bytes,
            fn_output_signature=spec,
        )
        return {"colour": mean}


def image_export(folder: Path) -> Path:
    module = Jpegs()
    tf.saved_model.save(module, folder, signatures={"serving_default": module.colours})
    return folder


def png(red: int) -> bytes:
    pixels = tf.fill([4, 4, 3], tf.constant(red, tf.uint8))
    return bytes(tf.io.encode_png(pixels).numpy())


def keras_model(outputs: str = "one") -> Any:
    """A functional model of two inputs; its outputs alone, in a list or in a dict."""
    a = tf.keras.Input((2,), name="a")
    b = tf.keras.Input((2,), name="b")
    both = tf.keras.layers.Add()([a, b])
    hidden = tf.keras.layers.Dense(4, kernel_initializer="ones", name="hidden")(both)
    one = tf.keras.layers.Dense(1, kernel_initializer="ones", name="one")(hidden)
    two = tf.keras.layers.Dense(3, activation="softmax", name="two")(hidden)
    made = {"one": one, "list": [one, two], "dict": {"score": one, "classes": two}}
    return tf.keras.Model([a, b], made[outputs])


def keras_file(path: Path, outputs: str = "one") -> Path:
    keras_model(outputs).save(path)
    return path
