"""Jobs that are killed, interrupted, or run again: they do what is missing, and only that."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tarfile
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import boto3
import pytest

from tests.pipes import PATIENCE_SECONDS, has_ended, wait_until
from tests.transform.whole_jobs import (
    csv_flags,
    run,
    save_doubler,
    smtf,
    write_files,
    written,
)

# CI has time for few; by hand: SMTF_KILLS=30 pytest tests/transform/test_job_resume.py
KILLS = int(os.environ.get("SMTF_KILLS", "3"))
OBJECTS = max(120, 20 * KILLS)
ROWS = 20
SEED = 4

pytestmark = pytest.mark.timeout(120 + 30 * KILLS)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_doubler(tmp_path_factory.mktemp("doubler"))


def rows_of(number: int, rows: int = ROWS) -> bytes:
    return b"".join(b"%d,%d\n" % (number, row) for row in range(rows))


def doubled(number: int, rows: int = ROWS) -> bytes:
    return b"".join(b"%d.0,%d.0\n" % (2 * number, 2 * row) for row in range(rows))


def marked_processes(mark: str) -> list[int]:
    """Those that have it in their environment: a job and whatever it started."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or has_ended(int(entry.name)):
            continue
        try:
            if mark.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


class Killing:
    """A job in a bucket of a real S3 server, and what is known of its results."""

    def __init__(self, bucket: str, model: str, temporary: Path) -> None:
        self.bucket = bucket
        self.mark = f"SMTF_TEST={uuid.uuid4().hex}"
        self._temporary = temporary  # which nobody cleans up behind a SIGKILL
        self._client = boto3.client("s3")
        for number in range(OBJECTS):
            self._client.put_object(Bucket=bucket, Key=f"in/{number:04}.csv", Body=rows_of(number))
        self._expected = {
            f"out/{number:04}.csv.out": hashlib.md5(doubled(number)).hexdigest()
            for number in range(OBJECTS)
        }
        self._flags = csv_flags(model, f"s3://{bucket}/in/", f"s3://{bucket}/out", "--batch-size=1")
        self._noted: dict[str, datetime] = {}

    def begin(self) -> subprocess.Popen[str]:
        name, value = self.mark.split("=")
        return subprocess.Popen(
            [sys.executable, "-m", "tests.transform.small_segments", "transform", *self._flags],
            env={**os.environ, name: value, "TMPDIR": str(self._temporary)},
            stderr=subprocess.PIPE,
            text=True,
        )

    def results(self) -> dict[str, datetime]:
        """When each was written; sees to it that all that are visible are right."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix="out/"
        )
        found = {
            item["Key"]: item
            for page in pages
            for item in page.get("Contents", [])
            if ".smtf-transform/" not in item["Key"]
        }
        for key, item in found.items():
            assert item["ETag"].strip('"') == self._expected[key], f"{key} is not what it should be"
        return {key: item["LastModified"] for key, item in found.items()}

    def check(self) -> int:
        """What an earlier look found finished is what it was then. Returns how many are."""
        results = self.results()
        for key, modified in self._noted.items():
            assert results[key] == modified, f"{key} was done again"
        self._noted = {key: results[key] for key in self._in_ledger()}
        return len(self._noted)

    def _in_ledger(self) -> set[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix="out/.smtf-transform/"
        )
        names = [item["Key"] for page in pages for item in page.get("Contents", [])]
        segments = [
            self._client.get_object(Bucket=self.bucket, Key=name)["Body"].read()
            for name in names
            if "/finished/" in name
        ]
        lines = [json.loads(line) for segment in segments for line in segment.splitlines()]
        return {f"out/{line['name']}.out" for line in lines}

    def check_end(self) -> None:
        assert set(self.results()) == set(self._expected)
        assert "Uploads" not in self._client.list_multipart_uploads(Bucket=self.bucket)

    def record(self) -> dict[str, object]:
        key = "out/.smtf-transform/test/job.json"
        body = self._client.get_object(Bucket=self.bucket, Key=key)["Body"]
        described: dict[str, object] = json.load(body)
        return described


def test_a_job_that_is_killed_again_and_again(
    gateway_bucket: str, model: str, tmp_path: Path
) -> None:
    """At random moments: while it starts, while it works, and between two results."""
    killing = Killing(gateway_bucket, model, tmp_path)
    moments = random.Random(SEED)
    finished = 0
    for _ in range(KILLS):
        job = killing.begin()
        there = len(killing.results()) + moments.randrange(OBJECTS // KILLS)
        wait_or_end(job, lambda there=there: len(killing.results()) > there)  # type: ignore[misc]
        time.sleep(moments.random() / 10)
        job.kill()
        job.communicate()
        before, finished = finished, killing.check()
        assert finished >= before
        wait_until(lambda: not marked_processes(killing.mark), "the prefetcher ends by itself")
    assert finished > 0  # the kills came where they matter
    job = killing.begin()
    _, told = job.communicate(timeout=PATIENCE_SECONDS + 60)
    assert job.returncode == 0, told
    killing.check()
    killing.check_end()
    described = killing.record()
    assert described["TransformJobStatus"] == "Completed"
    objects = described["Progress"]["Objects"]  # type: ignore[index]
    assert objects["Skipped"] >= finished
    assert objects["Done"] + objects["Skipped"] == OBJECTS
    assert list(tmp_path.glob("smtf-transform-*")) == []


def wait_or_end(job: subprocess.Popen[str], condition: Callable[[], bool]) -> None:
    wait_until(lambda: job.poll() is not None or condition(), "results appear")


def test_a_job_that_is_interrupted(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_files(tmp_path / "data", {f"{n}.csv": rows_of(n, 500) for n in range(30)})
    out, mark, temporary = tmp_path / "out", f"SMTF_TEST={uuid.uuid4().hex}", tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("SMTF_TEST", mark.partition("=")[2])
    monkeypatch.setenv("TMPDIR", str(temporary))
    flags = csv_flags(model, data, out, "--batch-size=1")
    job = smtf(*flags, start_new_session=True)
    wait_or_end(job, lambda: any(path.suffix == ".out" for path in out.glob("*")))
    os.killpg(job.pid, signal.SIGINT)  # as a terminal does it
    _, told = job.communicate(timeout=PATIENCE_SECONDS)
    assert job.returncode == 130, told
    assert "Traceback" not in told
    record = json.loads((out / ".smtf-transform/test/job.json").read_text())
    assert record["TransformJobStatus"] == "Stopped"
    assert list(temporary.glob("smtf-*")) == []
    assert marked_processes(mark) == []
    results = written(out)  # whole ones alone, and nothing hidden
    expected = {f"{n}.csv.out": doubled(n, 500) for n in range(30)}
    assert 0 < len(results) < 30
    assert results.items() <= expected.items()
    again = run(model, data, out, batch_size=1000)
    assert (again.status, again.objects_skipped) == ("Completed", len(results))
    assert written(out) == expected


GATED = """
import pathlib, time

def handler(data, context):
    if data.read() == b"wait":
        while pathlib.Path("{gate}").exists():
            time.sleep(0.05)
    return "x" * (1 << 20), "text/plain"
"""


def test_a_second_run_beside_the_first(
    gateway_bucket: str, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told, and costs the first nothing; then the first is killed, and the next goes on."""
    gate, temporary, client = tmp_path / "gate", tmp_path / "tmp", boto3.client("s3")
    gate.touch()
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(model, "1")
        script = GATED.format(gate=gate)
        archive.add(write_files(tmp_path, {"inference.py": script.encode()}) / "inference.py",
                    "code/inference.py")  # fmt: skip
    lines = b"go\n" * 12 + b"wait\n"  # of which 8 make a part of an upload
    client.put_object(Bucket=gateway_bucket, Key="in/a.txt", Body=lines)
    flags = ["--model", str(tmp_path / "model.tar.gz"), "--input", f"s3://{gateway_bucket}/in/"]
    flags += ["--output", f"s3://{gateway_bucket}/out", "--content-type", "text/plain"]
    flags += ["--accept", "text/plain", "--split-type=Line", "--strategy=SingleRecord"]

    def uploads() -> list[str]:
        listed = client.list_multipart_uploads(Bucket=gateway_bucket).get("Uploads", [])
        return [upload["UploadId"] for upload in listed]

    first = smtf(*flags)
    wait_or_end(first, lambda: len(uploads()) == 1)
    begun = uploads()
    second = smtf(*flags)
    told = second.communicate(timeout=PATIENCE_SECONDS + 60)[1]
    assert second.returncode == 1, told
    assert re.search(rf"smtf: error: .*runs already, as .* process {first.pid}, since", told)
    assert (first.poll(), uploads()) == (None, begun)
    first.kill()
    first.communicate()
    assert len(list(temporary.glob("smtf-transform-*/unpacked"))) == 1
    gate.unlink()
    third = smtf(*flags)
    told = third.communicate(timeout=PATIENCE_SECONDS + 60)[1]
    assert third.returncode == 0, told
    size = client.head_object(Bucket=gateway_bucket, Key="out/a.txt.out")["ContentLength"]
    assert size == 13 << 20
    assert uploads() == []
    assert list(temporary.glob("smtf-transform-*")) == []


class Twice:
    """A job that has run, and may run again after something changed."""

    def __init__(self, model: str, folder: Path) -> None:
        self.model, self.out = model, folder / "out"
        self.data = write_files(folder / "data", {f"{n}.csv": rows_of(n) for n in range(6)})
        assert run(model, self.data, self.out).objects_done == 6
        self._before = self._times()

    def _times(self) -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in self.out.glob("*.out")}

    def redone(self) -> list[str]:
        """Results that are not those of the first run."""
        return sorted(n for n, time in self._times().items() if self._before.get(n) != time)


@pytest.fixture
def twice(model: str, tmp_path: Path) -> Twice:
    return Twice(model, tmp_path)


ALL = [f"{n}.csv.out" for n in range(6)]


def test_nothing_changed(twice: Twice) -> None:
    result = run(twice.model, twice.data, twice.out)
    assert (result.status, result.objects_skipped, result.objects_done) == ("Completed", 6, 0)
    assert twice.redone() == []


def test_overwrite(twice: Twice) -> None:
    result = run(twice.model, twice.data, twice.out, overwrite=True)
    assert (result.objects_skipped, result.objects_done) == (0, 6)
    assert twice.redone() == ALL


@pytest.mark.parametrize("changes", [{"accept": "application/jsonlines"}, {"on_error": "record"}])
def test_changed_settings(changes: dict[str, str], twice: Twice) -> None:
    assert run(twice.model, twice.data, twice.out, **changes).objects_done == 6
    assert twice.redone() == ALL


def test_settings_that_change_no_result(twice: Twice) -> None:
    assert run(twice.model, twice.data, twice.out, batch_size=2, max_retries=0).objects_done == 0


def test_another_model(twice: Twice, tmp_path: Path) -> None:
    """A copy of the model is no other model."""
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", twice.model, str(copy)], check=True)
    assert run(str(copy), twice.data, twice.out).objects_done == 0
    (copy / "assets").mkdir(exist_ok=True)
    (copy / "assets" / "words").write_text("new")
    assert run(str(copy), twice.data, twice.out).objects_done == 6


def test_changed_and_new_input_is_done_alone(twice: Twice) -> None:
    write_files(twice.data, {"2.csv": rows_of(7), "new.csv": rows_of(8)})
    result = run(twice.model, twice.data, twice.out)
    assert (result.objects_skipped, result.objects_done) == (5, 2)
    assert twice.redone() == ["2.csv.out", "new.csv.out"]
    assert written(twice.out)["2.csv.out"] == doubled(7)


def test_results_that_somebody_took_away(twice: Twice) -> None:
    (twice.out / "3.csv.out").unlink()
    (twice.out / "4.csv.out").write_bytes(b"mine")
    assert run(twice.model, twice.data, twice.out).objects_done == 2
    assert twice.redone() == ["3.csv.out", "4.csv.out"]
    assert written(twice.out) == {f"{n}.csv.out": doubled(n) for n in range(6)}
