"""Where a script finds its host's directory: at ``/opt/ml``, or through its variables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sagemaker_tensorflow.system_errors import translated_os_errors
from sagemaker_tensorflow.training.job_directory import MlDirectory
from sagemaker_tensorflow.training.ml_mount import ML_PATH
from sagemaker_tensorflow.training.script_process import ScriptProcess


def show_ml(
    script: ScriptProcess, ml: MlDirectory, addresses: Mapping[str, str], log: Path
) -> MlDirectory:
    """Puts a host's directory at ``/opt/ml`` for its script, or says in its log why not.

    Args:
        script: Not started yet.
        ml: Of the host; made.
        addresses: Of the job's hosts by name; see `ml_mount.loopback_addresses`.
        log: Of the host.

    Returns:
        What the script is to be told of: the same files, by the paths that it has there.
    """
    reason = script.mount(ml.root, addresses)
    if reason is None:
        return MlDirectory(ML_PATH)
    line = (
        f"smtf: {ML_PATH} is not this job's directory: {reason}. Find it through "
        "SAGEMAKER_BASE_DIR and the SM_ variables\n"
    )
    with translated_os_errors("writing the log"), log.open("a", encoding="utf-8") as file:
        file.write(line)
    return ml
