"""Checks requests against the limits of SageMaker's own service model, which botocore ships.

botocore checks types and required members on the client and leaves enums, patterns and upper bounds
to the service; here they are checked too, before anything runs.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sagemaker_tensorflow.errors import InvalidArgumentError

# They grow with every release of the service, and what runs here runs on this machine.
_OPEN_ENUMS = frozenset({"InstanceType"})
# Instead of S3, as an extension: for data on this machine.
_LOCAL_SCHEME = "file://"
_SHOWN = 20


def check_request(operation: str, request: Mapping[str, Any]) -> None:
    """Checks a request as the service would; members that its model does not know are refused.

    Args:
        operation: As in ``"CreateTransformJob"``.
        request: Its members.

    Raises:
        InvalidArgumentError: Names every member that is wrong, with its value and the limit.
    """
    problems = list(_problems(_input_shape(operation), request, ""))
    if not problems:
        return
    more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    raise InvalidArgumentError(f"{operation}: {'; '.join(problems[:_SHOWN])}{more}")


@functools.cache
def _input_shape(operation: str) -> Any:
    import botocore.session

    model = botocore.session.get_session().get_service_model("sagemaker")
    return model.operation_model(operation).input_shape


def _problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    """What is wrong with a value, the members of a structure included."""
    wanted, check = _CHECKS[shape.type_name]
    if not isinstance(value, wanted) or (isinstance(value, bool) and shape.type_name != "boolean"):
        yield f"{path or 'the request'}={value!r} is not of type {shape.type_name}"
        return
    yield from _range_problems(shape, value, path)
    yield from check(shape, value, path)


def _range_problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    amount: float
    if isinstance(value, str | list | Mapping):
        amount, unit = len(value), " long"
    elif isinstance(value, int | float):
        amount, unit = value, ""
    else:
        return
    if (least is not None and amount < least) or (most is not None and amount > most):
        bounds = f"at least {least}" if most is None else f"{least or 0} to {most}"
        yield f"{path}={value!r} is {amount}{unit}, allowed is {bounds}"


def _structure_problems(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[str]:
    prefix = f"{path}." if path else ""
    for name in shape.metadata.get("required", ()):
        if value.get(name) is None:
            yield f"{prefix}{name} is missing"
    for name, member in value.items():
        if name not in shape.members:
            yield f"{prefix}{name} is no member; there are {', '.join(shape.members)}"
        elif member is not None:
            yield from _problems(shape.members[name], member, f"{prefix}{name}")


def _list_problems(shape: Any, value: list[Any], path: str) -> Iterator[str]:
    for index, member in enumerate(value):
        yield from _problems(shape.member, member, f"{path}[{index}]")


def _map_problems(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[str]:
    for key, member in value.items():
        yield from _problems(shape.key, key, f"a key of {path}")
        yield from _problems(shape.value, member, f"{path}[{key!r}]")


def _text_problems(shape: Any, value: str, path: str) -> Iterator[str]:
    name = path.rpartition(".")[2]
    allowed = shape.metadata.get("enum")
    if allowed and name not in _OPEN_ENUMS and value not in allowed:
        yield f"{path}={value!r} is not one of {', '.join(allowed)}"
    pattern = _compiled(shape.metadata.get("pattern"))
    if pattern and not pattern.fullmatch(value) and not value.startswith(_LOCAL_SCHEME):
        yield f"{path}={value!r} does not match {pattern.pattern}"


@functools.cache
def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    """None for a pattern that Python does not know, such as Java's classes of characters."""
    if not pattern:
        return None
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _no_problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    return iter(())


_CHECKS: dict[str, tuple[Any, Any]] = {
    "structure": (Mapping, _structure_problems),
    "list": (list, _list_problems),
    "map": (Mapping, _map_problems),
    "string": (str, _text_problems),
    "integer": (int, _no_problems),
    "long": (int, _no_problems),
    "float": ((int, float), _no_problems),
    "double": ((int, float), _no_problems),
    "boolean": (bool, _no_problems),
    "timestamp": (object, _no_problems),
    "blob": ((bytes, bytearray, str), _no_problems),
}
