"""Copies of a real model on several devices, alone and under an engine."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.batches import InstancesFailedError
from sagemaker_tensorflow.transform.engine import Engine
from sagemaker_tensorflow.transform.handlers import Handlers
from sagemaker_tensorflow.transform.records import Decoded
from sagemaker_tensorflow.transform.replicas import Replicas, usable_cpus
from tests.transform import tf_models

# Devices have to be configured before TensorFlow runs anything, so it is done in a new process.
_SEVERAL_DEVICES = """
import sys
from pathlib import Path
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
parts = [tf.config.LogicalDeviceConfiguration() for _ in range(3)]
tf.config.set_logical_device_configuration(cpu, parts)

from sagemaker_tensorflow.transform.engine import Engine
from sagemaker_tensorflow.transform.records import Decoded
from sagemaker_tensorflow.transform.replicas import Replicas

names = [device.name for device in tf.config.list_logical_devices("CPU")]
assert len(names) == 3, names
replicas = Replicas.load(Path(sys.argv[1]), "score", devices=names)
assert replicas.devices == tuple(names)

placed, ran = [], set()
for model, name in zip(replicas._models, names):
    function = model._function
    for variable in function._function.variables:
        assert tf.DeviceSpec.from_string(variable.device).device_index == names.index(name)
        placed.append(name)
    plain = function._function
    def traced(_plain=plain, _name=name, **tensors):
        outputs = _plain(**tensors)
        for value in outputs.values():
            index = tf.DeviceSpec.from_string(value.device).device_index
            assert index == names.index(_name), (value.device, _name)
        ran.add(_name)
        return outputs
    function._function = traced
assert set(placed) == set(names), placed

(spec,) = replicas.signature.inputs
rows = np.arange(2 * 4000, dtype=np.float32).reshape(-1, 2)
source = ((n, Decoded({spec.name: rows[n : n + 10]}, [1] * 10)) for n in range(0, 4000, 10))
with Engine(replicas, batch_size=16) as engine:
    results = list(engine.run(source))
assert [tag for tag, _ in results] == list(range(0, 4000, 10))
scores = np.concatenate([outputs["scores/all"] for _, outputs in results])
np.testing.assert_allclose(scores[:, 0], rows[:, 0] + 10 * rows[:, 1])
assert engine.stats.instances == 4000 and engine.stats.batches == 250
assert ran == set(names), ran
print("all", len(ran), "replicas ran")
"""


def test_a_replica_on_each_of_several_devices(tmp_path: Path) -> None:
    path = tf_models.tf2_export(tmp_path / "m")
    done = subprocess.run(
        [sys.executable, "-c", _SEVERAL_DEVICES, str(path)],
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "all 3 replicas ran"


def one_each(path: Path, signature: str = "serving_default") -> Replicas:
    return Replicas.load(path, signature, devices=[""])


def texts(name: str, payloads: Sequence[Sequence[bytes]]) -> Iterator[tuple[int, Decoded]]:
    for tag, values in enumerate(payloads):
        yield tag, Decoded({name: np.array(values, object)}, [1] * len(values))


def test_a_broken_example_fails_alone(tmp_path: Path) -> None:
    replicas = one_each(tf_models.example_export(tmp_path / "m"))
    payloads = [[tf_models.example([n, i]) for i in range(10)] for n in range(10)]
    payloads[3][7] = b"not an Example"
    payloads[8][0] = tf_models.example([1.0])  # one value where there must be two
    with Engine(replicas, batch_size=64) as engine:
        results = dict(engine.run(texts("examples", payloads)))
    for tag, bad in [(3, 7), (8, 0)]:
        result = results.pop(tag)
        assert isinstance(result, InstancesFailedError)
        assert list(result.failures) == [bad]
        assert result.outputs["sum"].tolist() == [tag + i for i in range(10) if i != bad]
    for tag, result in results.items():
        assert not isinstance(result, Exception)
        assert result["sum"].tolist() == [tag + i for i in range(10)]


def test_a_broken_image_does_not_fail_its_neighbours(tmp_path: Path) -> None:
    replicas = one_each(tf_models.image_export(tmp_path / "m"))
    payloads = [[tf_models.png(red)] for red in range(20)]
    payloads[11] = [payloads[11][0][:20]]
    with Engine(replicas, batch_size=8) as engine:
        results = dict(engine.run(texts("image_bytes", payloads)))
    assert isinstance(results.pop(11), Exception)
    for red, result in results.items():
        assert not isinstance(result, Exception)
        np.testing.assert_allclose(result["colour"], [[red] * 3])
    assert engine.stats.failed_instances == 1


def test_a_fixed_batch(tmp_path: Path) -> None:
    replicas = one_each(tf_models.tf2_export(tmp_path / "m", batch=8), "score")
    (spec,) = replicas.signature.inputs
    rows = np.arange(60, dtype=np.float32).reshape(-1, 2)
    with Engine(replicas) as engine:
        source = ((n, Decoded({spec.name: rows[n : n + 10]}, [10])) for n in (0, 10, 20))
        results = [outputs for _, outputs in engine.run(source)]
    scores = np.concatenate([outputs["scores/all"][:, 0] for outputs in results])
    assert scores.tolist() == (rows[:, 0] + 10 * rows[:, 1]).tolist()
    assert engine.stats.batch_sizes == {8: 4}


def test_a_compiled_model_under_an_engine(tmp_path: Path) -> None:
    path = tf_models.tf2_export(tmp_path / "m")
    replicas = Replicas.load(path, "score", jit_compile=True, devices=[""])
    (spec,) = replicas.signature.inputs
    rows = np.ones((20, 2), np.float32)
    with Engine(replicas, batch_size=16) as engine:
        ((_, outputs),) = engine.run([(0, Decoded({spec.name: rows}, [20]))])
    assert not isinstance(outputs, Exception)
    assert outputs["scores/all"].tolist() == [[11.0]] * 20
    assert engine.stats.batch_sizes == {16: 2}


def test_the_batch_size_grows_for_a_small_model(tmp_path: Path) -> None:
    replicas = one_each(tf_models.tf2_export(tmp_path / "m"), "score")
    (spec,) = replicas.signature.inputs
    rows = np.ones((1000, 2), np.float32)

    def source() -> Iterator[tuple[int, Decoded]]:
        tag = 0
        while not engine.sizer.settled and tag < 100_000:
            yield tag, Decoded({spec.name: rows}, [1000])
            tag += 1

    with Engine(replicas) as engine:
        for _, outputs in engine.run(source()):
            assert not isinstance(outputs, Exception)
            assert len(outputs["rank"]) == 1000
    # A call costs some 100 us whatever is in it, two floats cost nothing.
    assert engine.sizer.size > 32


def test_inference_py_around_a_real_model(tmp_path: Path) -> None:
    replicas = one_each(tf_models.string_export(tmp_path / "m"))
    script = tmp_path / "code" / "inference.py"
    script.parent.mkdir()
    script.write_text(
        textwrap.dedent(
            """
            import base64
            import json

            def input_handler(data, context):
                value = base64.b64encode(data.read()).decode()
                return json.dumps({"instances": [{"b64": value}]})

            def output_handler(response, context):
                (prediction,) = response.json()["predictions"]
                return json.dumps(prediction), context.accept_header
            """
        )
    )
    with Handlers(script, replicas) as handlers:
        assert handlers.transform(b"abc").body == b'{"size": 3, "upper": "ABC"}'


def test_no_replica_at_all() -> None:
    with pytest.raises(InvalidArgumentError, match="at least one"):
        Replicas([])


@pytest.mark.parametrize(
    ("quota", "most"), [("150000 100000\n", 2), ("50000 100000\n", 1), ("max 100000\n", 4096)]
)
def test_a_containers_share_of_the_cpus(tmp_path: Path, quota: str, most: int) -> None:
    file = tmp_path / "cpu.max"
    every = usable_cpus(tmp_path / "none")
    file.write_text(quota)
    assert usable_cpus(file) == min(every, most)
