"""What ``requirements.txt`` beside a script names, installed for this job alone.

AWS's containers install it into their own Python before the script starts. Here that would be the
user's. So a job with such a file gets a virtual environment in its directory, which sees all
packages of the user's environment behind its own: what is there already is not installed again,
what has to have another version is installed beside it, and all of it goes with the job.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import site
import sys
import venv
from pathlib import Path

from sagemaker_tensorflow.system_errors import translated_os_errors
from sagemaker_tensorflow.training.failure import MOST_CHARACTERS, failure_reason
from sagemaker_tensorflow.training.job_directory import MlDirectory
from sagemaker_tensorflow.training.script_process import ScriptCommand

REQUIREMENTS = "requirements.txt"
_PIP = f"pip install -r {REQUIREMENTS}"
_TAIL_BYTES = 16 << 10
# What urllib3 and pip print about an index that cannot be reached, at each of pip's tries.
_UNREACHABLE = (b"Failed to establish a new connection", b"NameResolutionError", b"ProxyError")
# Read by Python when it starts, at a line that begins with "import" (documentation of `site`).
_PATH_FILE = "users-environment.pth"


def install_command(ml: MlDirectory) -> ScriptCommand | None:
    """The command that installs what a host's script requires, in an environment that is made.

    pip is the user's, with the index, proxy and cache of its configuration.

    Args:
        ml: Of the host, with the script in it.

    Returns:
        None if there is no ``requirements.txt``.

    Raises:
        PipeModeDatasetException: The environment cannot be made.
    """
    if not (ml.code / REQUIREMENTS).is_file():
        return None
    temporary = ml.packages / "tmp"
    with translated_os_errors(f"making an environment for {REQUIREMENTS}"):
        _make_environment(ml.packages)
        temporary.mkdir()
    argv = (str(_python(ml)), "-m", "pip", "install", "--disable-pip-version-check", "--no-input")
    # Into the environment, also where pip is configured otherwise. A pip that is stopped leaves its
    # temporary files.
    variables = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "TMPDIR": str(temporary)}
    return ScriptCommand((*argv, "-r", REQUIREMENTS), variables, ml.code)


def python_of(ml: MlDirectory) -> str:
    """The Python that runs a host's script: that of its environment, if it has one."""
    own = _python(ml)
    return str(own) if own.exists() else sys.executable


def variables_of(ml: MlDirectory) -> dict[str, str]:
    """What makes the environment's commands those of the script, if it has one."""
    if not _python(ml).exists():
        return {}
    path = os.environ.get("PATH", os.defpath)
    return {"VIRTUAL_ENV": str(ml.packages), "PATH": f"{ml.packages / 'bin'}{os.pathsep}{path}"}


def install_failure(status: int, log: Path) -> str:
    """Why the job failed, when pip did: its last words, and what may help.

    Args:
        status: Of pip.
        log: Of the host, which has pip's output.
    """
    reason = failure_reason(status, _PIP, Path(os.devnull), log)
    advice = _advice(log)
    return reason[: MOST_CHARACTERS - len(advice)] + advice


def _advice(log: Path) -> str:
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
        said = file.read()
        if b"No module named pip" in said:
            return (
                f"; {sys.executable} has no pip: python -m ensurepip, or install what the script "
                f"needs there and remove {REQUIREMENTS}"
            )
        if any(words in said for words in _UNREACHABLE):
            return (
                "; the package index cannot be reached: look at the network, the proxy and "
                "PIP_INDEX_URL"
            )
    return ""


def _make_environment(directory: Path) -> None:
    venv.EnvBuilder(symlinks=True).create(directory)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    libraries = directory / "lib" / version / "site-packages"
    # With `addsitedir` the user's environment has its .pth files read, too: packages that are
    # installed as links to their sources. Including its pip, which is used.
    lines = [f"import site; site.addsitedir({path!r})" for path in _users_libraries()]
    (libraries / _PATH_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    with contextlib.suppress(FileNotFoundError):
        shutil.copy(Path(sys.prefix) / "pip.conf", directory / "pip.conf")


def _users_libraries() -> list[str]:
    """Where this process finds packages."""
    known = [*site.getsitepackages(), site.getusersitepackages()]
    return [path for path in dict.fromkeys(known) if path in sys.path]


def _python(ml: MlDirectory) -> Path:
    return ml.packages / "bin" / "python"
