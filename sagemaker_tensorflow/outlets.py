"""Where a prefetcher's streams come out: in named pipes, or in rings of shared memory."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.input_data_config import add_input_channels
from sagemaker_tensorflow.system_errors import make_directory


@dataclass(frozen=True)
class PipeOutlet:
    """Named pipes, and ``inputdataconfig.json`` that says which channels there are.

    Attributes:
        pipe_dir: Where the pipes go.
        config_dir: Where ``inputdataconfig.json`` goes.
    """

    pipe_dir: Path
    config_dir: Path

    def prepare(self) -> None:
        """Makes the directories.

        Raises:
            PipeModeDatasetException: One cannot be made.
        """
        for directory in (self.pipe_dir, self.config_dir):
            make_directory(directory)

    def announce(self, channel: Channel) -> None:
        """Enters a channel whose pipes are about to be made."""
        add_input_channels(self.config_dir, [channel])

    def feed_arguments(self, pipe_name: str) -> dict[str, Any]:
        """What `_prefetch.Feed` is told of it."""
        del pipe_name
        return {"pipe_dir": str(self.pipe_dir)}

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {"pipe_dir": str(self.pipe_dir), "config_dir": str(self.config_dir)}


@dataclass(frozen=True)
class RingOutlet:
    """Rings, which readers ask for at abstract Unix sockets below a name: nothing is on any disk.

    Attributes:
        name: The first part of the sockets' names, which nobody can guess.
    """

    name: str

    @classmethod
    def fresh(cls) -> RingOutlet:
        """With a name of its own."""
        return cls(f"smtf-{secrets.token_hex(16)}")

    def prepare(self) -> None:
        """Nothing to do."""

    def announce(self, channel: Channel) -> None:
        """Nothing to do: who reads has the address."""

    def address(self, pipe_name: str) -> str:
        """Where the readers of one stream ask for it."""
        return f"{self.name}/{pipe_name}"

    def feed_arguments(self, pipe_name: str) -> dict[str, Any]:
        """What `_prefetch.Feed` is told of it."""
        return {"ring_address": self.address(pipe_name)}

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {"ring": self.name}


Outlet: TypeAlias = PipeOutlet | RingOutlet


def outlet_from_json(outlet: Mapping[str, Any]) -> Outlet:
    """The reverse of `to_json`."""
    if "ring" in outlet:
        return RingOutlet(outlet["ring"])
    return PipeOutlet(Path(outlet["pipe_dir"]), Path(outlet["config_dir"]))
