"""Reads a request of SageMaker's API, with the path of each field for messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.training_input import check_choice


class RequestFields:
    """An object of a request, such as ``DataSource`` of a channel.

    Its methods raise an InvalidArgumentError that names the field by its path, as in
    ``InputDataConfig[0].DataSource``.
    """

    def __init__(self, fields: Any, path: str) -> None:
        self.path = path
        if not isinstance(fields, Mapping):
            raise InvalidArgumentError(
                f"{path.rstrip('.') or 'the job'}={fields!r} is not a JSON object"
            )
        self._fields = fields

    def optional(self, name: str) -> Any:
        """The field, or None."""
        return self._fields.get(name)

    def required(self, name: str) -> Any:
        """The field, which must be there."""
        value = self._fields.get(name)
        if value is None:
            raise InvalidArgumentError(f"{self.path}{name} is missing")
        return value

    def text(self, name: str) -> str:
        """A string that must be there."""
        value = self.required(name)
        if not isinstance(value, str):
            raise InvalidArgumentError(f"{self.path}{name}={value!r} is not a string")
        return value

    def choice(self, name: str, allowed: tuple[str, ...], required: bool = False) -> str | None:
        """One of the allowed strings."""
        value = self.required(name) if required else self.optional(name)
        return None if value is None else check_choice(f"{self.path}{name}", value, allowed)

    def inner(self, name: str, default: Any = None) -> RequestFields:
        """An object; the default, or an error, where it is not there."""
        value = self._fields.get(name, default)
        return RequestFields(self.required(name) if value is None else value, f"{self.path}{name}.")

    def items(self, name: str) -> list[RequestFields]:
        """The objects of a list that must be there."""
        value = self.required(name)
        if not isinstance(value, list):
            raise InvalidArgumentError(f"{self.path}{name}={value!r} is not a list")
        return [RequestFields(item, f"{self.path}{name}[{n}].") for n, item in enumerate(value)]
