"""Which columns of a CSV row go to which input, and what their texts mean."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.decoders.tensors import batch_of, cast, no_instances, shown
from sagemaker_tensorflow.transform.signatures import TensorSpec, shape_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sagemaker_tensorflow.transform.signatures import Signature

    Row = Sequence[str]

_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


class CsvColumns:
    """Makes tensors of rows of texts.

    One input takes all columns: as many as an instance has values, in the order of rows (C order)
    where it has more dimensions than one; any number where its one dimension is open. Several
    inputs take a column each, in the signature's order, and must be of one value per instance.

    Numbers are written as Python reads them, ``nan`` and ``inf`` included; booleans as ``true``,
    ``false``, ``1`` or ``0``; strings are taken as they are, in UTF-8.

    Raises:
        InvalidArgumentError: An input has a shape that columns cannot fill.
    """

    def __init__(self, signature: Signature) -> None:
        self.specs = signature.inputs
        if len(self.specs) == 1:
            self._groups = [_ColumnGroup(self.specs[0], 0, _columns_of(self.specs[0]))]
        else:
            self._groups = [
                _ColumnGroup(spec, column, _one_column(spec))
                for column, spec in enumerate(self.specs)
            ]
        counts = [group.columns for group in self._groups]
        self._columns = None if None in counts else sum(count or 0 for count in counts)

    def batch(self, rows: Sequence[Row]) -> list[NDArray[Any]]:
        """An array for each input, with an entry for each row.

        Raises:
            BadRecordError: A row has too few or too many columns, or a text is not what its column
                takes; names the row, of `rows`, and the column, both counted from 0.
        """
        for number, row in enumerate(rows):
            if len(row) != (len(rows[0]) if self._columns is None else self._columns):
                raise BadRecordError(self._count_reason(number, row, rows))
        return [group.batch(rows) for group in self._groups]

    def _count_reason(self, number: int, row: Row, rows: Sequence[Row]) -> str:
        if self._columns is None:
            return f"row {number} has {len(row)} columns, and row 0 has {len(rows[0])}"
        names = ", ".join(repr(spec.name) for spec in self.specs)
        return f"row {number} has {len(row)} columns; {self._columns} are needed for {names}"


@dataclass(frozen=True)
class _ColumnGroup:
    """Columns of one input, from `first`; None of them are as many as there are."""

    spec: TensorSpec
    first: int
    columns: int | None

    def batch(self, rows: Sequence[Row]) -> NDArray[Any]:
        if not rows:
            return no_instances(self.spec)
        columns = len(rows[0]) if self.columns is None else self.columns
        end = self.first + columns
        cells = [row[self.first : end] for row in rows]
        flat = TensorSpec(self.spec.name, self.spec.dtype, (None, columns))
        array = self._fast(cells, flat)
        if array is None:
            values = [
                [self._value(text, row, self.first + i) for i, text in enumerate(texts)]
                for row, texts in enumerate(cells)
            ]
            array = batch_of(values, flat)
        return array.reshape(len(rows), *self._sizes(columns))

    def _fast(self, cells: Sequence[Row], flat: TensorSpec) -> NDArray[Any] | None:
        """Numbers parsed by NumPy, which reads them as Python does; None if one is bad."""
        kind = flat.array_dtype.kind
        if kind not in "fiu":
            return None
        try:
            array = np.array(cells, dtype=np.float64 if kind == "f" else np.int64)
            return cast(array, flat)
        except (ValueError, OverflowError):
            return None

    def _value(self, text: str, row: int, column: int) -> Any:
        try:
            return self._parsed(text)
        except (ValueError, KeyError):
            raise BadRecordError(
                f"row {row}, column {column}: {shown(text)} is no {self.spec.dtype} for input"
                f" {self.spec.name!r}"
            ) from None

    def _parsed(self, text: str) -> Any:
        kind = self.spec.array_dtype.kind
        if kind == "O":
            return text
        if kind == "b":
            return _BOOLEANS[text.strip().lower()]
        if kind not in "iu":
            return float(text)
        try:
            return _integer(int(text), self.spec)
        except ValueError:
            return _integer(float(text), self.spec)

    def _sizes(self, columns: int) -> Sequence[int]:
        sizes = self.spec.instance_shape
        if sizes is None:
            return (columns,)
        return tuple(columns if size is None else size for size in sizes)


def _integer(value: float, spec: TensorSpec) -> int:
    limits = np.iinfo(spec.array_dtype)
    if value != value or not limits.min <= value <= limits.max or value != int(value):
        raise ValueError
    return int(value)


def _columns_of(spec: TensorSpec) -> int | None:
    sizes = spec.instance_shape
    if sizes is None:
        return None
    if None not in sizes:
        return math.prod(size or 0 for size in sizes)
    if len(sizes) == 1:
        return None
    raise InvalidArgumentError(
        f"text/csv cannot fill input {spec}: all sizes of an instance, {shape_text(sizes)}, must be"
        " known, or it must have one dimension; use application/jsonlines"
    )


def _one_column(spec: TensorSpec) -> int:
    sizes = spec.instance_shape
    if sizes is None or all(size in (1, None) for size in sizes):
        return 1
    raise InvalidArgumentError(
        f"text/csv gives each of several inputs one column, but input {spec} takes an array;"
        " use application/jsonlines"
    )
