"""``python -m training_cases.driver '{"input_mode": "Pipe", ...}'``: one job, as a user runs it.

The argument has the estimator's ``input_mode``, ``hyperparameters`` and ``jobs_dir``, and the
``uri`` for `fit`. Prints the script's times with those of `fit` around them: time.monotonic().
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from sagemaker_tensorflow import TensorFlow

_SCRIPT = Path(__file__).parent / "script"


def main() -> None:
    """Runs the job of the command line."""
    job = json.loads(sys.argv[1])
    estimator = TensorFlow(
        "train.py",
        source_dir=_SCRIPT,
        model_dir=False,
        input_mode=job["input_mode"],
        hyperparameters=job["hyperparameters"],
        jobs_dir=job["jobs_dir"],
    )
    begin = time.monotonic()
    estimator.fit({"training": job["uri"]}, logs="None")
    end = time.monotonic()
    printed = estimator.latest_training_job.log_path.read_text().splitlines()
    print(json.dumps({"fit": begin, **json.loads(printed[-1]), "ended": end}))


if __name__ == "__main__":
    main()
