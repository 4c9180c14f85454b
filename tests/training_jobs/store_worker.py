"""Records jobs: ``python -m tests.training_jobs.store_worker STORE NAME N``.

Adds N jobs, ``NAME-0`` and so on, brings each through its statuses, and tries to add ``shared``.
It prints the name of each job that it has added.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.training.history.job_store import JobStore
from sagemaker_tensorflow.training.status import JobStatus
from tests.training_jobs.recorded import description, point


def main() -> None:
    store = JobStore(sys.argv[1])
    for n in range(int(sys.argv[3])):
        status = JobStatus()
        name = f"{sys.argv[2]}-{n}"
        store.add(description(name, status), Path("nowhere", name))
        print(name, flush=True)
        status.enter("Training")
        store.update(description(name, status), [point("loss", n)])
        status.finish("Completed")
        store.update(description(name, status))
    try:
        store.add(description("shared", JobStatus()), Path("nowhere"))
    except InvalidArgumentError:
        return
    print("shared", flush=True)


if __name__ == "__main__":
    main()
