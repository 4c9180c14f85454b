from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_tensorflow.training.history import metric_watcher
from sagemaker_tensorflow.training.history.metric_definitions import MetricMatcher
from sagemaker_tensorflow.training.history.metric_point import MetricPoint
from sagemaker_tensorflow.training.history.metric_watcher import MetricWatcher


def append(path: Path, text: str) -> None:
    with path.open("a", newline="") as file:
        file.write(text)


def found(points: list[MetricPoint]) -> list[tuple[str, float, str]]:
    return [(point.name, point.value, point.host) for point in points]


def test_lines_count_when_they_are_whole(tmp_path: Path) -> None:
    """Of several logs, in which a progress bar begins its line anew."""
    logs = {host: tmp_path / host for host in ("algo-1", "algo-2")}
    watcher = MetricWatcher(logs, MetricMatcher([("n", r"n=(\d+)")]))
    assert watcher.look() == []
    append(logs["algo-1"], "n=1\rn=2\nn=3")
    append(logs["algo-2"], "n=7\n")
    assert found(watcher.look()) == [("n", 1, "algo-1"), ("n", 2, "algo-1"), ("n", 7, "algo-2")]
    append(logs["algo-1"], "0\nn=4")
    rest = [point for points in watcher.look_to_the_end() for point in points]
    assert found(rest) == [("n", 30, "algo-1"), ("n", 4, "algo-1")]
    assert rest[0].timestamp <= rest[1].timestamp


def test_much_output_is_taken_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The piece's end is in the middle of a line."""
    monkeypatch.setattr(metric_watcher, "_LOOK_BYTES", 1001)
    log = tmp_path / "log"
    append(log, "".join(f"n={n}\n" for n in range(1000)))
    watcher = MetricWatcher({"algo-1": log}, MetricMatcher([("n", r"n=(\d+)")]))
    first = watcher.look()
    assert 0 < len(first) < 1000
    rest = [point for points in watcher.look_to_the_end() for point in points]
    assert [point.value for point in first + rest] == list(range(1000))
