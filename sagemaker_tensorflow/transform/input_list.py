"""Millions of input objects in little memory."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import overload

from sagemaker_tensorflow.listing import ListedObject
from sagemaker_tensorflow.transform.records import InputObject


class InputList(Sequence[InputObject]):
    """Input objects, made when they are asked for.

    An object takes its name and its ETag in bytes and 24 bytes more: 1,000,000 keys of 60
    characters from S3 take 120 MB, and would take 600 as `InputObject`. Append-only; once complete
    it may be read by any thread.

    Args:
        uri_of: Makes an object's URI of its name.
        relative_of: Makes `InputObject.relative` of an object's name and its index.
    """

    def __init__(
        self, uri_of: Callable[[str], str], relative_of: Callable[[str, int], str]
    ) -> None:
        self._uri_of = uri_of
        self._relative_of = relative_of
        self._text = bytearray()
        self._name_ends = array("Q")
        self._text_ends = array("Q")
        self._sizes = array("Q")

    def append(self, name: str, size: int, etag: str) -> None:
        """Adds an object behind the others."""
        self._text += _encode(name)
        self._name_ends.append(len(self._text))
        self._text += _encode(etag)
        self._text_ends.append(len(self._text))
        self._sizes.append(size)

    def listed(self) -> Iterator[ListedObject]:
        """Names, sizes and ETags, in less time than the objects take."""
        begin = 0
        for name_end, end, size in zip(self._name_ends, self._text_ends, self._sizes, strict=True):
            yield _decode(self._text[begin:name_end]), size, _decode(self._text[name_end:end])
            begin = end

    @property
    def bytes(self) -> int:
        """Their sizes together."""
        return sum(self._sizes)

    def __len__(self) -> int:
        return len(self._sizes)

    def __iter__(self) -> Iterator[InputObject]:
        """All objects, in less time than one by one."""
        uri_of, relative_of = self._uri_of, self._relative_of
        for index, (name, size, etag) in enumerate(self.listed()):
            yield InputObject(index, uri_of(name), name, relative_of(name, index), size, etag)

    @overload
    def __getitem__(self, index: int) -> InputObject: ...
    @overload
    def __getitem__(self, index: slice) -> list[InputObject]: ...
    def __getitem__(self, index: int | slice) -> InputObject | list[InputObject]:
        if isinstance(index, slice):
            return [self._make(i) for i in range(*index.indices(len(self)))]
        return self._make(range(len(self))[index])

    def _make(self, index: int) -> InputObject:
        begin = self._text_ends[index - 1] if index > 0 else 0
        name_end = self._name_ends[index]
        name = _decode(self._text[begin:name_end])
        return InputObject(
            index=index,
            uri=self._uri_of(name),
            name=name,
            relative=self._relative_of(name, index),
            size=self._sizes[index],
            etag=_decode(self._text[name_end : self._text_ends[index]]),
        )


# Paths need not be UTF-8; Python carries those bytes as lone surrogates.
def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decode(data: bytearray) -> str:
    return data.decode("utf-8", "surrogateescape")
