"""Jobs in a directory of the test's own, which has to be tidy when they have ended."""

from __future__ import annotations

import re
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.training.job import TrainingJob
from sagemaker_tensorflow.training.spec import TrainingSpec
from sagemaker_tensorflow.training_input import TrainingInput
from tests.pipes import wait_until


class Jobs:
    """Makes jobs of scripts that are given as text."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.jobs_dir = root / "jobs"
        self.output = root / "output"
        self.temporary = root / "tmp"

    def script(self, text: str, name: str = "train.py") -> str:
        path = self.root / name
        path.write_text(textwrap.dedent(text))
        return str(path)

    def make(
        self,
        script: str,
        name: str = "job",
        *,
        stop_seconds: float = 60,
        channels: dict[str, TrainingInput] | None = None,
        **fields: Any,
    ) -> TrainingJob:
        spec = TrainingSpec(
            entry_point=self.script(script),
            job_name=name,
            channels=tuple(Channel(*channel) for channel in (channels or {}).items()),
            **{"output_path": str(self.output), **fields},
        )
        return TrainingJob(spec, jobs_dir=self.jobs_dir, stop_seconds=stop_seconds)

    def ml(self, name: str = "job") -> Path:
        return self.jobs_dir / name / "ml"

    def check_tidy(self) -> None:
        """Nothing is left but logs and the record: no directory of a job, no temporary file."""
        for job in self.jobs_dir.glob("*"):
            if job.name in ("jobs.db", "jobs.db-journal"):  # SQLite's, if its writer was killed
                continue
            assert all(re.fullmatch(r"algo-\d+\.log", path.name) for path in job.iterdir())
        assert not list(self.temporary.iterdir())


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    made = Jobs(tmp_path)
    made.temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(made.temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield made
    monkeypatch.setattr(tempfile, "tempdir", None)
    made.check_tidy()


def wait_for_line(job: TrainingJob, line: str) -> None:
    """Waits until a job's script has printed a line."""
    wait_until(
        lambda: line in job.log_path.read_text().splitlines(),
        f"{line!r} in {job.log_path}",
    )


def printed(log: Path) -> str:
    """What a script printed: its log but for the line that a machine without mounts puts first."""
    text = log.read_text()
    first, _, rest = text.partition("\n")
    return rest if first.startswith("smtf: /opt/ml is not this job's directory") else text
