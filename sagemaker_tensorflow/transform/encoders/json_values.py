"""What a model gives, as the JSON values that TensorFlow Serving answers.

Its REST API, https://www.tensorflow.org/tfx/serving/api_rest, sets the rules:

- A row per instance: the value itself for one output, an object by name for several.
- Strings are UTF-8 texts; those of an output whose name ends in ``_bytes`` are
  ``{"b64": "<base64>"}``. So are, here, those that are not UTF-8, of which TensorFlow Serving makes
  invalid JSON.
- Floats are written with the digits of their type, whole ones with ``.0``.
- NaN and the infinities are written ``NaN``, ``Infinity`` and ``-Infinity``. RFC 8259 has no
  number for them, but TensorFlow Serving, Python's `json` and DuckDB write them and read them so,
  as numbers; a text in their place would turn DuckDB's column into JSON, a null would not tell
  which of the three it was. DuckDB 2.0 takes them within objects and arrays only: a line that is
  nothing but ``NaN`` stops it.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.encoders.floats import with_short_text
from sagemaker_tensorflow.transform.encoders.ragged import dense_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sagemaker_tensorflow.transform.records import Outputs
    from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec

# Of outputs whose strings are bytes and no texts.
BYTES_SUFFIX = "_bytes"

_readable = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))
_escaped = json.JSONEncoder(ensure_ascii=True, check_circular=False, separators=(",", ":"))


def check_json_outputs(signature: Signature) -> None:
    """Checks that JSON has values for what the signature gives.

    Raises:
        InvalidArgumentError: An output is of complex numbers.
    """
    for spec in signature.outputs:
        if spec.array_dtype.kind == "c":
            raise InvalidArgumentError(
                f"output {spec} of signature {signature.name} has complex numbers, which JSON and "
                "CSV have no values for; use accept=application/x-npy or another signature"
            )


def dump(value: Any) -> bytes:
    """JSON in UTF-8, in one line without spaces."""
    try:
        return _readable.encode(value).encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which an input may have as an escape
        return _escaped.encode(value).encode()


def instance_values(signature: Signature, outputs: Outputs) -> list[Any]:
    """A JSON value for each instance: see the module."""
    columns = [output_values(spec, outputs[spec.name]) for spec in signature.outputs]
    if len(columns) == 1:
        return columns[0]
    names = [spec.name for spec in signature.outputs]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def output_values(spec: TensorSpec, values: NDArray[Any]) -> list[Any]:
    """A JSON value of one output for each instance: scalars, or lists as deep as its rank."""
    return [value for part in dense_parts(values) for value in _listed(spec, part)]


def _listed(spec: TensorSpec, values: NDArray[Any]) -> list[Any]:
    if spec.is_string:
        values = _texts(values, as_bytes=spec.name.endswith(BYTES_SUFFIX))
    elif values.dtype.kind in "fV":  # V: what TensorFlow adds to NumPy's types, such as bfloat16
        values = with_short_text(values)
    listed: list[Any] = values.tolist()
    return listed


def _texts(values: NDArray[Any], *, as_bytes: bool) -> NDArray[Any]:
    texts = np.empty(values.size, object)
    for position, value in enumerate(values.reshape(-1).tolist()):
        texts[position] = _base64(value) if as_bytes else _text(value)
    return texts.reshape(values.shape)


def _text(value: bytes) -> str | dict[str, str]:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return _base64(value)


def _base64(value: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(value).decode()}
