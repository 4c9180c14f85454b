"""A SavedModel's signature as a function of arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from sagemaker_tensorflow.errors import DataLossError, InvalidArgumentError
from sagemaker_tensorflow.transform.custom_ops import known_ops
from sagemaker_tensorflow.transform.signature_defs import SignatureDefs, read_signature_defs
from sagemaker_tensorflow.transform.tensor_specs import (
    on_device,
    one_line,
    packs_strings,
    to_array,
    to_tensor,
)
from sagemaker_tensorflow.transform.xla_checks import refuse_strings, try_compiled

Arrays = dict[str, NDArray[Any]]


def load_saved_model(
    path: Path, name: str, jit_compile: bool, device: str
) -> EagerFunction | SessionFunction:
    """Loads one signature of a SavedModel; see `saved_models.load_model`.

    ``tf.saved_model.load`` rebuilds the Python objects that were exported, and there are models of
    Keras 2 whose objects today's TensorFlow cannot make: those saved with their optimizer fail
    with "no attribute 'add_slot'" (https://github.com/spotify/basic-pitch/pull/204 met it). Their
    graphs are as good as ever, so they are run in a session, which is how TensorFlow Serving runs
    all models.

    Raises:
        InvalidArgumentError: No such signature, or it cannot be compiled.
        DataLossError: The files are broken, or need ops that are not here.
    """
    defs = read_signature_defs(path)
    defs.choose(name)
    with known_ops(defs.ops, path):
        return _load(defs, name, jit_compile, device)


def _load(
    defs: SignatureDefs, name: str, jit_compile: bool, device: str
) -> EagerFunction | SessionFunction:
    path = defs.path
    try:
        with on_device(device):
            model = tf.saved_model.load(str(path), tags=defs.tags and list(defs.tags))
    except (OSError, tf.errors.OpError) as error:
        raise DataLossError(f"model {path} cannot be loaded: {one_line(error)}") from error
    except Exception as error:  # whatever rebuilding objects may raise
        if jit_compile:
            raise InvalidArgumentError(
                f"jit_compile: model {path} cannot be compiled because its objects cannot be "
                f"rebuilt, only its graph run: {one_line(error)}"
            ) from error
        return _load_session(defs, name, device, error)
    function = EagerFunction(model, defs, name, device)
    if jit_compile:
        function.compile(path)
    return function


class EagerFunction:
    """A signature as ``tf.saved_model.load`` gives it, of TF 1 and of TF 2. Thread-safe."""

    def __init__(self, model: Any, defs: SignatureDefs, name: str, device: str) -> None:
        # Variables live as long as the model that owns them.
        self._model = model
        self._device = device
        self.signature = defs.signature(name)
        self._function: Callable[..., Mapping[str, tf.Tensor]] = model.signatures[name]
        specs = model.signatures[name].structured_input_signature[1]
        self._arguments = _arguments([spec.name for spec in self.signature.inputs], specs)

    @property
    def takes_packed(self) -> bool:
        """See `Model`."""
        return packs_strings()

    def compile(self, path: Path) -> None:
        """Has XLA compile the function, and tries it where the inputs' sizes are known.

        Raises:
            InvalidArgumentError: It cannot be compiled.
        """
        what = f"signature {self.signature.name!r} of {path}"
        refuse_strings(self.signature, what)
        plain = self._function
        self._function = tf.function(
            lambda **tensors: plain(**tensors),
            jit_compile=True,
            autograph=False,
            reduce_retracing=True,
        )
        try_compiled(self, self.signature, what)

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """Runs it once."""
        with on_device(self._device):
            tensors = {
                argument: to_tensor(inputs[name], dtype)
                for name, argument, dtype in self._arguments
            }
            outputs = self._function(**tensors)
        return {name: to_array(value) for name, value in outputs.items()}


def _arguments(names: list[str], specs: Mapping[str, Any]) -> list[tuple[str, str, tf.DType]]:
    """Name, argument and dtype of each input.

    A function's arguments are called as its inputs, but with what is allowed in Python: "x-1" and
    "1st" become "x_1" and "arg_1st".
    """
    arguments = []
    for name in names:
        plain = "".join(letter if letter.isalnum() else "_" for letter in name)
        argument = next((each for each in (name, plain, f"arg_{plain}") if each in specs), None)
        if argument is None:
            raise InvalidArgumentError(
                f"input {name!r} is none of the function's arguments, {', '.join(specs)}"
            )
        arguments.append((name, argument, specs[argument].dtype))
    return arguments


class SessionFunction:
    """A signature that is run in a session of its own. Thread-safe."""

    takes_packed = False

    def __init__(self, defs: SignatureDefs, name: str, device: str) -> None:
        self.signature = defs.signature(name)
        chosen = defs.choose(name)
        graph = tf.Graph()
        # Without soft placement an op that a GPU has not would end the job.
        config = tf.compat.v1.ConfigProto(allow_soft_placement=True)
        config.gpu_options.allow_growth = True
        self._session = tf.compat.v1.Session(graph=graph, config=config)
        with graph.as_default(), on_device(device):
            tags = list(defs.tags) if defs.tags else ["serve"]
            tf.compat.v1.saved_model.load(self._session, tags, str(defs.path))
        self._run = self._session.make_callable(
            [chosen.outputs[spec.name].name for spec in self.signature.outputs],
            feed_list=[chosen.inputs[spec.name].name for spec in self.signature.inputs],
        )

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """Runs it once."""
        values = self._run(*(inputs[spec.name] for spec in self.signature.inputs))
        return {
            spec.name: to_array(value)
            for spec, value in zip(self.signature.outputs, values, strict=True)
        }


def _load_session(defs: SignatureDefs, name: str, device: str, first: Exception) -> SessionFunction:
    try:
        return SessionFunction(defs, name, device)
    except Exception as error:
        raise DataLossError(
            f"model {defs.path} cannot be loaded: {one_line(first)}; nor as a graph: "
            f"{one_line(error)}"
        ) from error
