"""A run of a job, to be met by others: ``python -m tests.transform.lease_worker URI RENEW LAPSE``.

Says ``held`` when it has the lease, and writes an object again and again until its stdin ends; then
``ended``. Or it says why it does not have the lease, or does not any more.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys

from sagemaker_tensorflow.errors import FailedPreconditionError
from sagemaker_tensorflow.transform.file_lease import FileLease
from sagemaker_tensorflow.transform.lease_holder import LeaseHolder
from sagemaker_tensorflow.transform.output_store import OutputStore, open_output_store
from sagemaker_tensorflow.transform.s3_lease import S3Lease
from sagemaker_tensorflow.transform.s3_output_store import S3OutputStore

NAME = ".smtf-transform/owner/running.json"


def lease_of(store: OutputStore, renew_seconds: float, lapse_seconds: float) -> FileLease | S3Lease:
    holder = LeaseHolder.this_process("nightly")
    if store.folder is not None:
        return FileLease(store.folder / NAME, holder)
    assert isinstance(store, S3OutputStore)
    return S3Lease(store, NAME, holder, renew_seconds, lapse_seconds)


def main() -> None:
    uri, renew, lapse = sys.argv[1:]
    store = open_output_store(uri)
    with contextlib.closing(store):
        try:
            with lease_of(store, float(renew), float(lapse)):
                _say("held")
                while not select.select([0], [], [], 0.1)[0]:
                    store.write_small(f"of-{os.getpid()}", b"")
            _say("ended")
        except FailedPreconditionError as error:
            _say(str(error))


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main()
