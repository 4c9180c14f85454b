"""Tensors as columns of an Arrow table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.encoders.json_values import BYTES_SUFFIX
from sagemaker_tensorflow.transform.encoders.ragged import dense_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec

RECORD_COLUMN = "record"


def schema_of(signature: Signature) -> pa.Schema:
    """The columns that a signature's outputs make; see `ParquetEncoder`.

    Raises:
        InvalidArgumentError: An output has a type or a name that no column can have.
    """
    for spec in signature.outputs:
        if spec.shape is None or spec.array_dtype.kind == "c":
            raise InvalidArgumentError(
                f"output {spec} of signature {signature.name} makes no Parquet column, which needs "
                "real numbers or strings of a known rank; use application/jsonlines or "
                "application/x-npy"
            )
        if spec.name == RECORD_COLUMN:
            raise InvalidArgumentError(
                f"output {spec} of signature {signature.name} is called as the column that has "
                "the record's number; use application/jsonlines"
            )
    outputs = [(spec.name, _column_type(spec)) for spec in signature.outputs]
    return pa.schema([(RECORD_COLUMN, pa.int64()), *outputs])


def column(spec: TensorSpec, values: NDArray[Any]) -> pa.Array:
    """An output of some instances as a column.

    Raises:
        pyarrow.ArrowInvalid: A string is not UTF-8; see `bad_texts`.
    """
    parts = [_dense_column(spec, part) for part in dense_parts(values)]
    return parts[0] if len(parts) == 1 else pa.concat_arrays(parts)


def bad_texts(spec: TensorSpec, values: NDArray[Any]) -> dict[int, BadRecordError]:
    """The instances that have a string that is no text, in an output whose strings are texts."""
    if not pa.types.is_string(_value_type(spec)):
        return {}
    errors = {}
    for number, instance in enumerate(values):
        texts = instance.ravel().tolist() if isinstance(instance, np.ndarray) else [instance]
        for text in texts:
            try:
                text.decode()
            except UnicodeDecodeError as error:
                errors[number] = BadRecordError(
                    f"output {spec.name!r} has a string that is not UTF-8 ({error.reason} at byte "
                    f'{error.start}); call the output "{spec.name}{BYTES_SUFFIX}" in the '
                    "signature to have bytes, or use accept=application/x-tfrecord"
                )
    return errors


def _dense_column(spec: TensorSpec, values: NDArray[Any]) -> pa.Array:
    array = _flat(spec, values)
    kinds = [_column_type(spec)]
    while len(kinds) < values.ndim:
        kinds.append(kinds[-1].value_type)
    for axis in range(values.ndim - 1, 0, -1):
        kind = kinds[axis - 1]
        if pa.types.is_fixed_size_list(kind):
            array = pa.FixedSizeListArray.from_arrays(array, type=kind)
        else:
            lists = math.prod(values.shape[:axis])
            offsets = np.arange(lists + 1, dtype=np.int32) * np.int32(values.shape[axis])
            array = pa.ListArray.from_arrays(pa.array(offsets), array, type=kind)
    return array


def _flat(spec: TensorSpec, values: NDArray[Any]) -> pa.Array:
    flat = values.reshape(-1)
    if not spec.is_string:
        return pa.array(flat.astype(np.float32) if flat.dtype == np.float16 else flat)
    return pa.array(flat.tolist(), pa.binary()).cast(_value_type(spec))


def _column_type(spec: TensorSpec) -> pa.DataType:
    kind = _value_type(spec)
    for size in reversed(spec.instance_shape or ()):
        kind = pa.list_(kind, size) if size else pa.list_(kind)
    return kind


def _value_type(spec: TensorSpec) -> pa.DataType:
    if spec.is_string:
        return pa.binary() if spec.name.endswith(BYTES_SUFFIX) else pa.string()
    return pa.float32() if spec.dtype == np.float16 else pa.from_numpy_dtype(spec.dtype)
