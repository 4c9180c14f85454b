"""The hosts of a job: ``resourceconfig.json``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# What the service calls the instances of a job that has one kind of them.
_GROUP = "homogeneousCluster"
FIRST_HOST = "algo-1"


@dataclass(frozen=True)
class Resources:
    """One host, and the others beside it.

    The file's members are those that SageMaker documents ("Distributed Training Configuration" in
    "How Amazon SageMaker AI Provides Training Information") and its training toolkit reads.

    Attributes:
        current_host: This one's name.
        hosts: All names, sorted.
        instance_type: What the job was given.
        network_interface_name: Over which hosts reach each other; on one machine the loopback.
        gpus: The ids of this host's GPUs; None for all that CUDA shows to this process.
    """

    current_host: str = FIRST_HOST
    hosts: tuple[str, ...] = (FIRST_HOST,)
    instance_type: str = "local"
    network_interface_name: str = "lo"
    gpus: tuple[str, ...] | None = None

    @property
    def index(self) -> int:
        """This host's place among all."""
        return self.hosts.index(self.current_host)

    @property
    def group(self) -> str:
        """The name of the instance group."""
        return _GROUP

    def to_json(self) -> dict[str, Any]:
        """The content of the file."""
        return {
            "current_host": self.current_host,
            "current_instance_type": self.instance_type,
            "current_group_name": _GROUP,
            "hosts": list(self.hosts),
            "instance_groups": [
                {
                    "instance_group_name": _GROUP,
                    "instance_type": self.instance_type,
                    "hosts": list(self.hosts),
                }
            ],
            "network_interface_name": self.network_interface_name,
        }
