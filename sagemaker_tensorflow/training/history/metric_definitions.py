"""What is to be found in a script's output: names of metrics, with regular expressions.

As in CreateTrainingJob's MetricDefinitions (API_MetricDefinition.html): the first group of an
expression is the value. An expression is searched for in each line, and may be there several times.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sagemaker_tensorflow.errors import InvalidArgumentError

_log = logging.getLogger(__name__)

_MEMBERS = {"Name", "Regex"}


def metrics_from_sdk(
    definitions: Iterable[Mapping[str, str]] | None,
) -> tuple[tuple[str, str], ...]:
    """Reads the SDK's argument ``metric_definitions``: ``[{"Name": ..., "Regex": ...}]``.

    Returns:
        Names and expressions, for `TrainingSpec`.

    Raises:
        InvalidArgumentError: It is not of that form.
    """
    found = []
    for one in definitions or ():
        if not isinstance(one, Mapping) or set(one) != _MEMBERS:
            raise InvalidArgumentError(
                f"metric_definitions: {one!r}: give {{'Name': ..., 'Regex': ...}}"
            )
        if not all(isinstance(text, str) for text in one.values()):
            raise InvalidArgumentError(f"metric_definitions: {dict(one)!r} are not strings")
        found.append((one["Name"], one["Regex"]))
    return tuple(found)


def metrics_to_sdk(definitions: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """The reverse."""
    return [{"Name": name, "Regex": regex} for name, regex in definitions]


class MetricMatcher:
    """Finds values in lines. What is no finite number is left out, with a warning the first time.

    CloudWatch has no NaN and no infinities either (API_MetricDatum.html).

    Args:
        definitions: Of a `TrainingSpec`.
    """

    def __init__(self, definitions: Iterable[tuple[str, str]]) -> None:
        self._patterns = [(name, re.compile(regex)) for name, regex in definitions]
        self._warned: set[str] = set()

    def values(self, lines: Sequence[str]) -> Iterator[tuple[str, float]]:
        """Names and values: one metric after the other, each in the order of the lines."""
        for name, pattern in self._patterns:
            # Most lines have none, and filter is as fast as Python gets.
            for line in filter(pattern.search, lines):
                for match in pattern.finditer(line):
                    value = _number(match[1])
                    if value is None:
                        self._warn(name, match)
                    else:
                        yield name, value

    def _warn(self, name: str, match: re.Match[str]) -> None:
        if name not in self._warned:
            self._warned.add(name)
            _log.warning(
                "metric %s: %r is not a finite number and is left out, as are others like it; its "
                "regex is %r",
                name,
                match[1],
                match.re.pattern,
            )


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
