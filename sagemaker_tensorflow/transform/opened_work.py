"""A job's work with its model loaded here, and what names the job in its output."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.transform.job_lease import job_owner
from sagemaker_tensorflow.transform.model_files import fetch_model
from sagemaker_tensorflow.transform.model_identity import model_identity
from sagemaker_tensorflow.transform.settings_digest import settings_digest
from sagemaker_tensorflow.transform.spec import TransformSpec
from sagemaker_tensorflow.transform.temporary_folders import temporary_folder
from sagemaker_tensorflow.transform.work import Work, open_work


@dataclass(frozen=True)
class OpenedWork:
    """What a job is, once its model is known.

    Attributes:
        work: Makes results of objects.
        model_identity: Of the model's files, wherever they lie.
    """

    work: Work
    model_identity: str

    @property
    def digest(self) -> str:
        """`settings_digest`, under which the ledger lies."""
        return settings_digest(self.work.spec, self.model_identity)

    @property
    def owner(self) -> str:
        """`job_owner`, which names what a run leaves behind."""
        return job_owner(self.work.spec, self.digest)


@contextlib.contextmanager
def open_local_work(
    spec: TransformSpec, s3_options: S3Options, devices: Sequence[str] | None = None
) -> Iterator[OpenedWork]:
    """Fetches a job's model and loads it in this process.

    Args:
        spec: What to do.
        s3_options: How to reach S3.
        devices: TensorFlow's names; None for every GPU that it shows, or the CPU.

    Raises:
        PipeModeDatasetException: The model is not there or cannot be loaded, or settings do not go
            together.
    """
    with temporary_folder() as folder:
        files = fetch_model(spec.model, folder, s3_options)
        with open_work(spec, files, devices) as work:
            yield OpenedWork(work, model_identity(files))
