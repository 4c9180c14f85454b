"""The JSONPaths of InputFilter and OutputFilter.

SageMaker takes a subset of JSONPath, listed under "Supported JSONPath Operators" in
https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html:
``$``, ``.name``, ``*``, ``['a','b']``, ``[1,-1]`` and ``[2:5]``. The examples of its API reference
mix indexes and slices in one bracket, ``$[0,5:]``; so may any path here.

What that page says and other JSONPaths do otherwise, or what it leaves open:

- The end of a slice is inclusive: ``$[1:4]`` is the second to the fifth element.
- Several names, ``['a','b']``, give an object of those members; after them, and after several
  elements or a wildcard, the rest of the path is applied to each, and gives an array.
- What a path names must be there: a missing member, or an index outside of the array, the ends of
  a slice included, is an error for that record.
- Names in a list cannot reach into one another, so ``['a','b.c']`` is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.bad_records import BadRecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# Of InputFilter and OutputFilter, by the API reference of DataProcessing.
MOST_CHARACTERS = 63

_Item = TypeVar("_Item")
_ENDS_NAME = frozenset(".[]()'\"*,:?@ \t\r\n")
_SUBSET = "SageMaker knows $, .name, *, ['a','b'], [1,-1] and [2:5]"


@dataclass(frozen=True)
class Names:
    """``.name``, ``['name']`` or ``['a','b']``. `position`: of its first character in the path."""

    names: tuple[str, ...]
    position: int


@dataclass(frozen=True)
class Index:
    """A number in brackets; negative ones count from the end."""

    index: int


@dataclass(frozen=True)
class Slice:
    """``[start:end]``, both inclusive; None for what is left out."""

    start: int | None
    end: int | None


@dataclass(frozen=True)
class Elements:
    """Brackets with numbers."""

    items: tuple[Index | Slice, ...]
    position: int

    @property
    def is_single(self) -> bool:
        """It gives the element itself, not an array."""
        return len(self.items) == 1 and isinstance(self.items[0], Index)


@dataclass(frozen=True)
class Wildcard:
    """``.*`` or ``[*]``."""

    position: int
    bracketed: bool


Step = Names | Elements | Wildcard


@dataclass(frozen=True)
class JsonPath:
    """A compiled path. Immutable, so any number of threads may use it.

    Attributes:
        text: As it was written.
        steps: What follows the ``$``.
    """

    text: str
    steps: tuple[Step, ...]

    @property
    def is_root(self) -> bool:
        """It is ``$``: it selects everything."""
        return not self.steps

    @property
    def fits_rows(self) -> bool:
        """It can be applied to a CSV row: an array of texts, so one pair of brackets at most."""
        return len(self.steps) <= 1 and all(
            isinstance(step, Elements) or (isinstance(step, Wildcard) and step.bracketed)
            for step in self.steps
        )

    def select(self, value: Any) -> Any:
        """Picks out of a JSON value. What is picked is shared with `value`, not copied.

        Raises:
            BadRecordError: Something that the path names is not there.
        """
        return self._select(value, self.steps)

    def _select(self, value: Any, steps: Sequence[Step]) -> Any:
        if not steps:
            return value
        step, rest = steps[0], steps[1:]
        if isinstance(step, Names):
            members = {name: self._member(value, name, step.position) for name in step.names}
            if len(step.names) == 1:
                return self._select(members[step.names[0]], rest)
            return [self._select(member, rest) for member in members.values()] if rest else members
        if isinstance(step, Elements) and step.is_single:
            return self._select(next(self._elements(value, step)), rest)
        children = self._children(value, step)
        return [self._select(child, rest) for child in children] if rest else list(children)

    def _member(self, value: Any, name: str, position: int) -> Any:
        if not isinstance(value, dict):
            raise self._missing(position, f"there is no {name!r} in {_kind(value)}")
        if name not in value:
            raise self._missing(position, f"the object has no {name!r}, but {_some(value)}")
        return value[name]

    def _children(self, value: Any, step: Elements | Wildcard) -> Iterator[Any]:
        if isinstance(step, Elements):
            return self._elements(value, step)
        if isinstance(value, dict):
            return iter(value.values())
        if isinstance(value, list):
            return iter(value)
        raise self._missing(step.position, f"there is nothing in {_kind(value)}")

    def _elements(self, value: Any, step: Elements) -> Iterator[Any]:
        if not isinstance(value, list):
            raise self._missing(step.position, f"{_kind(value)} has no elements")
        for item in step.items:
            if isinstance(item, Index):
                yield value[self._index(item.index, value, step)]
            else:
                first = 0 if item.start is None else self._index(item.start, value, step)
                last = len(value) - 1 if item.end is None else self._index(item.end, value, step)
                yield from value[first : last + 1]

    def _index(self, index: int, value: Sequence[Any], step: Elements) -> int:
        size = len(value)
        if not -size <= index < size:
            raise self._missing(step.position, f"index {index} is outside of an array of {size}")
        return index % size

    def _missing(self, position: int, reason: str) -> BadRecordError:
        return BadRecordError(f"JSONPath {self.text}, character {position + 1}: {reason}")


def compile_path(text: str) -> JsonPath:
    """Compiles a JSONPath.

    Raises:
        InvalidArgumentError: It is longer than 63 characters, or not in SageMaker's subset; says
            what is wrong at which character, counted from 1.
    """
    if len(text) > MOST_CHARACTERS:
        raise InvalidArgumentError(
            f"the JSONPath {text!r} has {len(text)} characters; at most {MOST_CHARACTERS} may be"
        )
    return JsonPath(text, tuple(_Scanner(text).steps()))


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def steps(self) -> Iterator[Step]:
        if not self._take("$"):
            raise self._error('it must begin with "$"')
        while self._at < len(self._text):
            yield self._step()

    def _step(self) -> Step:
        begin = self._at
        dot = self._take(".")
        if dot and self._next == ".":
            raise self._error('".." is not supported')
        # AWS's page writes `$.field1.['child1','child2']`, with a dot that says nothing.
        if self._take("["):
            return self._bracket(begin)
        if not dot:
            raise self._error('expected "." or "["')
        if self._take("*"):
            return Wildcard(begin, bracketed=False)
        return Names((self._name(),), begin)

    def _name(self) -> str:
        begin = self._at
        while self._next and self._next not in _ENDS_NAME:
            self._at += 1
        if begin == self._at:
            raise self._error("expected a name")
        return self._text[begin : self._at]

    def _bracket(self, begin: int) -> Step:
        self._spaces()
        if self._next and self._next in "'\"":
            names = self._list(self._quoted)
            self._check_names(names, begin)
            return Names(tuple(names), begin)
        if self._take("*"):
            self._close()
            return Wildcard(begin, bracketed=True)
        if self._next == "?" or self._next == "(":
            raise self._error("expressions are not supported")
        return Elements(tuple(self._list(self._number_or_slice)), begin)

    def _check_names(self, names: list[str], begin: int) -> None:
        nested = [name for name in names if "." in name]
        if nested and len(names) > 1:
            self._at = begin
            raise self._error(f"{nested[0]!r} in a list of names cannot reach into members")

    def _list(self, item: Callable[[], _Item]) -> list[_Item]:
        items = [item()]
        self._spaces()
        while self._take(","):
            self._spaces()
            items.append(item())
            self._spaces()
        self._close()
        return items

    def _close(self) -> None:
        self._spaces()
        if not self._take("]"):
            raise self._error('expected "," or "]"' if self._next else 'the "]" is missing')

    def _quoted(self) -> str:
        quote = self._next
        if not quote or quote not in "'\"":
            raise self._error("expected a name in quotes")
        begin = self._at
        self._at += 1
        characters = []
        while self._next != quote:
            if not self._next or (self._take("\\") and not self._next):
                self._at = begin
                raise self._error("the name has no closing quote")
            characters.append(self._next)
            self._at += 1
        self._at += 1
        return "".join(characters)

    def _number_or_slice(self) -> Index | Slice:
        begin = self._at
        start = self._number()
        self._spaces()
        if not self._take(":"):
            if start is None:
                raise self._error("expected a number, a slice, a name in quotes or *")
            return Index(start)
        self._spaces()
        end = self._number()
        self._spaces()
        if self._next == ":":
            raise self._error("slices with a step are not supported")
        if start is not None and end is not None and (start < 0) == (end < 0) and end < start:
            self._at = begin
            raise self._error(f"the slice {start}:{end} holds nothing")
        return Slice(start, end)

    def _number(self) -> int | None:
        begin = self._at
        self._take("-")
        while self._next and self._next in "0123456789":
            self._at += 1
        digits = self._text[begin : self._at]
        if digits == "-":
            raise self._error("expected a digit")
        return int(digits) if digits else None

    @property
    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self, character: str) -> bool:
        taken = self._next == character
        self._at += taken
        return taken

    def _spaces(self) -> None:
        while self._take(" "):
            pass

    def _error(self, reason: str) -> InvalidArgumentError:
        return InvalidArgumentError(
            f"the JSONPath {self._text!r} is wrong at character {self._at + 1}: {reason}; {_SUBSET}"
        )


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return "a text" if isinstance(value, str) else "a number"


def _some(members: dict[str, Any]) -> str:
    """A few of an object's names, for messages."""
    if not members:
        return "nothing"
    names = [repr(name) for name in list(members)[:5]]
    return ", ".join(names) + (", ..." if len(members) > len(names) else "")
