"""Rows of several payloads that go to the model in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sagemaker_tensorflow.errors import InvalidArgumentError, PipeModeDatasetException
from sagemaker_tensorflow.transform.packed_strings import PackedStrings, joined
from sagemaker_tensorflow.transform.records import Outputs

Arrays = Mapping[str, NDArray[Any]]
# Rows can share a batch when they agree in this: name, dtype and instance shape of every input.
Layout = tuple[tuple[str, Any, tuple[int, ...]], ...]


class InstancesFailedError(PipeModeDatasetException):
    """Some instances of a payload have no result.

    Attributes:
        failures: Why, by the instance's number in the payload, from 0.
        outputs: Of the other instances, in order. Empty when there are none.
    """

    def __init__(self, failures: Mapping[int, Exception], outputs: Outputs) -> None:
        first = min(failures)
        super().__init__(f"{len(failures)} instances failed, first {first}: {failures[first]}")
        self.failures = failures
        self.outputs = outputs


class OutputRowsError(InvalidArgumentError):
    """The model's outputs cannot be told apart by instance, whatever the instances are."""


@dataclass(slots=True)
class Part:
    """What became of some rows of a payload: outputs, or why there are none.

    Attributes:
        start: The first row, in the payload.
        stop: The one behind the last.
    """

    start: int
    stop: int
    answer: Outputs | Exception


@dataclass(slots=True)
class Slot:
    """A payload's place in the order of results.

    Attributes:
        tag: The caller's.
        rows: How many instances the payload has for the model.
        weight: What it counts for where payloads are bounded: its rows, or its records if all of
            them failed, and at least 1.
        size: In bytes, about.
        missing: Rows that have no answer yet.
        parts: What is known, in no order.
    """

    tag: Any
    rows: int
    weight: int
    size: int
    missing: int
    parts: list[Part]

    def result(self) -> Outputs | Exception:
        """Puts the parts together.

        Returns:
            The outputs; the error, when there is one for the payload as a whole; else
            `InstancesFailedError`.
        """
        if len(self.parts) == 1:
            return self.parts[0].answer
        self.parts.sort(key=lambda part: part.start)
        good = [part.answer for part in self.parts if not isinstance(part.answer, Exception)]
        outputs = concatenated(good)
        failures = {
            row: part.answer
            for part in self.parts
            if isinstance(part.answer, Exception)
            for row in range(part.start, part.stop)
        }
        return InstancesFailedError(failures, outputs) if failures else outputs


@dataclass(slots=True)
class Piece:
    """Rows [start, stop) of a payload."""

    slot: Slot
    inputs: Arrays
    start: int
    stop: int

    def part(self, answer: Outputs | Exception) -> Part:
        """The answer for these rows."""
        return Part(self.start, self.stop, answer)


@dataclass(slots=True)
class Batch:
    """Rows for one call of the model.

    Attributes:
        pieces: Where they are from, in order, all of one layout.
        rows: How many there are.
    """

    pieces: Sequence[Piece]
    rows: int

    def inputs(self, pad_to: int = 0) -> dict[str, NDArray[Any]]:
        """The rows as arrays; a view where one payload has all of them.

        Args:
            pad_to: Rows to fill up to, by repeating the last.
        """
        padding = max(0, pad_to - self.rows)
        return {name: self._rows_of(name, padding) for name in self.pieces[0].inputs}

    def _rows_of(self, name: str, padding: int) -> NDArray[Any]:
        arrays = [piece.inputs[name][piece.start : piece.stop] for piece in self.pieces]
        if padding:
            arrays.append(np.repeat(arrays[-1][-1:], padding, axis=0))
        if len(arrays) == 1:
            return arrays[0]
        packed: list[Any] = [array for array in arrays if isinstance(array, PackedStrings)]
        rows: Any = joined(packed) if len(packed) == len(arrays) else np.concatenate(arrays)
        return rows  # type: ignore[no-any-return]

    def answered(self, outputs: Arrays, sent: int) -> list[tuple[Slot, Part]]:
        """Cuts the outputs of `sent` rows, padding included, to the payloads' parts.

        Raises:
            OutputRowsError: An output does not have an entry for each row.
        """
        for name, array in outputs.items():
            if not array.ndim or len(array) != sent:
                raise OutputRowsError(
                    f"output {name!r} has shape {list(array.shape)} for {sent} instances: it has "
                    "no entry for each of them, so they cannot be told apart; export a signature "
                    "whose outputs all have the batch dimension first"
                )
        parts, position = [], 0
        for piece in self.pieces:
            end = position + piece.stop - piece.start
            cut = {name: array[position:end] for name, array in outputs.items()}
            parts.append((piece.slot, piece.part(cut)))
            position = end
        return parts

    def failed(self, error: Exception) -> list[tuple[Slot, Part]]:
        """The same for rows that have no outputs."""
        return [(piece.slot, piece.part(error)) for piece in self.pieces]

    def halves(self) -> tuple[Batch, Batch]:
        """The first and the second half of the rows, of which there must be two."""
        middle = self.rows // 2
        first: list[Piece] = []
        second: list[Piece] = []
        position = 0
        for piece in self.pieces:
            cut = min(max(piece.start + middle - position, piece.start), piece.stop)
            if cut > piece.start:
                first.append(Piece(piece.slot, piece.inputs, piece.start, cut))
            if cut < piece.stop:
                second.append(Piece(piece.slot, piece.inputs, cut, piece.stop))
            position += piece.stop - piece.start
        return Batch(first, middle), Batch(second, self.rows - middle)


def concatenated(parts: Sequence[Outputs]) -> Outputs:
    """Outputs one behind the other; of instances whose outputs differ in shape, as objects."""
    if not parts:
        return {}
    if len(parts) == 1:
        return parts[0]
    return {name: _joined([part[name] for part in parts]) for name in parts[0]}


def _joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    if len({array.shape[1:] for array in arrays}) == 1:
        return np.concatenate(arrays)
    # Such as padded texts: two batches were as long as their own longest.
    rows = np.empty(sum(map(len, arrays)), object)
    for number, row in enumerate(row for array in arrays for row in array):
        rows[number] = row
    return rows


def layout_of(inputs: Arrays) -> Layout:
    """What must be equal for rows to share a batch."""
    return tuple((name, array.dtype, array.shape[1:]) for name, array in inputs.items())


def rows_of(inputs: Arrays) -> int:
    """How many rows the arrays have.

    Raises:
        InvalidArgumentError: They differ, or there are none.
    """
    sizes = {name: len(array) if array.ndim else -1 for name, array in inputs.items()}
    if len(set(sizes.values())) != 1 or -1 in sizes.values():
        raise InvalidArgumentError(f"inputs with differing numbers of instances: {sizes}")
    return next(iter(sizes.values()))


def bytes_of(inputs: Arrays) -> int:
    """About how many bytes the arrays hold, the strings of object arrays included."""
    return sum(
        array.nbytes
        if array.dtype != object or isinstance(array, PackedStrings)
        else sum(map(len, array.ravel().tolist()))
        for array in inputs.values()
    )
