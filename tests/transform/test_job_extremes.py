"""A disk that is really full, and an object of 20 GiB.

The object takes minutes; by hand: SMTF_LARGE=1 pytest -s tests/transform/test_job_extremes.py
"""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.small_disk import small_disk
from tests.transform.whole_jobs import csv_flags, save_doubler, smtf, write_files, written

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 2 MiB."""
    with small_disk(tmp_path / "disk", "2m") as mounted:
        yield mounted


def test_a_disk_that_is_full_and_gets_room(disk: Path, tmp_path: Path) -> None:
    model = save_doubler(tmp_path / "model")
    bodies = {f"{n}.csv": b"%d,2\n" % n * 100_000 for n in range(4)}
    expected = {f"{n}.csv.out": b"%d.0,4.0\n" % (2 * n) * 100_000 for n in range(4)}
    flags = csv_flags(model, write_files(tmp_path / "data", bodies), disk, "--batch-size=5000")
    full = smtf(*flags)
    told = full.communicate(timeout=110)[1]
    assert full.returncode == 1, told
    error = told.splitlines()[-1]
    assert re.search(r"^smtf: error: .*\.csv\.out: No space left on device: the result was", error)
    assert "make room" in error
    assert "Traceback" not in told
    assert "Logging error" not in told
    there = written(disk)  # and nothing that is hidden, nothing that is cut short
    assert there.items() <= expected.items()
    subprocess.run(["mount", "-o", "remount,size=16m", str(disk)], check=True)
    again = smtf(*flags)
    told = again.communicate(timeout=110)[1]
    assert again.returncode == 0, told
    assert "test: Completed" in told
    assert written(disk) == expected


SIZE = 20 << 30
RECORD = 16 << 20
# RecordIO: magic number and length, little-endian; all of the rest are zeros on no disk.
HEADER = struct.pack("<II", 0xCED7230A, RECORD - 8)


def save_length(path: Path) -> str:
    """A SavedModel: ``x: string [?]`` to ``length``, in bytes."""
    import tensorflow as tf

    function = tf.function(
        lambda x: {"length": tf.strings.length(x)},
        input_signature=[tf.TensorSpec([None], tf.string, name="x")],
    )
    tf.saved_model.save(tf.Module(), str(path), signatures=function.get_concrete_function())
    return str(path)


def resident_mebibytes(pid: int) -> float:
    import processes  # of benchmarks/

    pids = [pid, *processes.children(pid)]
    return sum(processes.resident_bytes("VmRSS", each) for each in pids) / (1 << 20)


@pytest.mark.skipif("SMTF_LARGE" not in os.environ, reason="takes minutes; set SMTF_LARGE=1")
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("clean_aws")
def test_an_object_of_20_gib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory of the job and its prefetcher is that of its second quarter at its end."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import nginx_server

    bucket = tmp_path / "s3" / "bucket"
    bucket.mkdir(parents=True)
    with (bucket / "large.rec").open("wb") as file:
        file.truncate(SIZE)
        for offset in range(0, SIZE, RECORD):
            file.seek(offset)
            file.write(HEADER)
    os.utime(bucket / "large.rec", (nginx_server.MTIME, nginx_server.MTIME))
    model = save_length(tmp_path / "model")
    with nginx_server.serve(tmp_path / "s3") as server:
        begin = time.monotonic()
        job = smtf(
            *("--model", model, "--input", "s3://bucket/", "--output", str(tmp_path / "out")),
            *("--endpoint-url", server.plain, "--region", "us-east-1", "--anonymous"),
            *("--content-type", "application/octet-stream", "--split-type", "RecordIO"),
            *("--strategy", "SingleRecord", "--max-payload=64", "--job-name=large"),
            *("--accept", "application/jsonlines", "--batch-size=8"),
        )
        sampled: list[float] = []

        def sample() -> None:
            while job.poll() is None:
                try:
                    sampled.append(resident_mebibytes(job.pid))
                except (FileNotFoundError, ProcessLookupError):
                    continue
                time.sleep(0.5)

        sampler = threading.Thread(target=sample)
        sampler.start()
        told = job.communicate()[1]
        sampler.join()
    seconds = time.monotonic() - begin
    print(told, f"{seconds:.0f} s, MiB resident:", *(f"{x:.0f}" for x in sampled[::20]))
    assert job.returncode == 0, told
    assert (tmp_path / "out" / "large.rec.out").read_bytes() == b"%d\n" % (RECORD - 8) * (
        SIZE // RECORD
    )
    quarter = len(sampled) // 4
    assert max(sampled[3 * quarter :]) < 1.25 * max(sampled[quarter : 2 * quarter])
    sys.modules.pop("nginx_server")
