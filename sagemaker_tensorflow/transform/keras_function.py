"""A ``.keras`` file as a function of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.signatures import Signature
from sagemaker_tensorflow.transform.tensor_specs import (
    on_device,
    one_line,
    spec_of,
    to_array,
    to_tensor,
)
from sagemaker_tensorflow.transform.xla_checks import refuse_strings, try_compiled

_ONLY_SIGNATURE = "serving_default"


def load_keras(
    path: Path, signature: str, jit_compile: bool, mixed_precision: bool, device: str
) -> KerasFunction:
    """Loads a ``.keras`` file; see `saved_models.load_model`.

    Python code inside the file (Lambda layers) is not run, and classes that Keras does not have
    cannot be made: such models have to be exported first.

    Raises:
        InvalidArgumentError: Another signature was asked for, Keras cannot load the file, or XLA
            cannot compile the model.
    """
    if signature != _ONLY_SIGNATURE:
        raise InvalidArgumentError(
            f"model {path} has no signature {signature!r}; a .keras file has {_ONLY_SIGNATURE!r}"
        )
    try:
        with on_device(device):
            model = tf.keras.models.load_model(str(path), compile=False)
    except Exception as error:  # Keras raises nearly anything
        raise InvalidArgumentError(
            f"model {path} cannot be loaded: {one_line(error)}; if it needs Python code, "
            "export it with model.export(folder) and give that folder"
        ) from error
    if mixed_precision:
        _lower_precision(model, device)
    function = KerasFunction(model, path, jit_compile, device)
    if jit_compile:
        refuse_strings(function.signature, f"model {path}")
        try_compiled(function, function.signature, f"model {path}")
    return function


class KerasFunction:
    """A Keras model with named inputs and outputs. Thread-safe.

    The names are those that ``model.export`` gives: inputs are called as the model calls them;
    outputs by their keys, or ``output_0``, ``output_1`` and so on.
    """

    takes_packed = False

    def __init__(self, model: Any, path: Path, jit_compile: bool, device: str) -> None:
        self._device = device
        named = _named_inputs(model, path)
        specs = {
            name: tf.TensorSpec(tensor.shape, tensor.dtype, name) for name, tensor in named.items()
        }
        self._dtypes = {name: spec.dtype for name, spec in specs.items()}
        takes = _structure(model)

        def call(tensors: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            return _named_outputs(model(_packed(takes, tensors), training=False))

        function = tf.function(call, input_signature=[specs], jit_compile=jit_compile or None)
        with on_device(device):
            concrete = function.get_concrete_function()
        self._function = function
        self.signature = Signature(
            _ONLY_SIGNATURE,
            tuple(spec_of(name, spec.dtype, spec.shape) for name, spec in specs.items()),
            tuple(
                spec_of(name, tensor.dtype, tensor.shape)
                for name, tensor in concrete.structured_outputs.items()
            ),
        )

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Runs it once."""
        with on_device(self._device):
            tensors = {name: to_tensor(inputs[name], dtype) for name, dtype in self._dtypes.items()}
            outputs = self._function(tensors)
        return {name: to_array(value) for name, value in outputs.items()}


def _structure(model: Any) -> Any:
    """How the model wants its inputs: a dict, a list, or one tensor."""
    if len(model.inputs) == 1 and not isinstance(getattr(model, "input", None), dict | list):
        return None
    return getattr(model, "input", None)


def _named_inputs(model: Any, path: Path) -> dict[str, Any]:
    try:
        inputs = model.inputs
    except AttributeError:
        inputs = None
    if not inputs:
        raise InvalidArgumentError(
            f"model {path} does not know its inputs: it was saved before it was built, or is a "
            "subclass of keras.Model; export it with model.export(folder)"
        )
    takes = _structure(model)
    pairs = takes.items() if isinstance(takes, dict) else ((each.name, each) for each in inputs)
    named = dict(pairs)
    if len(named) != len(inputs) or not all(hasattr(value, "shape") for value in named.values()):
        raise InvalidArgumentError(
            f"model {path} takes a nested structure; export it with model.export(folder)"
        )
    return named


def _packed(takes: Any, tensors: Mapping[str, tf.Tensor]) -> Any:
    if isinstance(takes, dict):
        return dict(tensors)
    if takes is None:
        return next(iter(tensors.values()))
    return [tensors[tensor.name] for tensor in takes]


def _named_outputs(outputs: Any) -> dict[str, tf.Tensor]:
    if isinstance(outputs, dict):
        named = outputs
    else:
        several = outputs if isinstance(outputs, list | tuple) else [outputs]
        named = {f"output_{number}": value for number, value in enumerate(several)}
    return {
        name: tf.cast(value, tf.float32) if value.dtype in (tf.bfloat16, tf.float16) else value
        for name, value in named.items()
    }


def _lower_precision(model: Any, device: str) -> None:
    """Has every layer but the last ones compute in 16 bits.

    The last ones stay in float32, as Keras advises: a softmax of 16 bits loses what matters.
    """
    gpu = "GPU" in device.upper() if device else bool(tf.config.list_logical_devices("GPU"))
    # CPUs have instructions for bfloat16 and none for float16.
    policy = tf.keras.DTypePolicy("mixed_float16" if gpu else "mixed_bfloat16")
    last = set(getattr(model, "output_names", ())) or {model.layers[-1].name}
    for layer in model.layers:
        if layer.name not in last:
            _set_policy(layer, policy)


def _set_policy(layer: Any, policy: Any) -> None:
    for inner in getattr(layer, "layers", ()):
        _set_policy(inner, policy)
    if not isinstance(layer, tf.keras.layers.InputLayer):
        layer.dtype_policy = policy
