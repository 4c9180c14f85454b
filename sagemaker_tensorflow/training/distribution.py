"""How the hosts of a job work together, and the TF_CONFIG that tells TensorFlow.

The argument is the SageMaker SDK's ``distribution``, which becomes hyperparameters for the
container (``Framework._distribution_configuration`` of sagemaker 2); what these do there is done by
``training.py`` of AWS's sagemaker-tensorflow-training. Clusters, tasks and their order are the same
here. Hosts have addresses instead of names, and ports are free ones, as several hosts may be on one
machine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sagemaker_tensorflow.errors import InvalidArgumentError

MIRRORED = "multi_worker_mirrored_strategy"
PARAMETER_SERVER = "parameter_server"
DISTRIBUTIONS = (MIRRORED, PARAMETER_SERVER)

# What the SDK's hyperparameters are called that ask for something else.
_OTHERS = {
    "sagemaker_mpi_enabled": "mpi",
    "sagemaker_distributed_dataparallel_enabled": "smdistributed",
    "sagemaker_pytorch_ddp_enabled": "pytorchddp",
    "sagemaker_torch_distributed_enabled": "torch_distributed",
    "sagemaker_pytorch_xla_multi_worker_enabled": "pytorchxla",
}
_SWITCH = {name: f"sagemaker_{name}_enabled" for name in DISTRIBUTIONS}
_SWITCHES = {*_OTHERS, *_SWITCH.values()}


def distribution_hyperparameters(distribution: Mapping[str, Any] | None) -> dict[str, Any]:
    """The hyperparameters that the SDK makes of its argument ``distribution``.

    Args:
        distribution: ``{"multi_worker_mirrored_strategy": {"enabled": True}}`` or
            ``{"parameter_server": {"enabled": True}}``; None and ``{}`` are neither.

    Raises:
        InvalidArgumentError: It is none of these.
    """
    found: dict[str, Any] = {}
    for name, settings in (distribution or {}).items():
        if name not in DISTRIBUTIONS:
            raise _unknown(f"distribution={dict(distribution or {})!r}")
        if not isinstance(settings, Mapping) or not isinstance(settings.get("enabled"), bool):
            raise InvalidArgumentError(
                f"distribution[{name!r}]={settings!r}: give {{'enabled': True}}, or leave it out"
            )
        found[_SWITCH[name]] = settings["enabled"]
    return found


def requested_distribution(hyperparameters: Mapping[str, str]) -> str:
    """What a job's hyperparameters ask for: one of `DISTRIBUTIONS`, or "".

    Raises:
        InvalidArgumentError: Both, or something else that the SDK knows.
    """
    # Here, as the command line takes names of this module and wants no logging.
    from sagemaker_tensorflow.training.hyperparameters import decoded

    values = decoded({name: text for name, text in hyperparameters.items() if name in _SWITCHES})
    for switch, name in _OTHERS.items():
        if values.get(switch):
            raise _unknown(f"{switch}={hyperparameters[switch]!r} (distribution {name!r})")
    found = [name for name in DISTRIBUTIONS if values.get(_SWITCH[name])]
    if len(found) > 1:
        raise InvalidArgumentError(f"distribution: {' and '.join(found)} exclude each other")
    return found[0] if found else ""


def _unknown(what: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"{what} is not done by this runner; there are {' and '.join(DISTRIBUTIONS)}. Other kinds "
        "of distribution need their own launcher (mpirun, torchrun), which the entry_point may be"
    )


@dataclass(frozen=True)
class HostAddress:
    """Where one host's TensorFlow can be reached by the others.

    Attributes:
        ip: Its address.
        port: Of the script's server.
        parameter_server_port: Of the parameter server beside it.
    """

    ip: str
    port: int
    parameter_server_port: int

    @property
    def script(self) -> str:
        """As a cluster has it."""
        return f"{self.ip}:{self.port}"

    @property
    def parameter_server(self) -> str:
        """As a cluster has it."""
        return f"{self.ip}:{self.parameter_server_port}"


@dataclass(frozen=True)
class TfConfigs:
    """The values of TF_CONFIG on one host; "" is none.

    Attributes:
        script: Of the script.
        parameter_server: Of the parameter server that runs beside it.
    """

    script: str = ""
    parameter_server: str = ""


def tf_configs(distribution: str, addresses: Sequence[HostAddress], index: int) -> TfConfigs:
    """What a host's processes are told.

    Args:
        distribution: One of `DISTRIBUTIONS`, or "".
        addresses: Of all hosts.
        index: Which of them it is.
    """
    if distribution == MIRRORED:
        workers = {"worker": [each.script for each in addresses]}
        return TfConfigs(_tf_config(workers, "worker", index))
    if distribution == PARAMETER_SERVER and len(addresses) > 1:
        cluster = {
            "master": [addresses[0].script],
            "worker": [each.script for each in addresses[1:]],
            "ps": [each.parameter_server for each in addresses],
        }
        task = ("worker", index - 1) if index else ("master", 0)
        return TfConfigs(_tf_config(cluster, *task), _tf_config(cluster, "ps", index))
    return TfConfigs()


def _tf_config(cluster: Mapping[str, Sequence[str]], task_type: str, index: int) -> str:
    # "cloud" is what estimators of TensorFlow 1 know a remote cluster by.
    return json.dumps(
        {
            "cluster": cluster,
            "task": {"type": task_type, "index": index},
            "environment": "cloud",
        }
    )
