"""Commands that take a request's file, ``--job``, instead of flags."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from typing import Any


def given_flags(args: argparse.Namespace, names: Iterable[str]) -> dict[str, Any]:
    """The values of those flags that were given; they have no defaults."""
    values = {name: getattr(args, name) for name in names}
    return {name: value for name, value in values.items() if value not in (None, [])}


def flag_of(name: str, others: Mapping[str, str]) -> str:
    """How a field is called on the command line.

    Args:
        name: Of the field.
        others: Fields that are not called by their names with hyphens.
    """
    return others.get(name, f"--{name.replace('_', '-')}")


def refuse_flags_beside_job(
    args: argparse.Namespace, names: Iterable[str], others: Mapping[str, str]
) -> None:
    """Holds that no flag is given for what the request of ``--job`` says.

    Raises:
        InvalidArgumentError: Names those that are.
    """
    from sagemaker_tensorflow.errors import InvalidArgumentError

    given = [flag_of(name, others) for name in given_flags(args, names)]
    if given:
        raise InvalidArgumentError(
            f"--job {args.job} and {', '.join(given)}: a request has members for these; leave them "
            "out, or change the request"
        )
