"""Whether the dataset op loads, found out in a process of its own.

TensorFlow takes seconds to import and may never be in a process that has the engine. Run as a
program this module is that process: it prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from types import TracebackType
from typing import Any

from sagemaker_tensorflow.doctor.check import Check, ok, problem, warning
from sagemaker_tensorflow.module_command import module_command
from sagemaker_tensorflow.op_file import OP_PATH, built_for

# Importing TensorFlow from a cold disk takes tens of seconds.
_LIMIT_SECONDS = 60.0
_NAME = "dataset op"


class OpTrial:
    """A process that tries to load the op, started with this object and ended with its context."""

    def __init__(self, limit_seconds: float = _LIMIT_SECONDS) -> None:
        self._limit_seconds = limit_seconds
        self._deadline = time.monotonic() + limit_seconds
        self._process = subprocess.Popen(
            module_command(__name__),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # For Ctrl-C there is `__exit__`; two processes need not both report it.
            start_new_session=True,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )

    def __enter__(self) -> OpTrial:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def check(self) -> Check:
        """Waits for its end."""
        built = _built_for()
        try:
            out, err = self._process.communicate(timeout=max(0, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return problem(
                _NAME,
                f"importing TensorFlow did not end within {self._limit_seconds:.0f} s; {built}",
                'try python -c "import tensorflow" by itself',
            )
        lines = out.decode(errors="replace").splitlines()
        try:
            answer = json.loads(lines[-1])
        except (IndexError, ValueError):
            words = err.decode(errors="replace").splitlines()[-3:]
            return problem(
                _NAME,
                f"the process that tried ended with status {self._process.returncode}; "
                f"{built}; {' '.join(words)}",
                'try python -c "import tensorflow" by itself',
            )
        return _judge(answer, built)


def _judge(answer: dict[str, Any], built: str) -> Check:
    if answer["missing"]:
        return warning(
            _NAME,
            f"TensorFlow is not installed; {built}",
            "install that minor version of tensorflow to train here; streaming works without",
        )
    if answer["tensorflow"] is None:
        return problem(
            _NAME,
            f"TensorFlow does not import: {answer['error']}; {built}",
            "install that minor version of tensorflow again",
        )
    if answer["error"]:
        # The loader's errors say what to do.
        found, _, advice = answer["error"].partition("; ")
        return problem(_NAME, found, advice)
    return ok(_NAME, f"loads in TensorFlow {answer['tensorflow']}; {built}")


def _built_for() -> str:
    try:
        return f"built for TensorFlow {built_for(OP_PATH)}"
    except OSError:
        return f"the op {OP_PATH} is missing"


def _try() -> dict[str, Any]:
    """Loads the op, as a training script does."""
    answer: dict[str, Any] = {"tensorflow": None, "missing": False, "error": None}
    try:
        import tensorflow as tf

        answer["tensorflow"] = tf.__version__
        from sagemaker_tensorflow import op_library

        op_library.load()
    except ModuleNotFoundError as error:
        answer["missing"] = error.name == "tensorflow"
        answer["error"] = str(error)
    except Exception as error:  # whatever a broken installation raises
        answer["error"] = str(error)
    return answer


if __name__ == "__main__":
    print(json.dumps(_try()), flush=True)
