"""What `TensorFlow` makes of its arguments."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TypeAlias

from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.training_input import TrainingInput

_log = logging.getLogger(__name__)

Inputs: TypeAlias = str | TrainingInput | Mapping[str, str | TrainingInput] | None

# The channel of an input that is given without one.
_CHANNEL = "training"


def channels_of(inputs: Inputs) -> tuple[Channel, ...]:
    """The channels of ``fit(inputs)``."""
    if inputs is None:
        return ()
    given = inputs if isinstance(inputs, Mapping) else {_CHANNEL: inputs}
    return tuple(
        Channel(name, value if isinstance(value, TrainingInput) else TrainingInput(str(value)))
        for name, value in given.items()
    )


def say_without_meaning(what: str, arguments: Mapping[str, object]) -> None:
    """Logs which arguments of the SDK were given that do nothing here.

    Args:
        what: Takes them.
        arguments: Their values; None and False are not given.
    """
    given = [name for name, value in arguments.items() if value not in (None, False)]
    if given:
        _log.info("%s: %s: without meaning on this machine", what, ", ".join(given))
