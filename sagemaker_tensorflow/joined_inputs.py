"""Several inputs that are one stream: the objects of the first, then those of the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.training_input import ShuffleConfig, TrainingInput

# What decides the form of the whole stream, and so has to be the same in all.
_COMMON = (
    "distribution",
    "compression",
    "record_wrapping",
    "shuffle_config",
    "pipes_per_channel",
)


@dataclass(frozen=True)
class JoinedInputs:
    """Two or more inputs, whose objects are listed one input after the other.

    They may be in several buckets, or local. What is done to the objects is done to all of them:
    they are shuffled, and dealt to hosts, as one list.

    Raises:
        InvalidArgumentError: They cannot be one stream; says which differ in what.
    """

    inputs: tuple[TrainingInput, ...]

    def __post_init__(self) -> None:
        first = self.inputs[0]
        for other in self.inputs[1:]:
            for name in _COMMON:
                if getattr(other, name) != getattr(first, name):
                    raise InvalidArgumentError(
                        f"{other.s3_data} has {name}={getattr(other, name)!r} and {first.s3_data} "
                        f"has {name}={getattr(first, name)!r}: one stream has one; give both the "
                        "same, or make a dataset of each"
                    )
        for given in self.inputs:
            if given.s3_data_type == "AugmentedManifestFile":
                raise InvalidArgumentError(
                    f"{given.s3_data} is an AugmentedManifestFile, which cannot be one of several "
                    "inputs: make a dataset of it alone, or put the lines into one manifest"
                )

    @property
    def distribution(self) -> str | None:
        """Of all."""
        return self.inputs[0].distribution

    @property
    def compression(self) -> str | None:
        """Of all."""
        return self.inputs[0].compression

    @property
    def record_wrapping(self) -> str | None:
        """Of all."""
        return self.inputs[0].record_wrapping

    @property
    def shuffle_config(self) -> ShuffleConfig | None:
        """Of all."""
        return self.inputs[0].shuffle_config

    @property
    def pipes_per_channel(self) -> int:
        """Of all."""
        return self.inputs[0].pipes_per_channel

    @property
    def sharded(self) -> bool:
        """Whether each host has a part of the objects."""
        return self.inputs[0].sharded

    @property
    def content_type(self) -> str | None:
        """Nobody asks for it."""
        return None

    @property
    def input_mode(self) -> str | None:
        """A prefetcher's."""
        return next((given.input_mode for given in self.inputs if given.input_mode), None)

    @property
    def attributes(self) -> tuple[str, ...]:
        """None: those of an augmented manifest."""
        return ()

    @property
    def frame_objects(self) -> bool:
        """Whether the stream says where objects end: not for training scripts."""
        return False

    def to_json(self) -> list[dict[str, Any]]:
        """A JSON array of the inputs."""
        return [given.to_json() for given in self.inputs]

    @classmethod
    def from_json(cls, inputs: Sequence[Mapping[str, Any]]) -> JoinedInputs:
        """The reverse."""
        return cls(tuple(TrainingInput.from_json(given) for given in inputs))
