from __future__ import annotations

import re
import socket
import urllib.error
import urllib.request
from http.client import HTTPResponse

import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError, UnavailableError
from sagemaker_tensorflow.transform.job_progress import JobProgress
from sagemaker_tensorflow.transform.metrics import MetricsServer, render_metrics
from tests.transform.inputs import make_object
from tests.transform.jobs import some_progress

# The grammar of the text format.
NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
VALUE = re.compile(rf"({NAME})((?:\{{{LABEL}(?:,{LABEL})*\}})?) ([0-9.e+-]+)")


def values(text: str) -> dict[str, float]:
    """By name and labels, having looked at the grammar."""
    assert text.endswith("\n")
    found, kinds = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            kinds[name] = kind
            continue
        if line.startswith("# HELP "):
            assert len(line.split(maxsplit=3)) == 4
            continue
        match = VALUE.fullmatch(line)
        assert match, line
        name, labels, value = match.groups()
        family = re.sub("_(bucket|sum|count)$", "", name)
        assert kinds.get(name) in ("counter", "gauge") or kinds[family] == "histogram"
        assert (kinds.get(name) == "counter") == name.endswith("_total")
        assert name + labels not in found
        found[name + labels] = float(value)
    return found


def test_values() -> None:
    found = values(render_metrics(some_progress()))
    expected = {
        "seconds": 12,
        "objects": 4,
        'objects_ended_total{outcome="done"}': 1,
        'objects_ended_total{outcome="skipped"}': 1,
        'objects_ended_total{outcome="failed"}': 1,
        "records_total": 1860,
        "records_failed_total": 1,
        "bytes_read_total": 6000,
        "bytes_written_total": 10_800,
        "bytes_expected": 10_000,
        'batch_instances_bucket{le="16"}': 0,
        'batch_instances_bucket{le="32"}': 4,
        'batch_instances_bucket{le="64"}': 8,
        'batch_instances_bucket{le="+Inf"}': 12,
        "batch_instances_count": 12,
        "batch_instances_sum": 4 * (32 + 64 + 128),
    }
    for name, value in expected.items():
        assert found[f"smtf_transform_{name}"] == value, name
    assert found['smtf_transform_stage_seconds_total{stage="infer"}'] == pytest.approx(8.4)


def test_objects_are_unknown_while_they_are_listed() -> None:
    assert "smtf_transform_objects" not in values(render_metrics(JobProgress().snapshot()))


def test_labels_are_escaped() -> None:
    progress = JobProgress()
    progress.add_stage('a"b\\c\nd', 1)
    found = values(render_metrics(progress.snapshot()))
    assert found['smtf_transform_stage_seconds_total{stage="a\\"b\\\\c\\nd"}'] == 1


def test_buckets_ascend() -> None:
    found = values(render_metrics(some_progress()))
    for name in ("batch_instances", "batch_seconds"):
        counts = [v for k, v in found.items() if k.startswith(f"smtf_transform_{name}_bucket")]
        assert counts == sorted(counts)
        assert counts[-1] == found[f"smtf_transform_{name}_count"]


def get(port: int, path: str) -> HTTPResponse:
    answer = urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30)
    assert isinstance(answer, HTTPResponse)
    return answer


@pytest.mark.usefixtures("clean_aws")  # also takes away proxies
def test_server() -> None:
    progress = JobProgress()
    with MetricsServer(progress, 0) as server:
        for records in (0, 5):
            progress.add_records(make_object("a"), records)
            with get(server.port, "/metrics") as answer:
                assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
                assert values(answer.read().decode())["smtf_transform_records_total"] == records
        with pytest.raises(urllib.error.HTTPError) as caught:
            get(server.port, "/")
        with caught.value as refused:
            assert refused.code == 404
    server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))


def test_port_that_is_taken() -> None:
    with (
        MetricsServer(JobProgress(), 0) as server,
        pytest.raises(UnavailableError, match=f"127.0.0.1:{server.port}: .*choose another port"),
    ):
        MetricsServer(JobProgress(), server.port)


@pytest.mark.parametrize("port", [-1, 65536])
def test_port_that_is_none(port: int) -> None:
    with pytest.raises(InvalidArgumentError, match="give 0 to 65535"):
        MetricsServer(JobProgress(), port)
