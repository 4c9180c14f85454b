"""What a model takes and gives: the signature of a SavedModel, without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a signature.

    Attributes:
        name: Its key in the signature, which is what REST clients and tf.Examples call it.
        dtype: A NumPy dtype, or ``"string"`` for byte strings of any length.
        shape: Sizes with the batch dimension first, None for one that is not fixed; None where not
            even the rank is known.
    """

    name: str
    dtype: np.dtype[Any] | Literal["string"]
    shape: Shape | None

    @property
    def is_string(self) -> bool:
        """Its values are byte strings."""
        return isinstance(self.dtype, str)

    @property
    def array_dtype(self) -> np.dtype[Any]:
        """Of a NumPy array that holds it: object, for the ``bytes`` of strings."""
        return np.dtype(object) if isinstance(self.dtype, str) else self.dtype

    @property
    def instance_shape(self) -> Shape | None:
        """Of one instance: without the batch dimension. None where the rank is not known."""
        return None if self.shape is None else self.shape[1:]

    def __str__(self) -> str:
        """Such as ``image: uint8 [?, 128, 128, 3]``."""
        sizes = "of any rank" if self.shape is None else shape_text(self.shape)
        return f"{self.name}: {self.dtype} {sizes}"


@dataclass(frozen=True)
class Signature:
    """A function of a SavedModel.

    Attributes:
        name: Such as ``serving_default``.
        inputs: In the order of their names, as TensorFlow gives them, or in the model's own.
        outputs: The same.
    """

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def input(self, name: str) -> TensorSpec | None:
        """The input of that name, if there is one."""
        return next((spec for spec in self.inputs if spec.name == name), None)

    def describe(self) -> str:
        """Lines for people: the name, then every input and output, indented."""
        return "\n".join(
            (
                f"signature {self.name}",
                *_described("inputs", self.inputs),
                *_described("outputs", self.outputs),
            )
        )


def shape_text(shape: Sequence[int | None]) -> str:
    """A shape as users read it, such as ``[?, 128, 128, 3]``."""
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"


def _described(title: str, specs: tuple[TensorSpec, ...]) -> list[str]:
    width = max((len(spec.name) for spec in specs), default=0)
    lines = [f"  {title}"]
    for spec in specs:
        sizes = "any rank" if spec.shape is None else shape_text(spec.shape)
        lines.append(f"    {spec.name:<{width}}  {spec.dtype!s:<8}  {sizes}")
    return lines
