"""What the cases share: the line, the disk, jobs as processes, and how they are compared."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import harness
from native_programs import serving
from s3_cases.bench import FailedRunError, run_json

from training_cases.disk import Disk
from training_cases.watch import Watch

MODES = ("File", "Pipe")
BATCH_RECORDS = 64
_HERE = Path(__file__).resolve().parent
# What a job may take beside the time that its bytes need on the line; then it hangs.
_SPARE_SECONDS = 300
_SLOWEST = 4.0
_AWS = {
    "AWS_ACCESS_KEY_ID": "access",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True)
class Line:
    """Between the server and the job.

    Attributes:
        mb_per_second: Over all connections together, in 1e6 bytes.
        first_byte_ms: Before every answer, those to listings included.
    """

    mb_per_second: float
    first_byte_ms: float

    def seconds(self, size: int) -> float:
        """What so many bytes take."""
        return size / (self.mb_per_second * 1e6)


@dataclass(frozen=True)
class Sample:
    """One job. Times are seconds since `fit` was called.

    Attributes:
        bytes: Of the channel.
        script: The script began.
        imported: It had imported TensorFlow.
        first_batch: It had its first batch.
        data_end: It had seen all of the data; None where it was not to.
        total: `fit` came back.
        resident: The largest resident size of each part of the job, in bytes.
        data_on_disk: The most that the channel took on the disk, in bytes.
        other_on_disk: The same for what else the job had there: its script, log, configuration.
    """

    bytes: int
    script: float
    imported: float
    first_batch: float
    data_end: float | None
    total: float
    resident: Mapping[str, int]
    data_on_disk: int
    other_on_disk: int

    @property
    def importing(self) -> float:
        """The script's own start and TensorFlow's import, which are the same in all modes."""
        return self.imported - self.script

    @property
    def first_batch_without_import(self) -> float:
        """Without what is the same in all modes."""
        return self.first_batch - self.importing

    @property
    def mb_per_second(self) -> float:
        """Of input, from `fit` to the end of the data."""
        assert self.data_end is not None
        return self.bytes / 1e6 / self.data_end

    @property
    def reading(self) -> float:
        """From the first batch to the end of the data: seconds."""
        assert self.data_end is not None
        return self.data_end - self.first_batch


@dataclass(frozen=True)
class Bench:
    """Where and how often to measure.

    Attributes:
        object_path: The bytes of every object.
        object_payload: Those of them that are records' payload.
        disk: Where jobs put their files.
        line: Between the server and the job.
        python: The interpreter of jobs.
        sizes: Numbers of objects.
        rounds: How often each job runs.
        starts: How often the start of a job is looked at, where that is the subject.
        fast_mb_per_second: Of the line that is faster than the disk.
    """

    object_path: Path
    object_payload: int
    disk: Disk
    line: Line
    python: str
    sizes: Sequence[int]
    rounds: int
    starts: int
    fast_mb_per_second: float

    @property
    def object_bytes(self) -> int:
        """Of each object."""
        return self.object_path.stat().st_size

    def job(
        self, mode: str, objects: int, line: Line, **hyperparameters: int
    ) -> Callable[[], Sample]:
        """A job that can be run."""
        return lambda: self._run(mode, objects, line, hyperparameters)

    def _run(self, mode: str, objects: int, line: Line, hyperparameters: dict[str, int]) -> Sample:
        size = objects * self.object_bytes
        jobs_dir = self.disk.path / "jobs"
        request = {
            "input_mode": mode,
            "hyperparameters": {
                "batch": BATCH_RECORDS,
                **{name.replace("_", "-"): value for name, value in hyperparameters.items()},
            },
            "jobs_dir": str(jobs_dir),
            "uri": "s3://bucket/",
        }
        with self._served(objects, line) as url:
            try:
                took, watch = self._drive(
                    request, url, _SPARE_SECONDS + _SLOWEST * line.seconds(size)
                )
            finally:
                shutil.rmtree(jobs_dir, ignore_errors=True)
                self.disk.flush()
        if "payload_bytes" in took and took["payload_bytes"] != objects * self.object_payload:
            raise ValueError(f"{mode} mode: {took['payload_bytes']} bytes of payload came")
        return _sample(size, took, watch)

    def _served(self, objects: int, line: Line) -> AbstractContextManager[str]:
        return serving(
            "paced_server", self.object_path, objects, line.mb_per_second, line.first_byte_ms
        )

    def _drive(
        self, request: Mapping[str, Any], url: str, timeout: float
    ) -> tuple[dict[str, Any], Watch]:
        # Whatever the job puts into temporary files is seen too.
        temporary = self.disk.path / "jobs" / "tmp"
        temporary.mkdir(parents=True)
        command = [self.python, "-m", "training_cases.driver", json.dumps(request)]
        environment = {**os.environ, **_AWS, "AWS_ENDPOINT_URL": url, "TMPDIR": str(temporary)}
        environment["TF_CPP_MIN_LOG_LEVEL"] = "3"
        with subprocess.Popen(
            command, cwd=_HERE.parent, env=environment, stdout=subprocess.PIPE, text=True
        ) as driver:
            watch = Watch(driver.pid, temporary.parent)
            watch.start()
            try:
                printed, _ = driver.communicate(timeout=timeout)
            finally:
                driver.terminate()
                watch.end()
        if driver.returncode != 0:
            raise FailedRunError(f"{request['input_mode']} mode: exit status {driver.returncode}")
        return json.loads(printed), watch


def _sample(size: int, took: Mapping[str, Any], watch: Watch) -> Sample:
    def since_fit(name: str) -> float:
        return float(took[name] - took["fit"])

    return Sample(
        bytes=size,
        script=since_fit("began"),
        imported=since_fit("imported"),
        first_batch=since_fit("first_batch"),
        data_end=since_fit("data_end") if "data_end" in took else None,
        total=since_fit("ended"),
        resident=watch.resident,
        data_on_disk=watch.data,
        other_on_disk=watch.other,
    )


def size_name(size: int) -> str:
    """Such as "16 GiB" or "64 MiB"."""
    return f"{size >> 30} GiB" if size >= 1 << 30 else f"{size >> 20} MiB"


def described(samples: Sequence[Sample]) -> dict[str, Any]:
    """Quartiles of the times of whole jobs, and the most that they took."""
    times = {
        "first_batch_seconds": [s.first_batch for s in samples],
        "first_batch_without_import_seconds": [s.first_batch_without_import for s in samples],
        "import_seconds": [s.importing for s in samples],
        "script_began_seconds": [s.script for s in samples],
        "reading_seconds": [s.reading for s in samples],
        "total_seconds": [s.total for s in samples],
        "input_mb_per_second": [s.mb_per_second for s in samples],
    }
    roles = sorted({role for sample in samples for role in sample.resident})
    return {
        **{name: harness.summary(taken) for name, taken in times.items()},
        "peak_disk_bytes": {
            "data": max(s.data_on_disk for s in samples),
            "other": max(s.other_on_disk for s in samples),
        },
        "peak_resident_bytes": {
            role: max(s.resident.get(role, 0) for s in samples) for role in roles
        },
    }


def lower(pipe: Sequence[float], file: Sequence[float]) -> harness.Summary:
    """By which share Pipe's values are lower than File's, round by round."""
    return harness.summary([1 - p / f for p, f in zip(pipe, file, strict=True)])


def seconds_per_product(python: str) -> float:
    """Of the script's compute, on this machine as it is now."""
    command = [python, str(_HERE / "script" / "compute.py")]
    answer = run_json(command, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})
    return float(answer["seconds_per_product"])
