"""What bench_training_modes.py makes of its samples, how it watches a job, and its figures."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(autouse=True)
def benchmarks_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def summary(median: float) -> dict[str, float]:
    return {"median": median, "q1": median, "q3": median, "n": 1}


def described(first_batch: float, total: float, on_disk: int) -> dict[str, Any]:
    return {
        "first_batch_seconds": summary(first_batch),
        "total_seconds": summary(total),
        "input_mb_per_second": summary(1e3 / total),
        "peak_disk_bytes": {"data": on_disk, "other": 4096},
        "peak_resident_bytes": {"script": 700 << 20, "prefetcher": 500 << 20},
    }


def report() -> dict[str, Any]:
    file, pipe = described(90, 102, 17_179_869_184), described(5, 88, 0)
    size = {
        "File": file,
        "Pipe": pipe,
        "first_batch_lower": summary(0.944),
        "first_batch_without_import_lower": summary(0.99),
        "total_lower": summary(0.137),
    }
    return {
        "machine": {"cpu": "a CPU", "cores": 2, "kernel": "6", "python": "3.11"},
        "line": {"mb_per_second": 200, "first_byte_ms": 30},
        "disk": {"held_to_mb_per_second": 250.0},
        "memory_bytes": 25_000_000_000,
        "rounds": 1,
        "starts": 5,
        "jobs": {"tensorflow": "tensorflow-cpu 2.21.0", "imported_by_keras": ["scipy"]},
        "results": {
            "starts": {
                "sizes": {
                    "16 GiB": {
                        "first_batch_seconds": summary(5.01),
                        "script_began_seconds": summary(0.6),
                        "import_seconds": summary(4.2),
                    }
                }
            },
            "sizes": {"16 GiB": size},
            "balanced": {
                "sizes": {"16 GiB": {"File": file, "Pipe": pipe, "total_lower": summary(0.47)}}
            },
        },
    }


def test_figures_have_both_modes_and_what_was_emulated() -> None:
    import figures_training_modes as figures

    picture = figures.draw(report()).svg()
    assert picture.count("16 GiB, File") == picture.count("16 GiB, Pipe") == 3
    assert picture.count(">88.0 s<") == 2
    words = figures.describe(report())
    assert "| 16 GiB | 94.4 % | 99.0 % | 13.7 % | 47.0 % | 17.18 GB | 0 |" in words
    assert "comes after 5.01 s at 16 GiB: 0.6 s until the script begins, 4.2 s" in words
    assert "200 MB/s over all connections" in words.replace("\n", " ")
    assert "holds to 250 MB/s" in words.replace("\n", " ")
    assert "times the throughput" not in words  # that case is not in the results


def test_figures_say_that_a_disk_was_not_held() -> None:
    import figures_training_modes as figures

    changed = report()
    changed["disk"] = {"held_to_mb_per_second": None, "why_not": "no root"}
    assert "was not held to a rate" in figures.describe(changed).replace("\n", " ")


def test_a_sample_counts_from_fit() -> None:
    from training_cases import bench
    from training_cases.watch import Watch

    took = {"fit": 100.0, "began": 101.0, "imported": 105.0, "first_batch": 105.5}
    watch = Watch(0, Path())
    sample = bench._sample(8_000_000, {**took, "data_end": 110.0, "ended": 111.0}, watch)
    assert (sample.first_batch, sample.first_batch_without_import) == (5.5, 1.5)
    assert (sample.total, sample.mb_per_second) == (11.0, 0.8)
    assert bench.lower([5.0, 1.0], [10.0, 10.0])["median"] == pytest.approx(0.7)


def test_a_watch_sees_processes_and_what_they_put_onto_the_disk(tmp_path: Path) -> None:
    from training_cases.watch import Watch

    data = tmp_path / "job" / "ml" / "input" / "data"
    data.mkdir(parents=True)
    (data / ".training_0.outcome.json").write_text("{}")
    (data / "part").write_bytes(bytes(1 << 20))
    child = "import sys; held = bytearray(64 << 20); print(1, flush=True); sys.stdin.read()"
    # A process that has another, whose command line says that it is the script.
    parent = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}, 'train.py'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as job:  # at whose end stdin is closed, which ends both
        assert job.stdout is not None and job.stdout.readline()
        watch = Watch(job.pid, tmp_path)
        watch.start()
        deadline = time.monotonic() + 30
        while not (watch.other and watch.resident.get("script")) and time.monotonic() < deadline:
            time.sleep(0.05)
        watch.end()
    assert watch.data >= 1 << 20
    assert 0 < watch.other < 1 << 20
    assert watch.resident["script"] > 64 << 20 > watch.resident["driver"] > 0
