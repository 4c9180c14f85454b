"""Options with ``NAME=VALUE``."""

from __future__ import annotations

from collections.abc import Iterable


def named_values(flag: str, texts: Iterable[str]) -> dict[str, str]:
    """Reads the values of a flag that is repeated; of a name that is, the last counts.

    Raises:
        InvalidArgumentError: One has no name, or no ``=``.
    """
    return dict(named_value(flag, text) for text in texts)


def named_value(flag: str, text: str) -> tuple[str, str]:
    """Reads one.

    Raises:
        InvalidArgumentError: It has no name, or no ``=``.
    """
    from sagemaker_tensorflow.errors import InvalidArgumentError

    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidArgumentError(f"{flag} {text!r}: give NAME=VALUE")
    return name, value
