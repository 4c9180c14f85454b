"""Rows of results that are nothing but numbers, as text, in one call of the C++ core.

The texts are those that `json_values` makes; only the way there is shorter: no object for each
value, and other threads run meanwhile.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_tensorflow import _core
from sagemaker_tensorflow.transform.encoders.floats import with_short_text
from sagemaker_tensorflow.transform.encoders.ragged import is_ragged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sagemaker_tensorflow.transform.records import Outputs
    from sagemaker_tensorflow.transform.signatures import Signature


class NumberRows:
    """Writes what a signature gives where all of it is numbers or booleans."""

    def __init__(self, signature: Signature) -> None:
        self._specs = signature.outputs
        self._are_numbers = not any(spec.is_string for spec in signature.outputs)

    def can_write(self, outputs: Outputs) -> bool:
        """These are numbers, and the instances of an output are of one shape."""
        return self._are_numbers and not any(is_ragged(outputs[spec.name]) for spec in self._specs)

    def json(self, outputs: Outputs, end: str) -> bytes:
        """The JSON value of each instance, `end` behind each: see `json_values`."""
        columns = [(spec.name, _array(outputs[spec.name])) for spec in self._specs]
        if len(columns) == 1:
            return _core.number_rows([("", columns[0][1])], end)
        names = [json.dumps(name, ensure_ascii=False) for name, _ in columns]
        before = ["{" if not number else "," for number in range(len(columns))]
        texts = [f"{mark}{name}:" for mark, name in zip(before, names, strict=True)]
        arrays = [array for _, array in columns]
        return _core.number_rows(list(zip(texts, arrays, strict=True)), "}" + end)

    def csv(self, outputs: Outputs) -> bytes:
        """A row of all values for each instance."""
        arrays = [_array(outputs[spec.name]) for spec in self._specs]
        flat = [array.reshape(len(array), array[:1].size) for array in arrays]
        filled = [array for array in flat if array.shape[1]] or flat[:1]
        columns = [("," if number else "", array) for number, array in enumerate(filled)]
        return _core.number_rows(columns, "\n", brackets=False)


def _array(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind in "fV" and values.dtype.itemsize == 2:
        values = with_short_text(values)
    return np.ascontiguousarray(values)
