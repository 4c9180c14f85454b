"""Keeps two runs apart that would write the same results: with one output and one input.

With equal settings they are one job. Each would do what the other does, and the second would abort
the first's uploads as those of a process that is dead. With others, such as another model, what is
there at the end would be a mixture. In a folder the lease is a locked file (`file_lease`), in S3 an
object that is renewed (`s3_lease`); both lie at ``.smtf-transform/<digest>/running.json``.

Jobs that differ in their input do not meet here: they may run into one output path.
"""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager

from sagemaker_tensorflow.errors import FailedPreconditionError
from sagemaker_tensorflow.locations import parse_location
from sagemaker_tensorflow.transform.lease_holder import LeaseHolder
from sagemaker_tensorflow.transform.output_keys import BOOKKEEPING_FOLDER
from sagemaker_tensorflow.transform.output_store import OutputStore
from sagemaker_tensorflow.transform.spec import TransformSpec


def lease_name(spec: TransformSpec) -> str:
    """Where the lease lies, relative to the output path; ``<digest>`` is of the input alone."""
    digest = hashlib.sha256(f"{spec.data_type}\n{_source(spec)}".encode()).hexdigest()
    return f"{BOOKKEEPING_FOLDER}/{digest}/running.json"


def job_owner(spec: TransformSpec, digest: str) -> str:
    """What names what a job leaves behind: SHA-256, in hexadecimal, of its input and settings.

    Args:
        spec: Of the job.
        digest: `settings_digest`.
    """
    text = f"{digest}\n{spec.data_type}\n{_source(spec)}"
    return hashlib.sha256(text.encode()).hexdigest()


def _source(spec: TransformSpec) -> str:
    return str(parse_location(spec.input_uri)).rstrip("/")


def job_lease(store: OutputStore, spec: TransformSpec) -> AbstractContextManager[object]:
    """Has the job for this run alone, until the end of the block.

    Args:
        store: The job's output.
        spec: The job's. Its name is for who comes later.

    Raises:
        FailedPreconditionError: On entering: another run has it.
        PipeModeDatasetException: On entering: the lease cannot be read or written.
    """
    name = lease_name(spec)
    holder = LeaseHolder.this_process(spec.job_name)
    if store.folder is not None:
        from sagemaker_tensorflow.transform.file_lease import FileLease

        return FileLease(store.folder / name, holder)
    from sagemaker_tensorflow.transform.s3_lease import S3Lease
    from sagemaker_tensorflow.transform.s3_output_store import S3OutputStore

    assert isinstance(store, S3OutputStore)  # noqa: S101 - there are two stores
    return S3Lease(store, name, holder)


def runs_already(
    where: str, holder: LeaseHolder | None, advice: str = ""
) -> FailedPreconditionError:
    """The error of a second run.

    Args:
        where: The lease.
        holder: Of the first run; None if it has not written its name yet.
        advice: What more there is to do.
    """
    who = "by another process" if holder is None else f"as {holder}"
    return FailedPreconditionError(
        f"{where}: this job runs already, {who}, with these settings or others for the same input "
        "and output; wait for its end or stop it, and what is missing then is done by a run of "
        f"this one; or choose another output path{advice}"
    )
