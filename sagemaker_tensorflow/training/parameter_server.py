"""A parameter server: ``python -m sagemaker_tensorflow.training.parameter_server``.

One runs beside the script of each host, where ``distribution`` asks for it. It serves TensorFlow's
variables in the cluster of its TF_CONFIG until it is ended.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from sagemaker_tensorflow.training.script_mode import python_path
from sagemaker_tensorflow.training.script_process import ScriptCommand


def parameter_server_command(variables: Mapping[str, str], cwd: Path) -> ScriptCommand:
    """How one is run.

    Args:
        variables: TF_CONFIG.
        cwd: Its current directory, with the script.
    """
    own = {
        "PYTHONPATH": python_path(str(cwd)),
        # Two TensorFlow processes on one GPU take each other's memory.
        "CUDA_VISIBLE_DEVICES": "",
    }
    argv = (sys.executable, "-m", "sagemaker_tensorflow.training.parameter_server")
    return ScriptCommand(argv, {**variables, **own}, cwd)


def main() -> None:
    """Serves for ever."""
    import tensorflow as tf

    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    server = tf.distribute.Server(
        resolver.cluster_spec(),
        job_name=resolver.task_type,
        task_index=resolver.task_id,
        protocol="grpc",
    )
    server.join()


if __name__ == "__main__":
    main()
