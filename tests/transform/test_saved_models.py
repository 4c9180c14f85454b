"""Models as they were exported by TensorFlow and Keras, run on arrays."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from sagemaker_tensorflow.errors import DataLossError, InvalidArgumentError
from sagemaker_tensorflow.transform.model_files import find_model
from sagemaker_tensorflow.transform.saved_model_function import EagerFunction, SessionFunction
from sagemaker_tensorflow.transform.saved_models import Model, describe_signatures, load_model
from sagemaker_tensorflow.transform.signature_defs import read_signature_defs
from sagemaker_tensorflow.transform.signatures import TensorSpec
from tests.transform import tf_models

# Keras 3.15 saves its variables so, with NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

F32 = np.dtype(np.float32)
I64 = np.dtype(np.int64)
ROWS = np.array([[1, 2], [4, 3]], np.float32)
SCORES = [[21.0], [34.0]]


def strings(*values: bytes) -> Any:
    return np.array(values, object)


def test_a_signature_of_tf_2(tmp_path: Path) -> None:
    model = load_model(tf_models.tf2_export(tmp_path / "m"), "score")
    assert model.signature.name == "score"
    # As TensorFlow Serving's clients call it; in Python it is x_1.
    assert model.signature.inputs == (TensorSpec("x-1", F32, (None, 2)),)
    assert model.signature.outputs == (
        TensorSpec("rank", I64, (None,)),
        TensorSpec("scores/all", F32, (None, 1)),
    )
    outputs = model.run({"x-1": ROWS})
    assert outputs["scores/all"].tolist() == SCORES
    assert outputs["rank"].tolist() == [0, 1]
    assert model.fixed_batch is None
    assert not model.equal_batches


@pytest.fixture(scope="module")
def tf1_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tf_models.tf1_export(tmp_path_factory.mktemp("tf1") / "m")


@pytest.mark.parametrize("graphs", [1, 2])
def test_an_export_of_tf_1(tmp_path: Path, tf1_path: Path, graphs: int) -> None:
    model = load_model(tf1_path if graphs == 1 else tf_models.tf1_export(tmp_path / "m", graphs))
    assert {spec.name: spec.dtype for spec in model.signature.inputs} == {
        "words": "string",
        "x": F32,
    }
    outputs = model.run({"words": strings(b"two", b"none"), "x": ROWS})
    assert outputs["ids"].tolist() == [2, -1]  # the table was initialized, from an asset
    assert outputs["scores"].tolist() == SCORES
    assert outputs["upper"].tolist() == [b"TWO", b"NONE"]


def test_strings_of_any_bytes(tmp_path: Path) -> None:
    model = load_model(tf_models.string_export(tmp_path / "m"))
    values = [b"", b"a\0b", bytes(range(256)), b"x" * 100_000]
    outputs = model.run({"text": strings(*values)})
    assert outputs["upper"].dtype == object
    assert outputs["upper"].tolist() == [value.upper() for value in values]
    assert outputs["size"].tolist() == [0, 3, 256, 100_000]


def test_a_model_that_parses_examples(tmp_path: Path) -> None:
    model = load_model(tf_models.example_export(tmp_path / "m"))
    records = [tf_models.example([1, 2], 7), tf_models.example([3, 4])]
    outputs = model.run({"examples": strings(*records)})
    assert outputs["sum"].tolist() == [3, 7]
    assert outputs["id"].tolist() == [7, -1]
    with pytest.raises(tf.errors.InvalidArgumentError):
        model.run({"examples": strings(records[0], b"broken")})


@pytest.mark.parametrize(
    ("outputs", "names"),
    [
        ("one", ["output_0"]),
        ("list", ["output_0", "output_1"]),
        ("dict", ["classes", "score"]),
    ],
)
def test_keras_files(tmp_path: Path, outputs: str, names: list[str]) -> None:
    path = tf_models.keras_file(tmp_path / "m.keras", outputs)
    model = load_model(path)
    assert model.signature.inputs == (
        TensorSpec("a", F32, (None, 2)),
        TensorSpec("b", F32, (None, 2)),
    )
    assert sorted(spec.name for spec in model.signature.outputs) == names
    result = model.run({"a": ROWS, "b": ROWS})
    assert sorted(result) == names
    assert result["score" if outputs == "dict" else "output_0"].tolist() == [[24.0], [56.0]]


def test_a_keras_file_has_the_names_of_its_export(tmp_path: Path) -> None:
    path = tf_models.keras_file(tmp_path / "m.keras", "dict")
    tf.keras.models.load_model(path).export(tmp_path / "m", verbose=False)
    exported, loaded = load_model(tmp_path / "m"), load_model(path)
    assert sorted(map(str, exported.signature.inputs)) == sorted(map(str, loaded.signature.inputs))
    assert sorted(map(str, exported.signature.outputs)) == sorted(
        map(str, loaded.signature.outputs)
    )
    inputs = {"a": ROWS, "b": -ROWS}
    for name, value in exported.run(inputs).items():
        np.testing.assert_allclose(loaded.run(inputs)[name], value, rtol=1e-6)


def test_a_sequential_keras_file(tmp_path: Path) -> None:
    layers = [tf.keras.Input((2,)), tf.keras.layers.Dense(1, kernel_initializer="ones")]
    tf.keras.Sequential(layers).save(tmp_path / "m.keras")
    model = load_model(tmp_path / "m.keras")
    (spec,) = model.signature.inputs
    assert model.run({spec.name: ROWS})["output_0"].tolist() == [[3.0], [7.0]]


def test_a_keras_file_that_takes_texts(tmp_path: Path) -> None:
    text = tf.keras.Input((1,), dtype="string", name="text")
    words = tf.keras.layers.TextVectorization(
        vocabulary=["one", "two"], output_sequence_length=3, name="words"
    )
    tf.keras.Model(text, words(text)).save(tmp_path / "m.keras")
    model = load_model(tmp_path / "m.keras")
    assert model.signature.inputs == (TensorSpec("text", "string", (None, 1)),)
    outputs = model.run({"text": np.array([[b"two one"], [b"three"]], object)})
    assert outputs["output_0"].tolist() == [[3, 2, 0], [1, 0, 0]]
    with pytest.raises(InvalidArgumentError, match="has strings, which XLA has not"):
        load_model(tmp_path / "m.keras", jit_compile=True)


def test_a_keras_file_that_needs_code(tmp_path: Path) -> None:
    layers = [tf.keras.Input((2,)), tf.keras.layers.Lambda(lambda x: x + 1)]
    tf.keras.Sequential(layers).save(tmp_path / "m.keras")
    with pytest.raises(InvalidArgumentError, match=r"export it with model\.export"):
        load_model(tmp_path / "m.keras")


def test_unknown_signatures_name_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidArgumentError, match="no signature 'serving_default'; it has 'score'"
    ):
        load_model(tf_models.tf2_export(tmp_path / "m"))
    keras = tf_models.keras_file(tmp_path / "m.keras")
    with pytest.raises(InvalidArgumentError, match="no signature 'score'"):
        load_model(keras, "score")
    tf.saved_model.save(tf.Module(), tmp_path / "none")
    with pytest.raises(InvalidArgumentError, match="has no signatures"):
        load_model(tmp_path / "none")


class Arguments(tf.Module):
    """Inputs that Python cannot call so."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.float32, "1st"),
            tf.TensorSpec([None], tf.float32, "a/b-c"),
            tf.TensorSpec([None], tf.float32, "Upper"),
        ]
    )
    def digits(self, first: Any, second: Any, third: Any) -> dict[str, Any]:
        return {"y": first + 10 * second + 100 * third}


def test_inputs_have_the_names_that_clients_use(tmp_path: Path) -> None:
    module = Arguments()
    tf.saved_model.save(module, tmp_path / "m", signatures={"serving_default": module.digits})
    model = load_model(tmp_path / "m")
    arrays = [np.array([value], np.float32) for value in (1, 2, 3)]
    assert [spec.name for spec in model.signature.inputs] == ["1st", "Upper", "a/b-c"]
    outputs = model.run(dict(zip(["1st", "a/b-c", "Upper"], arrays, strict=True)))
    assert outputs["y"].tolist() == [321]


def test_all_signatures_are_described(tmp_path: Path, tf1_path: Path) -> None:
    assert describe_signatures(tf_models.tf2_export(tmp_path / "m")) == (
        "signature score\n"
        "  inputs\n    x-1  float32   [?, 2]\n"
        "  outputs\n    rank        int64     [?]\n    scores/all  float32   [?, 1]"
    )
    assert "words  string" in describe_signatures(tf1_path)
    assert "signature serving_default" in describe_signatures(
        tf_models.keras_file(tmp_path / "m.keras")
    )
    tf.saved_model.save(tf.Module(), tmp_path / "none")
    with pytest.raises(InvalidArgumentError, match="has no signatures"):
        describe_signatures(tmp_path / "none")


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({}, "input 'text' is missing; .* takes text, given were none"),
        ({"text": strings(b""), "more": strings(b"")}, "no input is called more"),
        ({"text": np.zeros(1, np.float32)}, "has dtype float32, the signature's is string"),
    ],
)
def test_inputs_that_are_not_the_signatures(
    tmp_path: Path, inputs: dict[str, Any], reason: str
) -> None:
    model = load_model(tf_models.string_export(tmp_path / "m"))
    with pytest.raises(InvalidArgumentError, match=reason):
        model.run(inputs)


def test_a_fixed_batch_is_seen(tmp_path: Path) -> None:
    assert load_model(tf_models.tf2_export(tmp_path / "m", batch=2), "score").fixed_batch == 2


def test_a_model_without_files(tmp_path: Path) -> None:
    path = tf_models.tf2_export(tmp_path / "m")
    (path / "saved_model.pb").write_bytes(b"\xff" * 100)
    with pytest.raises(DataLossError, match="cannot be read"):
        load_model(path, "score")
    path = tf_models.tf2_export(tmp_path / "n")
    (path / "variables" / "variables.index").unlink()
    with pytest.raises(DataLossError, match="cannot be loaded"):
        load_model(path, "score")


def with_unloadable_objects(path: Path) -> Path:
    """Gives an object of the export slot variables, as Keras 2 gave its optimizers.

    Today's TensorFlow has no class for such an object, and fails with "no attribute 'add_slot'".
    """
    file = path / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    nodes = saved.meta_graphs[0].object_graph_def.nodes
    children = {child.local_name: child.node_id for child in nodes[0].children}
    slot = nodes[0].slot_variables.add()
    slot.original_variable_node_id = children["w"]
    slot.slot_variable_node_id = children["momentum"]
    slot.slot_name = "m"
    file.write_bytes(saved.SerializeToString())
    return path


@pytest.mark.parametrize("device", ["", "/device:CPU:0"])
def test_a_model_whose_objects_cannot_be_made_runs_as_a_graph(tmp_path: Path, device: str) -> None:
    path = with_unloadable_objects(tf_models.tf2_export(tmp_path / "m"))
    with pytest.raises(AttributeError, match="add_slot"):
        tf.saved_model.load(str(path))
    model = load_model(path, "score", device=device)
    (spec,) = model.signature.inputs
    assert (spec.dtype, spec.shape) == (F32, (None, 2))
    outputs = model.run({spec.name: ROWS})
    assert outputs["scores/all"].tolist() == SCORES
    assert outputs["rank"].tolist() == [0, 1]
    with pytest.raises(InvalidArgumentError, match="it has 'score'"):
        load_model(path, "other")
    with pytest.raises(InvalidArgumentError, match=r"jit_compile: .*only its graph run"):
        load_model(path, "score", jit_compile=True)


def test_both_ways_to_run_a_model_agree(tf1_path: Path) -> None:
    defs = read_signature_defs(tf1_path)
    eager = EagerFunction(tf.saved_model.load(str(tf1_path)), defs, "serving_default", "")
    session = SessionFunction(defs, "serving_default", "")
    inputs = {"words": strings(b"one", b"\xff"), "x": ROWS}
    ours, theirs = eager(inputs), session(inputs)
    assert {name: value.tolist() for name, value in ours.items()} == {
        name: value.tolist() for name, value in theirs.items()
    }


@pytest.mark.parametrize("kind", ["keras", "tf2"])
def test_jit_compile(tmp_path: Path, kind: str) -> None:
    if kind == "keras":
        path, name = tf_models.keras_file(tmp_path / "m.keras"), "serving_default"
    else:
        path, name = tf_models.tf2_export(tmp_path / "m"), "score"
    plain, compiled = load_model(path, name), load_model(path, name, jit_compile=True)
    assert compiled.equal_batches
    for rows in (1, 5):
        inputs = {spec.name: np.ones((rows, 2), np.float32) for spec in plain.signature.inputs}
        expected = plain.run(inputs)
        for output, value in compiled.run(inputs).items():
            np.testing.assert_allclose(value, expected[output], rtol=1e-6)


def test_jit_compile_of_strings_is_refused(tmp_path: Path) -> None:
    path = tf_models.string_export(tmp_path / "m")
    with pytest.raises(InvalidArgumentError, match="has strings, which XLA has not"):
        load_model(path, jit_compile=True)


class Unique(tf.Module):
    """As many outputs as there are different values: nothing for XLA."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def unique(self, x: Any) -> dict[str, Any]:
        numbers = tf.numpy_function(lambda value: value, [x], tf.float32)
        return {"y": tf.reshape(numbers, [-1])}


def test_jit_compile_of_what_xla_cannot_do_is_refused(tmp_path: Path) -> None:
    module = Unique()
    tf.saved_model.save(module, tmp_path / "m", signatures={"serving_default": module.unique})
    with pytest.raises(InvalidArgumentError, match="cannot be compiled"):
        load_model(tmp_path / "m", jit_compile=True)


def test_mixed_precision_of_a_keras_file(tmp_path: Path) -> None:
    path = tf_models.keras_file(tmp_path / "m.keras", "list")
    inputs = {"a": ROWS + 1 / 3, "b": ROWS}
    exact, mixed = load_model(path), load_model(path, mixed_precision=True)
    expected, lowered = exact.run(inputs), mixed.run(inputs)
    for name, value in expected.items():
        assert lowered[name].dtype == np.float32
        np.testing.assert_allclose(lowered[name], value, rtol=2e-2, atol=1e-2)
    # It did compute with fewer bits: bfloat16 has 8 of them, and a third needs more.
    assert not np.array_equal(lowered["output_0"], expected["output_0"])


def test_mixed_precision_of_a_saved_model_is_refused(tmp_path: Path) -> None:
    path = tf_models.tf2_export(tmp_path / "m")
    with pytest.raises(InvalidArgumentError, match=r"give the model's \.keras file"):
        load_model(path, "score", mixed_precision=True)


class Half(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.bfloat16, "x")])
    def twice(self, x: Any) -> dict[str, Any]:
        return {"y": x * 2}


def test_bfloat16_goes_in_and_out_as_float32(tmp_path: Path) -> None:
    module = Half()
    tf.saved_model.save(module, tmp_path / "m", signatures={"serving_default": module.twice})
    model = load_model(tmp_path / "m")
    assert [spec.dtype for spec in (*model.signature.inputs, *model.signature.outputs)] == [
        F32,
        F32,
    ]
    outputs = model.run({"x": np.array([1.5, -2], np.float32)})
    assert outputs["y"].dtype == np.float32
    assert outputs["y"].tolist() == [3.0, -4.0]


@pytest.mark.parametrize("kind", ["tf1", "strings"])
def test_many_threads_at_a_time(tmp_path: Path, tf1_path: Path, kind: str) -> None:
    model = load_model(tf1_path if kind == "tf1" else tf_models.string_export(tmp_path / "m"))
    wrong: list[object] = []

    def call(number: int) -> None:
        words = strings(*[b"w%d" % number] * 10)
        given = {"words": words, "text": words, "x": np.ones((10, 2), np.float32)}
        for _ in range(50):
            names = [spec.name for spec in model.signature.inputs]
            outputs = model.run({name: given[name] for name in names})
            if outputs["upper"].tolist() != [b"W%d" % number] * 10:
                wrong.append(outputs)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_nothing_imports_tensorflow_before_a_model_is_loaded() -> None:
    modules = ["saved_models", "model_files", "replicas", "engine", "handlers"]
    code = "; ".join(f"import sagemaker_tensorflow.transform.{name}" for name in modules)
    code += "; import sys; assert 'tensorflow' not in sys.modules and 'boto3' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_model_that_others_made() -> None:
    """Basic Pitch, by Spotify: made by Keras 2, with its optimizer, in TensorFlow 2.x of 2022."""
    package = importlib.util.find_spec("basic_pitch")
    if package is None or package.origin is None:
        pytest.skip("basic-pitch is not installed: pip install --no-deps basic-pitch")
    folder = Path(package.origin).parent / "saved_models" / "icassp_2022" / "nmp"
    model = load_model(find_model(folder))
    _outputs_are_finite(model)


def _outputs_are_finite(model: Model) -> None:
    inputs = {
        spec.name: np.zeros([size or 2 for size in spec.shape or ()], spec.array_dtype)
        for spec in model.signature.inputs
    }
    outputs = model.run(inputs)
    assert set(outputs) == {spec.name for spec in model.signature.outputs}
    for value in outputs.values():
        assert len(value) == 2
        assert np.isfinite(value).all()
