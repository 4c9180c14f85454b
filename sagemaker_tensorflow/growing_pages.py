"""Cuts long lists into pages of which the first are short, so that what is first need not wait."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import TypeVar

_T = TypeVar("_T")

# One round trip with the engine's connections for HEAD requests.
_FIRST_PAGE = 16
_PAGE_GROWTH = 4
_LAST_PAGE = 4096


def growing_pages(items: Iterable[_T]) -> Iterator[list[_T]]:
    """Cuts into pages of 16, 64, 256, 1024, and from then on 4096."""
    iterator = iter(items)
    size = _FIRST_PAGE
    while page := list(itertools.islice(iterator, size)):
        yield page
        size = min(size * _PAGE_GROWTH, _LAST_PAGE)
