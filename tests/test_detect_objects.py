"""Runs examples/detect_objects.py and looks at what it says and leaves."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

EXAMPLE = Path(__file__).parent.parent / "examples" / "detect_objects.py"
PHOTOS = 24


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("clean_aws")
def test_objects_are_found_and_counted(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, EXAMPLE, "--photos", str(PHOTOS), "--output", tmp_path],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{PHOTOS} of {PHOTOS} objects" in ran.stdout
    recall = re.search(r"recall (\d\.\d+) of (\d+) shapes", ran.stdout)
    assert recall is not None
    assert float(recall[1]) >= 0.95

    results = sorted((tmp_path / "results").glob("*.out"))
    assert len(results) == PHOTOS
    found = [json.loads(result.read_text()) for result in results]
    assert all(len(one["detection_boxes"]) == 16 for one in found)
    count = sum(one["num_detections"] for one in found)
    drawn = (tmp_path / "drawn.jsonl").read_text().splitlines()
    assert 0.95 <= count / len(drawn) <= 1.05
    assert int(recall[2]) == len(drawn)

    chart = ElementTree.parse(tmp_path / "objects.svg")
    shown = [text.text or "" for text in chart.iter("{http://www.w3.org/2000/svg}text")]
    assert sum(int(text) for text in shown if text.isdigit()) == count
