"""The directories of a job: what a container has at ``/opt/ml``, and what stays behind.

The layout is SageMaker's ("Amazon SageMaker AI Training Storage Folders for Training Datasets,
Checkpoints, Model Artifacts, and Outputs").
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.input_data_config import add_input_channels
from sagemaker_tensorflow.system_errors import make_directory, translated_os_errors
from sagemaker_tensorflow.training.ml_mount import ML_PATH
from sagemaker_tensorflow.training.resources import FIRST_HOST, Resources
from sagemaker_tensorflow.training.spec import TrainingSpec

HOME_VARIABLE = "SAGEMAKER_TENSORFLOW_HOME"
_JOBS = "jobs"


@dataclass(frozen=True)
class MlDirectory:
    """One host's ``/opt/ml``."""

    root: Path

    @property
    def config(self) -> Path:
        """``inputdataconfig.json`` and the like."""
        return self.root / "input" / "config"

    @property
    def data(self) -> Path:
        """Folders of File channels, FIFOs of Pipe channels."""
        return self.root / "input" / "data"

    @property
    def model(self) -> Path:
        """What becomes ``model.tar.gz``."""
        return self.root / "model"

    @property
    def output(self) -> Path:
        """Holds ``failure`` and ``data``."""
        return self.root / "output"

    @property
    def output_data(self) -> Path:
        """What becomes ``output.tar.gz``."""
        return self.output / "data"

    @property
    def output_intermediate(self) -> Path:
        """For what SageMaker uploads while the script runs."""
        return self.output / "intermediate"

    @property
    def failure(self) -> Path:
        """Where a script says why it failed."""
        return self.output / "failure"

    @property
    def checkpoints(self) -> Path:
        """For checkpoints."""
        return self.root / "checkpoints"

    @property
    def code(self) -> Path:
        """The script and what it needs; its current directory."""
        return self.root / "code"

    @property
    def packages(self) -> Path:
        """A Python environment, of a script that has a ``requirements.txt``."""
        return self.root / "packages"

    @property
    def pipe_state(self) -> Path:
        """Where `PipeModeDataset` keeps how far it is."""
        return self.root / "pipe_state"

    def place_of(self, path: str) -> Path:
        """Where a path below ``/opt/ml`` lies.

        Raises:
            InvalidArgumentError: It is not below.
        """
        try:
            relative = PurePosixPath(path).relative_to(ML_PATH)
        except ValueError:
            relative = PurePosixPath()
        if ".." in relative.parts or not relative.parts:
            raise InvalidArgumentError(
                f"{path!r} is not below {ML_PATH}: other directories of this machine are "
                "not a job's own"
            )
        return self.root / relative

    def make(self) -> None:
        """Makes the folders."""
        for folder in (
            self.config,
            self.data,
            self.model,
            self.output_data,
            self.output_intermediate,
            self.checkpoints,
            self.code,
        ):
            make_directory(folder)

    def write_config(
        self, spec: TrainingSpec, hyperparameters: Mapping[str, str], resources: Resources
    ) -> None:
        """Writes the three files of ``input/config``."""
        self._write("hyperparameters.json", dict(hyperparameters))
        self._write("resourceconfig.json", resources.to_json())
        add_input_channels(self.config, spec.channels)

    def _write(self, name: str, content: Any) -> None:
        path = self.config / name
        with translated_os_errors(f"writing {path}"):
            path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


class JobDirectory:
    """What a job has on this machine: its logs and what it runs in.

    ``<jobs_dir>/<job_name>`` holds ``algo-1.log``, which stays, and ``ml``, which goes when the job
    ends; and for each further host ``algo-2.log`` and ``ml-algo-2``.

    Args:
        job_name: Of the job.
        jobs_dir: Of all jobs; None is `default_jobs_dir`.
    """

    def __init__(self, job_name: str, jobs_dir: str | os.PathLike[str] | None = None) -> None:
        root = default_jobs_dir() if jobs_dir is None else Path(jobs_dir).absolute()
        self.path = root / job_name
        self.ml = MlDirectory(self.path / "ml")
        self._job_name = job_name

    def ml_of(self, host: str) -> MlDirectory:
        """One host's ``/opt/ml``; `ml` is the first one's."""
        return self.ml if host == FIRST_HOST else MlDirectory(self.path / f"ml-{host}")

    def claim(self, hosts: Sequence[str]) -> None:
        """Makes the directory, which must not be there: names of jobs are unique.

        Args:
            hosts: Whose logs are begun.

        Raises:
            InvalidArgumentError: There was a job of this name.
            PermissionDeniedError: It may not be made.
        """
        make_directory(self.path.parent)
        with translated_os_errors("making a job's directory"):
            try:
                self.path.mkdir()
            except FileExistsError as error:
                raise InvalidArgumentError(
                    f"job_name={self._job_name!r} is taken: {self.path} is there; choose another "
                    "name, or leave it out"
                ) from error
            for host in hosts:
                self.log(host).touch()

    def log(self, host: str) -> Path:
        """What one host's script prints."""
        return self.path / f"{host}.log"


def default_jobs_dir() -> Path:
    """``$SAGEMAKER_TENSORFLOW_HOME/jobs``, or ``~/.sagemaker-tensorflow/jobs``."""
    home = os.environ.get(HOME_VARIABLE)
    return (Path(home) if home else Path.home() / ".sagemaker-tensorflow") / _JOBS
