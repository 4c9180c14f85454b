"""Byte strings that lie one behind the other in memory, without an object for each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

# Bytes, uint8; and where the first string begins in them and each ends, int64.
Piece = tuple[NDArray[np.uint8], NDArray[np.int64]]


class PackedStrings(Sequence[bytes]):
    """A sequence of strings, and as a model's input what an array of ``bytes`` objects is.

    To make an object of each record, and TensorFlow's string of each object, took 13% of the CPU
    time of a job with records of 1 KiB, and nearly all of it with the GIL.

    Args:
        pieces: Of which the strings follow each other. What they refer to must not change.
    """

    dtype = np.dtype(object)
    ndim = 1

    def __init__(self, pieces: Iterable[Piece] = ()) -> None:
        self.pieces = list(pieces)
        self._count = sum(len(ends) - 1 for _, ends in self.pieces)

    @property
    def shape(self) -> tuple[int]:
        """How many there are, as an array says it."""
        return (self._count,)

    @property
    def nbytes(self) -> int:
        """Of all strings."""
        return sum(int(ends[-1] - ends[0]) for _, ends in self.pieces)

    def lengths(self) -> NDArray[np.int64]:
        """Of each string."""
        return np.concatenate([np.empty(0, np.int64), *(np.diff(ends) for _, ends in self.pieces)])

    def in_few_pieces(self, most: int) -> list[Piece]:
        """The pieces, or all of them copied into one where there are more than `most`."""
        if len(self.pieces) <= most:
            return self.pieces
        data = np.concatenate([data[ends[0] : ends[-1]] for data, ends in self.pieces])
        ends = np.zeros(self._count + 1, np.int64)
        np.cumsum(self.lengths(), out=ends[1:])
        return [(data, ends)]

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> PackedStrings: ...
    def __getitem__(self, index: int | slice) -> bytes | PackedStrings:
        """One of them, or consecutive ones, which are not copied."""
        if isinstance(index, slice):
            start, stop, step = index.indices(self._count)
            if step != 1:
                raise ValueError(f"packed strings are cut in steps of 1, not {step}")
            return PackedStrings(self._between(start, stop))
        position = range(self._count)[index]
        return next(iter(self[position : position + 1]))

    def __iter__(self) -> Iterator[bytes]:
        for data, ends in self.pieces:
            view = data.data
            for begin, end in pairwise(ends.tolist()):
                yield bytes(view[begin:end])

    def __iadd__(self, others: PackedStrings) -> PackedStrings:
        self.pieces += others.pieces
        self._count += len(others)
        return self

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """For NumPy: the strings as objects."""
        array = np.empty(self._count, object)
        array[:] = list(self)
        return array

    def _between(self, start: int, stop: int) -> Iterator[Piece]:
        for data, ends in self.pieces:
            count = len(ends) - 1
            first, last = max(start, 0), min(stop, count)
            if first < last:
                yield data, ends[first : last + 1]
            start -= count
            stop -= count


def joined(parts: Iterable[PackedStrings]) -> PackedStrings:
    """The strings of all parts, which are not copied."""
    return PackedStrings(piece for part in parts for piece in part.pieces)
