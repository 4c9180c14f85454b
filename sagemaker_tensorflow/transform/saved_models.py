"""A model that runs here: a SavedModel of any age, or a ``.keras`` file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec

if TYPE_CHECKING:
    from sagemaker_tensorflow.transform.signature_defs import SignatureDefs


class ModelFunction(Protocol):
    """What computes: arrays by input name to arrays by output name. Thread-safe."""

    signature: Signature

    @property
    def takes_packed(self) -> bool:
        """See `Model`."""

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Computes one batch."""


class Model:
    """One signature of a model, on one device. Thread-safe.

    Attributes:
        signature: What `run` takes and gives.
        fixed_batch: How many rows every call must have; None for any number.
        device: Where it runs, such as ``/device:GPU:0``; "" for TensorFlow's choice.
        equal_batches: The model is compiled for each batch size that it meets, so whoever calls
            should pad to few sizes. `Engine` does.
    """

    def __init__(self, function: ModelFunction, device: str = "", equal_batches: bool = False):
        self._function = function
        self.signature = function.signature
        self.fixed_batch = _fixed_batch(function.signature.inputs)
        self.device = device
        self.equal_batches = equal_batches

    @property
    def takes_packed(self) -> bool:
        """`run` takes `PackedStrings` where it takes arrays of objects.

        To know it the op library is loaded: ask only where there are strings to be packed.
        """
        return self._function.takes_packed

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Runs the model once.

        Args:
            inputs: An array for each of the signature's inputs, the batch dimension first; arrays
                of objects for strings, with ``bytes`` in them. Others are refused, not converted,
                if their dtype is not the signature's.

        Returns:
            An array for each of the signature's outputs. bfloat16, which NumPy has not, comes as
            float32.

        Raises:
            InvalidArgumentError: An input is missing, unknown or of another dtype.
            tf.errors.OpError: What the model raised.
        """
        self._check(inputs)
        return self._function(inputs)

    def _check(self, inputs: Mapping[str, NDArray[Any]]) -> None:
        for spec in self.signature.inputs:
            array = inputs.get(spec.name)
            if array is None:
                raise InvalidArgumentError(
                    f"input {spec.name!r} is missing; signature {self.signature.name!r} takes "
                    f"{_named(self.signature.inputs)}, given were {', '.join(inputs) or 'none'}"
                )
            if array.dtype != spec.array_dtype:
                raise InvalidArgumentError(
                    f"input {spec.name!r} has dtype {array.dtype}, the signature's is {spec.dtype}"
                )
        if len(inputs) > len(self.signature.inputs):
            unknown = set(inputs) - {spec.name for spec in self.signature.inputs}
            raise InvalidArgumentError(
                f"no input is called {', '.join(sorted(unknown))}; signature "
                f"{self.signature.name!r} takes {_named(self.signature.inputs)}"
            )


def load_model(
    path: Path,
    signature: str = "serving_default",
    *,
    jit_compile: bool = False,
    mixed_precision: bool = False,
    device: str = "",
) -> Model:
    """Loads a model, its variables on `device`.

    Args:
        path: A SavedModel's folder, written by any TensorFlow since 1.0, or a ``.keras`` file.
        signature: The name of the signature to run. A ``.keras`` file has only
            ``serving_default``, made of the model's inputs and outputs.
        jit_compile: Compile with XLA; once for every batch size.
        mixed_precision: Compute in float16 on a GPU and in bfloat16 elsewhere, with variables and
            the model's last layers in float32. Only layers know how, so only ``.keras`` files can.
        device: A name that TensorFlow knows, such as ``/device:GPU:1``; "" for its choice.

    Raises:
        InvalidArgumentError: There is no such signature, or the model cannot do what was asked.
        DataLossError: The model's files are broken or make no model here.
    """
    if path.suffix == ".keras":
        from sagemaker_tensorflow.transform.keras_function import load_keras

        function: ModelFunction = load_keras(path, signature, jit_compile, mixed_precision, device)
    else:
        if mixed_precision:
            raise InvalidArgumentError(
                f"mixed_precision: {path} is a SavedModel, a graph whose dtypes were fixed when it "
                "was exported; give the model's .keras file, or export it in mixed precision"
            )
        from sagemaker_tensorflow.transform.saved_model_function import load_saved_model

        function = load_saved_model(path, signature, jit_compile, device)
    return Model(function, device, equal_batches=jit_compile)


def describe_signatures(path: Path) -> str:
    """What every signature of a model takes and gives, for people.

    Args:
        path: As for `load_model`. Only a ``.keras`` file has to be loaded for it.

    Raises:
        PipeModeDatasetException: As `load_model` does.
    """
    if path.suffix == ".keras":
        return load_model(path).signature.describe()
    from sagemaker_tensorflow.transform.signature_defs import read_signature_defs

    defs = read_signature_defs(path)
    if not defs.by_name:
        defs.choose("serving_default")  # raises, and says how to export one
    return "\n\n".join(_described(defs, name) for name in sorted(defs.by_name))


def _described(defs: SignatureDefs, name: str) -> str:
    try:
        return defs.signature(name).describe()
    except InvalidArgumentError as error:
        return f"signature {name}\n  cannot be used: {error}"


def _named(specs: tuple[TensorSpec, ...]) -> str:
    return ", ".join(spec.name for spec in specs)


def _fixed_batch(specs: tuple[TensorSpec, ...]) -> int | None:
    sizes = {spec.shape[0] for spec in specs if spec.shape}
    return sizes.pop() if len(sizes) == 1 else None
