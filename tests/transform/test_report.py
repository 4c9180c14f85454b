from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.job_progress import JobProgress, ProgressSnapshot
from sagemaker_tensorflow.transform.job_record import JobRecord
from sagemaker_tensorflow.transform.output_store import OutputStore, open_output_store
from sagemaker_tensorflow.transform.report import rates, render_report, write_report
from sagemaker_tensorflow.transform.spec import TransformSpec
from tests.transform.inputs import make_object
from tests.transform.jobs import SPEC, some_progress

NASTY = "<script>alert(1)</script><img src=x onerror=\"x\" 'y' & ]]>"


def job(now: ProgressSnapshot, spec: TransformSpec = SPEC, reason: str = "") -> dict[str, Any]:
    """As it is read from job.json."""
    record = JobRecord(open_output_store("/nowhere"), spec, "digest")
    record.start()
    record.set_status("Failed" if reason else "Completed", reason)
    described: dict[str, Any] = json.loads(json.dumps(record.describe(now)))
    return described


class Page(HTMLParser):
    """The tags and the words of a page; every tag that is opened has to be closed."""

    EMPTY = ("meta", "line", "polygon", "polyline", "rect")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and "style" not in self._open:
            self.words.append(data.strip())


def test_what_it_says() -> None:
    page = Page(render_report(job(some_progress())))
    for words in (
        "nightly-1",
        "Completed",
        "1,860",
        "of 4 objects done",
        "155",
        "500 B/s",
        "12 s",
        "infer",
        "8.4 s, 78%",
        "12 calls, 75 instances each on average",
        "half took ≤ 50 ms, 99 % ≤ 50 ms",
        "found at run time",
        "row 3 has 2 columns instead of 4; no result",
        "application/jsonlines",
    ):
        assert any(words in text for text in page.words), words


def test_six_charts_that_are_xml() -> None:
    text = render_report(job(some_progress()))
    charts = re.findall("<svg.*?</svg>", text, re.DOTALL)
    assert len(charts) == 6
    for chart in charts:
        root = ElementTree.fromstring(chart)
        width, height = map(float, root.attrib["viewBox"].split()[2:])
        for shape in root:
            assert 0 <= float(shape.get("x", 0)) <= width
            assert 0 <= float(shape.get("y", 0)) + float(shape.get("height", 0)) <= height
    bars = ElementTree.fromstring(charts[4]).findall("rect")
    assert [bar.findtext("title") for bar in bars] == [
        "more than 16, up to 32: 4 calls",
        "more than 32, up to 64: 4 calls",
        "more than 64, up to 128: 4 calls",
    ]
    assert len({bar.get("height") for bar in bars}) == 1


def test_nothing_is_fetched_and_nothing_runs() -> None:
    page = Page(render_report(job(some_progress())))
    assert not {"script", "link", "img", "iframe", "object", "a"} & {tag for tag, _ in page.tags}
    assert not {"src", "href"} & {name for _, attributes in page.tags for name in attributes}
    assert "url(" not in render_report(job(some_progress()))


def test_data_is_escaped_wherever_it_stands() -> None:
    now = some_progress(NASTY)
    failure = replace(now.failures[0], name=NASTY)
    now = replace(now, failures=(failure,), stage_seconds={NASTY: 1.0, "x": 0.0})
    spec = replace(
        SPEC,
        job_name=NASTY,
        model=NASTY,
        input_uri=NASTY,
        output_uri=NASTY,
        content_type=NASTY,
        signature=NASTY,
    )
    text = render_report(job(now, spec, reason=NASTY))
    assert "<script" not in text
    assert "<img" not in text
    assert sum(NASTY in words for words in Page(text).words) >= 8


@pytest.mark.parametrize("reason", ["", "nothing to do"])
def test_job_that_did_nothing(reason: str) -> None:
    page = Page(render_report(job(JobProgress(lambda: 0.0).snapshot(), reason=reason)))
    assert page.words.count("Nothing was measured.") == 6
    assert "None." in page.words


def test_one_of_each() -> None:
    progress = JobProgress(lambda: 0.0)
    progress.expect(1, 4)
    progress.add_batch(1, 2000.0)
    progress.record_failed(make_object("bad"), "no number")
    progress.object_failed(make_object("bad"), "no number")
    words = Page(render_report(job(progress.snapshot()))).words
    for one in (
        "of 1 object done",
        "object failed",
        "record failed",
        "1 call of 1 instance",
        "half took > 16 min 40 s, 99 % > 16 min 40 s",
        "up to 1: 1 call",
        "more than 16 min 40 s: 1 call",
    ):
        assert one in words, one


def test_not_all_failures_are_shown() -> None:
    now = some_progress()
    now = replace(now, failures=now.failures * 300, objects_with_errors=4000)
    page = Page(render_report(job(now)))
    assert "the first 200 of 4,000" in page.words
    assert page.words.count("no result") == 200


def samples(*points: tuple[float, int]) -> list[dict[str, float]]:
    return [{"seconds": seconds, "records": records} for seconds, records in points]


def test_rates() -> None:
    assert rates([], "records") == []
    assert rates(samples((0, 0)), "records") == []
    assert rates(samples((0, 0), (2, 10)), "records") == [(0, 5), (2, 5)]
    assert rates(samples((0, 0), (1, 10), (2, 40)), "records") == [(0, 10), (1, 10), (2, 30)]


def test_the_rest_of_a_job_is_no_rate_of_its_own() -> None:
    """Nothing but results is left to be written then, and the curve would fall to nothing."""
    assert rates(samples((0, 0), (1, 10), (2, 40), (2.5, 40)), "records") == [
        (0, 10),
        (1, 10),
        (2.5, 20),
    ]
    assert rates(samples((0, 0), (1, 10), (1.25, 10)), "records") == [(0, 8), (1.25, 8)]


def test_rates_of_points_that_are_too_close() -> None:
    """The last one is of the end, however soon after the one before it that was."""
    close = samples((0, 0), (100, 1000), (199.9999, 2000), (200, 2001))
    assert rates(close, "records") == [(0, 10), (100, 10), (200, pytest.approx(10.01))]
    many = samples(*((n / 10, n) for n in range(10_001)))
    points = rates(many, "records")
    assert len(points) <= 202
    assert points[-1][0] == 1000
    assert all(rate == pytest.approx(10) for _, rate in points)


def test_it_is_written_beside_the_record(store: OutputStore) -> None:
    described = job(some_progress("surrogate \udcff"))
    stored = write_report(store, described)
    assert stored.name == ".smtf-transform/nightly-1/report.html"
    assert store.read_small(stored.name).startswith(b"<!doctype html>")


@pytest.mark.parametrize("other", [{}, {"TransformJobName": "x", "Progress": []}])
def test_what_is_no_record(other: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match=r"no job\.json"):
        render_report(other)
