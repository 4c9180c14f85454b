"""benchmarks/report.py and what the S3 benchmark makes of its samples, without a server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(autouse=True)
def benchmarks_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def summary(median: float) -> dict[str, float]:
    return {"median": median, "q1": median * 0.9, "q3": median * 1.1, "n": 3}


def client(mb_per_second: float) -> dict[str, Any]:
    return {"mb_per_second": summary(mb_per_second), "cpu_s_per_gb": summary(0.5)}


def report() -> dict[str, Any]:
    panel = {
        "objects": 2000,
        "object_bytes": 256 << 10,
        "connections": 8,
        "part_bytes": 8 << 20,
        "memory_bytes": 256 << 20,
        "clients": {"ours": client(2000), "raw": client(2500), "awscrt": {"absent": "no such"}},
        "ratios": [
            {"ratio": "ours/raw", "of": "mb_per_second", **summary(0.8)},
            {"ratio": "ours/awscrt", "of": "mb_per_second", "absent": "no such"},
        ],
    }
    machine = {"cpu": "a CPU", "cores": 2, "kernel": "6", "python": "3.11"}
    packages = ("obstore", "awscrt", "s3torchconnectorclient", "boto3")
    versions = dict.fromkeys(packages, "1.0")
    return {"machine": machine, "rounds": 3, "versions": versions, "results": {"small": panel}}


def test_chart_shows_every_client_and_who_is_absent() -> None:
    import figures_s3_stream

    picture = figures_s3_stream.draw(report()).svg()
    assert "2,000 MB/s, 0.50 CPU s/GB" in picture
    assert picture.count("not measured") == 1
    assert "boto3" not in picture  # it is not in the results


def test_description_has_the_ratios_and_the_conditions() -> None:
    import figures_s3_stream

    words = figures_s3_stream.describe(report())
    assert "| bare sockets, in no order | 0.80 (0.72 to 0.88) |" in words
    assert "| awscrt | not measured |" in words
    assert "8 connections" in words
    assert "a CPU, 2 cores" in words


def framing_result(record_format: str, record_bytes: int) -> dict[str, Any]:
    names = ("tensorflow", "pipe", "pipe_fused")
    return {
        "record_format": record_format,
        "record_bytes": record_bytes,
        "payload_bytes": 128 << 20,
        "fused_batch": 1024,
        "mb_per_second": {name: summary(100.0) for name in names},
        "ratio_to_tensorflow": {"pipe": summary(1.2), "pipe_fused": summary(5.5)},
    }


def test_each_format_stands_beside_the_dataset_it_is_compared_with() -> None:
    import figures_framing

    results = [framing_result("TFRecord", 100), framing_result("TextLine", 80)]
    framing = {**report(), "tensorflow": "tensorflow 2", "results": results}
    picture = figures_framing.draw(framing).svg()
    assert "TFRecord, in relation to TFRecordDataset" in picture
    assert "TextLine, in relation to TextLineDataset" in picture
    assert picture.count("5.5x") == 2
    words = figures_framing.describe(framing)
    assert "| TextLine, 80 B | 1.20 (1.08 to 1.32) | 5.50 (4.95 to 6.05), n = 1024 |" in words
    assert "RecordIO" not in words  # it is not in the results


def test_png_knows_of_which_drawing_it_is() -> None:
    pytest.importorskip("matplotlib")
    import figures_s3_stream

    drawing = figures_s3_stream.draw(report())
    png = drawing.png()
    assert png.startswith(b"\x89PNG")
    assert drawing.is_png_of(png)
    changed = report()
    changed["results"]["small"]["clients"]["ours"] = client(2001)
    assert not figures_s3_stream.draw(changed).is_png_of(png)


def test_check_fails_on_a_chart_that_is_not_what_the_results_give(tmp_path: Path) -> None:
    root = tmp_path / "copy"
    (root / "docs").mkdir(parents=True)
    scripts = [*BENCHMARKS.glob("*.py")]
    (root / "benchmarks" / "results").mkdir(parents=True)
    for script in scripts:
        (root / "benchmarks" / script.name).write_text(script.read_text())
    marks = "<!-- figures: {} -->\n<!-- /figures -->\n"
    readme = "".join(map(marks.format, ("framing", "s3_stream", "training_modes")))
    (root / "README.md").write_text(readme)

    def check() -> int:
        command = [sys.executable, str(root / "benchmarks" / "report.py"), "--check"]
        return subprocess.run(command, capture_output=True).returncode

    assert check() == 0  # no results, no figures
    (root / "README.md").write_text(readme.replace("-->\n<!-- /", "-->\ninvented\n<!-- /", 1))
    assert check() == 1


@pytest.mark.parametrize(("median", "met"), [(0.85, True), (0.84, False)])
def test_bars_say_whether_they_are_met(median: float, met: bool) -> None:
    from s3_cases.bench import judged

    assert judged(summary(median), at_least=0.85)["met"] is met
    assert judged(summary(1 / median), at_most=1 / 0.85)["met"] is met
    assert "met" not in judged(summary(median))


def test_a_rival_that_fails_is_left_out_with_its_last_words() -> None:
    from s3_cases.bench import Contestant, run_json

    runs = []

    def run() -> Any:
        runs.append(1)
        return run_json([sys.executable, "-c", "raise SystemExit('no such module')"])

    rival = Contestant(run)
    assert rival() is None
    assert rival() is None
    assert "no such module" in rival.absent
    assert len(runs) == 1


def test_objects_are_filled_to_their_last_byte_with_records(tmp_path: Path) -> None:
    import s3_data
    from nginx_server import MTIME

    from sagemaker_tensorflow.records import open_records

    data = s3_data.DataSet("bucket", 2, (256 << 10) + 100)
    s3_data._write(data, tmp_path / "bucket")
    paths = [tmp_path / "bucket" / name for name in data.names]
    assert [path.stat().st_size for path in paths] == [data.object_bytes] * 2
    assert {path.stat().st_mtime for path in paths} == {MTIME}
    records = 0
    for path in paths:
        with open_records(path, "TFRecord") as reader:  # verifies the CRCs
            records += sum(1 for _ in reader)
    assert records == data.records
