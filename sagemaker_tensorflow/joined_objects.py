"""The objects of several inputs as one list, over the sources that they come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sagemaker_tensorflow import _prefetch

if TYPE_CHECKING:
    from sagemaker_tensorflow._prefetch import Source
    from sagemaker_tensorflow.channel_objects import ChannelObjects


class JoinedObjects:
    """Objects of each input in its order, the inputs in theirs.

    All are looked for before the first is listed, so that a bucket that is not there is an error at
    the start and not in the middle of an epoch.

    Args:
        parts: Those of the inputs. Each source of theirs is asked over connections of its own.
    """

    def __init__(self, parts: Sequence[ChannelObjects]) -> None:
        self._parts = parts
        sources: list[Source] = []
        self._indices: list[int] = []
        for part in parts:
            same = (i for i, source in enumerate(sources) if source is part.source)
            index = next(same, len(sources))
            if index == len(sources):
                sources.append(part.source)
            self._indices.append(index)
        self.source: Source = _prefetch.MultiSource(sources)

    def fill(self, objects: _prefetch.ObjectList, source_index: int = 0) -> Iterator[int]:
        """Lists one after the other."""
        del source_index  # a list of its own has indices of its own
        for part, index in zip(self._parts, self._indices, strict=True):
            yield from part.fill(objects, index)

    def stop(self) -> None:
        """Ends all of them."""
        for part in self._parts:
            part.stop()
