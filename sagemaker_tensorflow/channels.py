"""The channels of a training job: names, and what each of them streams."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.joined_inputs import JoinedInputs
from sagemaker_tensorflow.object_list_file import ListedObjects
from sagemaker_tensorflow.training_input import TrainingInput, check_pipe_mode

# CreateTrainingJob's ChannelName (botocore's service model of SageMaker).
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")

# What a channel may stream.
ChannelInput: TypeAlias = TrainingInput | JoinedInputs | ListedObjects


@dataclass(frozen=True)
class Channel:
    """One named input of a training job.

    Attributes:
        name: 1 to 64 of ``[A-Za-z0-9._-]``, with the suffix of its pipes if it has several.
        input: What it streams. `JoinedInputs` and `ListedObjects` are for this package's own use.

    Raises:
        InvalidArgumentError: The name is not one.
    """

    name: str
    input: ChannelInput

    def __post_init__(self) -> None:
        for name in self.pipe_names:
            if not _NAME.fullmatch(name):
                raise InvalidArgumentError(
                    f"{name!r} is not a channel's name: 1 to 64 of A-Z a-z 0-9 . _ -"
                )

    @property
    def pipe_names(self) -> tuple[str, ...]:
        """What `PipeModeDataset` knows it by: the name, or with K pipes ``<name>-0`` and so on."""
        count = self.input.pipes_per_channel
        return (self.name,) if count == 1 else tuple(f"{self.name}-{k}" for k in range(count))

    @classmethod
    def parse(cls, text: str, **options: Any) -> Channel:
        """Reads ``NAME=URI``, the command line's spelling; `options` are TrainingInput's."""
        name, equals, uri = text.partition("=")
        if not equals:
            raise InvalidArgumentError(f"{text!r}: give NAME=URI, such as training=s3://bucket/x")
        return cls(name, TrainingInput(uri, **options))

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        kind = "input"
        if isinstance(self.input, ListedObjects):
            kind = "listed"
        elif isinstance(self.input, JoinedInputs):
            kind = "joined"
        return {"name": self.name, kind: self.input.to_json()}

    @classmethod
    def from_json(cls, channel: Mapping[str, Any]) -> Channel:
        """The reverse."""
        if "listed" in channel:
            return cls(channel["name"], ListedObjects.from_json(channel["listed"]))
        if "joined" in channel:
            return cls(channel["name"], JoinedInputs.from_json(channel["joined"]))
        return cls(channel["name"], TrainingInput.from_json(channel["input"]))


# What `Prefetcher` takes.
Channels: TypeAlias = Mapping[str, str | TrainingInput] | Iterable[Channel]


def as_channels(channels: Channels) -> tuple[Channel, ...]:
    """Makes channels from ``{name: uri or TrainingInput}``, or takes them as they are.

    Raises:
        InvalidArgumentError: There is none, two pipes would have the same name, or one has another
            input mode than Pipe.
    """
    if isinstance(channels, Mapping):
        made = tuple(Channel(name, _as_input(given)) for name, given in channels.items())
    else:
        made = tuple(channels)
    if not made:
        raise InvalidArgumentError("no channel: give at least one, such as training=s3://bucket/x")
    for channel in made:
        check_pipe_mode(f"channel {channel.name}: input_mode", channel.input.input_mode)
    check_names(made)
    return made


def check_names(channels: Iterable[Channel]) -> None:
    """Holds that each name is there once.

    Raises:
        InvalidArgumentError: Names those that are there twice.
    """
    names = Counter(name for channel in channels for name in channel.pipe_names)
    twice = sorted(name for name, count in names.items() if count > 1)
    if twice:
        raise InvalidArgumentError(f"channels named twice: {', '.join(twice)}")


def _as_input(given: str | TrainingInput) -> TrainingInput:
    return given if isinstance(given, TrainingInput) else TrainingInput(str(given))


def pipe_count(channels: Iterable[Channel]) -> int:
    """How many pipes they have together."""
    return sum(channel.input.pipes_per_channel for channel in channels)
