"""AugmentedManifestFile: JSON lines, of whose attributes some are streamed.

Each line is a JSON object. Of the attributes that are asked for, one whose name ends in ``-ref`` is
an object's URI and stands for that object's bytes; every other one is streamed as the JSON text of
its value ("Augmented Manifest File Format" in SageMaker's developer guide). That text is `1` for
the number 1 and `"cat"`, with its quotes, for a string: a value of any type, read back with
``json.loads``, is what the line had. It is UTF-8 without needless white space.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.locations import Location
from sagemaker_tensorflow.manifests import parse_reference
from sagemaker_tensorflow.training_input import REFERENCE_SUFFIX

# An object's place, or bytes to be streamed as they are.
Entry: TypeAlias = Location | bytes

# What is longer is not a line of attributes, and is not held in memory.
MAX_LINE_BYTES = 16 << 20


@dataclass(frozen=True)
class AugmentedLine:
    """One line's entries, in the order in which its attributes are streamed.

    Attributes:
        number: From 1.
        entries: One for each attribute that was asked for.
    """

    number: int
    entries: tuple[Entry, ...]


def parse_lines(
    lines: Iterable[bytes], attributes: Sequence[str], where: str, folder: Path | None = None
) -> Iterator[AugmentedLine]:
    """Reads a manifest's lines as they come. Empty ones are passed over.

    Args:
        lines: Without newlines.
        attributes: Names, in the order of the stream. What else a line has is left out.
        where: The manifest's name, for messages.
        folder: Where it lies, if it is a local file; see `manifests.parse_manifest`.

    Raises:
        InvalidArgumentError: A line is not a JSON object or lacks an attribute; names the line.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        item = f"{where}, line {number}"
        values = _parse(line, item)
        entries = tuple(_entry(values, name, item, folder) for name in attributes)
        yield AugmentedLine(number, entries)


def _parse(line: bytes, item: str) -> dict[str, Any]:
    if len(line) > MAX_LINE_BYTES:
        raise InvalidArgumentError(
            f"{item} is longer than {MAX_LINE_BYTES} bytes: this is no augmented manifest"
        )
    try:
        values = json.loads(line, parse_constant=_refuse_constant)
    except ValueError as error:
        raise InvalidArgumentError(f"{item} is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise InvalidArgumentError(f"{item} is not a JSON object")
    return values


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _entry(values: dict[str, Any], name: str, item: str, folder: Path | None) -> Entry:
    if name not in values:
        raise InvalidArgumentError(
            f"{item} has no attribute {name!r}; it has {', '.join(map(repr, values)) or 'none'}"
        )
    value = values[name]
    if not name.endswith(REFERENCE_SUFFIX):
        try:
            text = json.dumps(
                value, ensure_ascii=False, allow_nan=False, separators=(",", ":")
            ).encode()
        except ValueError as error:  # half of a surrogate pair, or a number beyond a double
            raise InvalidArgumentError(f"{item}, attribute {name!r}: {error}") from error
        return text
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{item}, attribute {name!r}: {value!r} is not a URI")
    return parse_reference(value, f"{item}, attribute {name!r}", folder)
