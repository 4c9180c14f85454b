"""Script mode: which command runs a script, and what it is told.

AWS's training toolkit (PyPI: sagemaker-training) is what does this in SageMaker's containers. A
script gets the same arguments and ``SM_`` variables here without it; docs/architecture.md says why.
"""

from __future__ import annotations

import logging
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from sagemaker_tensorflow.training.environment import job_variables, script_variables
from sagemaker_tensorflow.training.hyperparameters import decoded, of_script, script_arguments
from sagemaker_tensorflow.training.job_directory import MlDirectory
from sagemaker_tensorflow.training.requirements_install import python_of, variables_of
from sagemaker_tensorflow.training.resources import Resources
from sagemaker_tensorflow.training.script_process import ScriptCommand

_log = logging.getLogger(__name__)

_PACKAGE_ROOT = Path(__file__).parent.parent.parent


def script_command(
    job_name: str,
    ml: MlDirectory,
    resources: Resources,
    entry_point: str,
    hyperparameters: Mapping[str, str],
    environment: Mapping[str, str],
    seen: MlDirectory | None = None,
) -> ScriptCommand:
    """The command for a script that is in its place.

    Args:
        job_name: Of the job.
        ml: Of the host, with its configuration.
        resources: Of the host.
        entry_point: Relative to ``code``.
        hyperparameters: Texts.
        environment: What the job adds, and what wins.
        seen: `ml` as the script finds it, if that is another path.
    """
    seen = seen or ml
    if (ml.code / "setup.py").exists():
        _log.warning("setup.py is not run: packages of the script's are listed in requirements.txt")
    arguments = script_arguments(of_script(decoded(hyperparameters)))
    variables = {
        **job_variables(job_name, seen, resources),
        **script_variables(job_name, ml, resources, entry_point, hyperparameters, seen),
        **variables_of(ml),
        "PYTHONPATH": python_path(str(seen.code)),
        **environment,
    }
    return ScriptCommand(tuple(_argv(ml, entry_point, arguments)), variables, seen.code)


def _argv(ml: MlDirectory, entry_point: str, arguments: list[str]) -> list[str]:
    if entry_point.endswith(".py"):
        return [python_of(ml), entry_point, *arguments]
    (ml.code / entry_point).chmod(0o755)
    return ["/bin/sh", "-c", shlex.join([f"./{entry_point}", *arguments])]


def python_path(code: str) -> str:
    """Lets the script import what lies beside it, and what this process finds in places of its own.

    Absolute, because the script runs in another directory.
    """
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    paths = [code, *(str(Path(path).absolute()) for path in given if path)]
    if not {"site-packages", "dist-packages"} & set(_PACKAGE_ROOT.parts):
        paths.append(str(_PACKAGE_ROOT))  # a checkout
    return os.pathsep.join(dict.fromkeys(paths))
