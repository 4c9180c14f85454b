"""What the cases share: the server, the clients as processes, who is missing, and the bars."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import harness
from native_programs import program
from nginx_server import MTIME, Server
from s3_data import DataSet

HERE = Path(__file__).resolve().parent.parent
# A client that takes longer hangs.
_RUN_SECONDS = 300

# The number of connections, the size of a part and the memory that every client is given. Twice
# the memory that 8 connections need is read ahead, so that none waits for the one that is first.
CONNECTIONS = 8
PART_BYTES = 8 << 20
MEMORY_BYTES = 256 << 20
# Those of the raw-socket client, which is fastest so: whole objects in fewer threads.
RAW_CONNECTIONS = 4

RIVALS = {
    "obstore_threads": "obstore_threads",
    "obstore_async": "obstore_async",
    "s3torchconnector": "s3torchconnector",
    "awscrt": "awscrt_client",
    "boto3": "boto3_threads",
}


@dataclass(frozen=True)
class Sample:
    """What one run of a client took: seconds, and CPU seconds of the client and of the server."""

    bytes: int
    seconds: float
    cpu_seconds: float
    server_cpu_seconds: float
    found: Mapping[str, int] = field(default_factory=dict)  # what our client chose by itself

    @property
    def mb_per_second(self) -> float:
        """In units of 1e6 bytes."""
        return self.bytes / 1e6 / self.seconds

    @property
    def cpu_s_per_gb(self) -> float:
        """Of the client, per 1e9 bytes."""
        return self.cpu_seconds / (self.bytes / 1e9)

    @property
    def server_cpu_s_per_gb(self) -> float:
        """Of the server, per 1e9 bytes."""
        return self.server_cpu_seconds / (self.bytes / 1e9)


@dataclass(frozen=True)
class Task:
    """What a client is to read, and with what."""

    data: DataSet
    endpoint: str
    ca: str = ""
    passes: int = 1  # over the objects
    connections: int = CONNECTIONS
    part_bytes: int = PART_BYTES
    memory_bytes: int = MEMORY_BYTES


@dataclass(frozen=True)
class Bench:
    """Where and how often to measure."""

    server: Server
    directory: Path  # for files of the cases' own
    rounds: int
    rivals_python: str

    def ours(self, task: Task) -> Callable[[], Sample]:
        """The engine, reading to memory."""
        return lambda: self._run([str(program("fetch_s3"))], task)

    def raw(self, task: Task) -> Callable[[], Sample]:
        """The raw-socket client."""
        task = dataclasses.replace(task, connections=RAW_CONNECTIONS, part_bytes=0)
        return lambda: self._run([str(program("raw_fetch"))], task)

    def rival(self, name: str, task: Task) -> Contestant:
        """One of `RIVALS`."""
        command = [self.rivals_python, "-m", "s3_clients", RIVALS[name]]
        return Contestant(lambda: self._run(command, task))

    def _run(self, command: list[str], task: Task) -> Sample:
        command = [*command, "--endpoint", task.endpoint, "--bucket", task.data.bucket]
        command += ["--objects", str(self._objects_file(task))]
        command += ["--connections", str(task.connections), "--part-bytes", str(task.part_bytes)]
        command += ["--memory-bytes", str(task.memory_bytes)]
        command += ["--ca", task.ca] if task.ca else []
        cpu_before = self.server.cpu_seconds()
        answer = run_json(command)
        server_cpu = self.server.cpu_seconds() - cpu_before
        wanted = task.data.bytes * task.passes
        if answer["bytes"] != wanted:
            raise ValueError(f"{' '.join(command)} read {answer['bytes']} bytes of {wanted}")
        took = [answer.pop(name) for name in ("bytes", "seconds", "cpu_seconds")]
        return Sample(*took, server_cpu_seconds=server_cpu, found=answer)

    def _objects_file(self, task: Task) -> Path:
        path = self.directory / f"{task.data.bucket}-{task.passes}.tsv"
        if not path.exists():
            size = task.data.object_bytes
            lines = [f'{key}\t{size}\t"{MTIME:x}-{size:x}"\n' for key in task.data.names]
            path.write_text("".join(lines * task.passes))
        return path


class Contestant:
    """A rival that may be missing or break: it is then left out of the other rounds, with why."""

    def __init__(self, run: Callable[[], Sample]) -> None:
        self._run = run
        self.absent = ""

    def __call__(self) -> Sample | None:
        """Runs it once; None when it is absent."""
        if not self.absent:
            try:
                return self._run()
            except (FailedRunError, OSError, ValueError, subprocess.TimeoutExpired) as error:
                self.absent = str(error)
            print(f"left out: {self.absent}", file=sys.stderr)
        return None


class FailedRunError(Exception):
    """A program ended with an error; the message has its last words."""


def run_json(command: Sequence[str], env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Runs a program of this folder that prints one JSON object."""
    ran = subprocess.run(
        command, cwd=HERE, env=env, capture_output=True, text=True, timeout=_RUN_SECONDS
    )
    if ran.returncode != 0:
        last = ran.stderr.strip().splitlines()[-1:] or ["(nothing on stderr)"]
        name = " ".join(Path(word).name for word in command[:3])
        raise FailedRunError(f"{name}: exit status {ran.returncode}: {last[0]}")
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


def described(samples: Sequence[Sample]) -> dict[str, Any]:
    """Quartiles of the rates and costs of one client, and what it found by itself last."""
    return {
        **{
            name: harness.summary([getattr(sample, name) for sample in samples])
            for name in ("mb_per_second", "cpu_s_per_gb", "server_cpu_s_per_gb")
        },
        **({"found": samples[-1].found} if samples[-1].found else {}),
    }


def rates(samples: Sequence[Sample]) -> list[float]:
    """MB/s of each round."""
    return [sample.mb_per_second for sample in samples]


def judged(
    summary: Mapping[str, float], *, at_least: float | None = None, at_most: float | None = None
) -> dict[str, Any]:
    """A ratio's quartiles, the bar that the project has set itself, and whether the median is it.

    Args:
        summary: As `harness.ratios` makes it.
        at_least: The bar, or None.
        at_most: The bar, or None.
    """
    result: dict[str, Any] = dict(summary)
    if at_least is not None:
        result |= {"at_least": at_least, "met": summary["median"] >= at_least}
    if at_most is not None:
        result |= {"at_most": at_most, "met": summary["median"] <= at_most}
    return result
