"""What the cases share: data, contestants as processes, and how they are compared."""

from __future__ import annotations

import itertools
import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import harness
from s3_cases.bench import Contestant, judged, run_json

__all__ = ["Bench", "Contestant", "Sample", "compared", "described", "measured"]

_numbers = itertools.count()


@dataclass(frozen=True)
class Sample:
    """One run of a contestant, from its first request for data to its last result."""

    records: int
    seconds: float
    details: Mapping[str, Any]

    @property
    def records_per_second(self) -> float:
        """Records with a result."""
        return self.records / self.seconds


@dataclass(frozen=True)
class Bench:
    """Where and how often to measure."""

    directory: Path
    rounds: int
    rivals_python: str
    cpus: int

    def material(self, kind: str, files: int = 0, records: int = 0) -> tuple[Path, dict[str, Any]]:
        """A folder with a model and TFRecords, made once: see material.py."""
        folder = self.directory / f"{kind}-{files}-{records}"
        made = folder / "made.json"
        if not made.exists():
            folder.mkdir()
            command = _module("material", kind, folder)
            answer = run_json([*command, "--files", str(files), "--records", str(records)])
            made.write_text(json.dumps(answer))
        return folder, json.loads(made.read_text())

    def ours(self, folder: Path, **fields: Any) -> Sample:
        """A job of ours over ``folder/data``, to lines of JSON; `fields` as TransformSpec has."""
        job: dict[str, Any] = {
            "model": str(folder / "model"),
            "input_uri": f"{folder / 'data'}/",
            "split_type": "TFRecord",
            "accept": "application/jsonlines",
            **fields,
        }
        return self.run(
            lambda output: _module("our_job", json.dumps({**job, "output_uri": output}))
        )

    def run(self, command: Callable[[str], list[str]]) -> Sample:
        """Runs a process that writes to the folder it is given, which is removed."""
        output = self.directory / f"output-{next(_numbers)}"
        try:
            answer = run_json(command(str(output)))
        finally:
            shutil.rmtree(output, ignore_errors=True)
        return Sample(answer.pop("records"), answer.pop("seconds"), answer)

    def module(self, name: str, *arguments: object, rival: bool = False) -> list[str]:
        """The command that runs a module of this package."""
        return _module(name, *arguments, python=self.rivals_python if rival else sys.executable)


def _module(name: str, *arguments: object, python: str = sys.executable) -> list[str]:
    return [python, "-m", f"transform_cases.{name}", *map(str, arguments)]


def measured(
    contestants: Mapping[str, Callable[[], Sample | None]], rounds: int
) -> dict[str, list[Sample]]:
    """The samples of those that had one in every round."""
    samples = harness.interleave(contestants, rounds)
    return {
        name: [sample for sample in taken if sample is not None]
        for name, taken in samples.items()
        if all(taken)
    }


def described(
    samples: Mapping[str, Sequence[Sample]], contestants: Mapping[str, object]
) -> dict[str, Any]:
    """Quartiles of each contestant's rates, and its last run's details; or why it is absent."""
    result: dict[str, Any] = {}
    for name, contestant in contestants.items():
        if name in samples:
            rates = [sample.records_per_second for sample in samples[name]]
            result[name] = {
                "records": samples[name][-1].records,
                "records_per_second": harness.summary(rates),
                "last_run": dict(samples[name][-1].details),
            }
        else:
            result[name] = {"absent": getattr(contestant, "absent", "")}
    return result


def compared(
    samples: Mapping[str, Sequence[Sample]],
    contestants: Mapping[str, object],
    other: str,
    at_least: float,
) -> dict[str, Any]:
    """Our rate over another's, round by round, and the bar; or why the other is absent."""
    if other not in samples:
        return {"absent": getattr(contestants[other], "absent", "")}
    rates = [[sample.records_per_second for sample in samples[name]] for name in ("ours", other)]
    return judged(harness.ratios(*rates), at_least=at_least)
