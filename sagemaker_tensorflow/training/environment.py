"""The environment variables that a script finds in SageMaker's containers.

Names, and how values are written, are those of SageMaker's training toolkit
(ENVIRONMENT_VARIABLES.md and ``environment.to_env_vars`` of sagemaker-training 5.1).
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Mapping
from typing import Any

from sagemaker_tensorflow.input_data_config import read_input_data_config
from sagemaker_tensorflow.training.gpus import VISIBLE_DEVICES, visible_gpus
from sagemaker_tensorflow.training.hyperparameters import (
    decoded,
    of_framework,
    of_script,
    script_arguments,
)
from sagemaker_tensorflow.training.job_directory import MlDirectory
from sagemaker_tensorflow.training.resources import Resources

# logging.INFO: SAGEMAKER_CONTAINER_LOG_LEVEL of the SDK.
_LOG_LEVEL = 20
# Where no region is configured: the SDK needs one to be there, and nothing is sent to it.
_REGION = "us-east-1"


def job_variables(job_name: str, ml: MlDirectory, resources: Resources) -> dict[str, str]:
    """What the service and the toolkit set beside the ``SM_`` variables, and this host's GPUs."""
    gpus = {} if resources.gpus is None else {VISIBLE_DEVICES: ",".join(resources.gpus)}
    return {
        **gpus,
        "TRAINING_JOB_NAME": job_name,
        "TRAINING_JOB_ARN": job_arn(job_name),
        "SAGEMAKER_JOB_NAME": job_name,
        "SAGEMAKER_REGION": region(),
        "SAGEMAKER_BASE_DIR": str(ml.root),
        "CURRENT_HOST": resources.current_host,
        # A script prints; its log should show it at once, as a container's does.
        "PYTHONUNBUFFERED": "1",
    }


def job_arn(job_name: str) -> str:
    """A name of the form that the service's have, of no account."""
    return f"arn:aws:sagemaker:{region()}:000000000000:training-job/{job_name}"


def region() -> str:
    """The region that AWS's tools are told here."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or _REGION


def script_variables(
    job_name: str,
    ml: MlDirectory,
    resources: Resources,
    entry_point: str,
    hyperparameters: Mapping[str, str],
    seen: MlDirectory | None = None,
) -> dict[str, str]:
    """The ``SM_`` variables of one host's script, for what is configured in `ml`.

    Args:
        job_name: Of the job.
        ml: Of the host; its ``inputdataconfig.json`` says which channels there are.
        resources: Of the host.
        entry_point: Relative to ``code``.
        hyperparameters: Texts.
        seen: `ml` as the script finds it, if that is another path.
    """
    values = decoded(hyperparameters)
    channels = read_input_data_config(ml.config)
    facts = _facts(job_name, seen or ml, resources, entry_point, values, channels)
    return {
        f"SM_{name.upper()}": value if isinstance(value, str) else _json(value)
        for name, value in facts.items()
    }


def _facts(
    job_name: str,
    ml: MlDirectory,
    resources: Resources,
    entry_point: str,
    values: Mapping[str, Any],
    channels: Mapping[str, Any],
) -> dict[str, Any]:
    own = of_script(values)
    channel_dirs = {name: str(ml.data / name) for name in channels}
    facts = {
        **_places(ml, values),
        **_machines(resources),
        "user_entry_point": entry_point,
        "module_name": entry_point.removesuffix(".py"),
        "input_data_config": channels,
        "log_level": values.get("sagemaker_container_log_level", _LOG_LEVEL),
        "framework_module": "",
    }
    everything = {
        **facts,
        "framework_module": None,
        "additional_framework_parameters": of_framework(values),
        "channel_input_dirs": channel_dirs,
        "hyperparameters": own,
        "job_name": job_name,
        "topology": [],
        "distribution_hosts": [],
        "is_master": resources.current_host == resources.hosts[0],
        "master_hostname": resources.hosts[0],
    }
    return {
        **facts,
        "hps": own,
        "framework_params": of_framework(values),
        "channels": sorted(channels),
        "user_args": script_arguments(own),
        "training_env": everything,
        **{f"channel_{name}": path for name, path in channel_dirs.items()},
        **{f"hp_{name}": "" if value is None else value for name, value in own.items()},
    }


def _places(ml: MlDirectory, values: Mapping[str, Any]) -> dict[str, str]:
    return {
        "input_dir": str(ml.config.parent),
        "input_config_dir": str(ml.config),
        "output_dir": str(ml.output),
        "output_data_dir": str(ml.output_data),
        "output_intermediate_dir": str(ml.output_intermediate),
        "model_dir": str(ml.model),
        "module_dir": str(values.get("sagemaker_submit_directory", ml.code)),
    }


def _machines(resources: Resources) -> dict[str, Any]:
    config = resources.to_json()
    groups = {group["instance_group_name"]: group for group in config["instance_groups"]}
    return {
        "hosts": config["hosts"],
        "current_host": resources.current_host,
        "current_instance_type": resources.instance_type,
        "current_instance_group": resources.group,
        "current_instance_group_hosts": config["hosts"],
        "instance_groups": list(groups),
        "instance_groups_dict": groups,
        "distribution_instance_groups": [],
        "is_hetero": False,
        "network_interface_name": resources.network_interface_name,
        "resource_config": config,
        "num_cpus": multiprocessing.cpu_count(),
        "num_gpus": len(visible_gpus() if resources.gpus is None else resources.gpus),
        "num_neurons": 0,
    }


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
