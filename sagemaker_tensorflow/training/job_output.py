"""Where a job's archives go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sagemaker_tensorflow.locations import parse_location
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.transform.output_store import OutputStore, open_output_store


@dataclass(frozen=True)
class JobOutput:
    """The output of one job.

    Attributes:
        folder: ``<output path>/<job>/output``; absolute.
        job_name: Of the job.
        s3_options: How to reach S3.
    """

    folder: str
    job_name: str
    s3_options: S3Options

    @classmethod
    def below(cls, output_path: str, job_name: str, s3_options: S3Options) -> JobOutput:
        """The job's output below an output path.

        Raises:
            InvalidArgumentError: That is neither in S3 nor local.
        """
        root = str(parse_location(output_path)).rstrip("/")
        return cls(f"{root}/{job_name}/output", job_name, s3_options)

    def open(self) -> OutputStore:
        """The store; the caller closes it."""
        return open_output_store(self.folder, self.s3_options, owner=self.job_name)

    def to_json(self) -> dict[str, Any]:
        """A JSON object. Holds no secret."""
        return asdict(self)

    @classmethod
    def from_json(cls, output: Mapping[str, Any]) -> JobOutput:
        """The reverse."""
        return cls(**{**output, "s3_options": S3Options(**output["s3_options"])})
