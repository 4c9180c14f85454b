from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_tensorflow.transform.report_charts import (
    Bar,
    bar_chart,
    nice_ceiling,
    row_chart,
    time_chart,
    time_step,
)


@pytest.mark.parametrize(
    ("value", "ceiling"),
    [(0, 1), (-3, 1), (1, 1), (1.01, 2), (0.3, 0.5), (2.4, 2.5), (7, 10), (10, 10), (26e6, 50e6)],
)
def test_nice_ceiling(value: float, ceiling: float) -> None:
    assert nice_ceiling(value) == pytest.approx(ceiling)


@given(st.floats(1e-12, 1e15))
def test_a_ceiling_is_never_much_too_high(value: float) -> None:
    assert value * (1 - 1e-9) <= nice_ceiling(value) <= value * 2.6


def test_a_line_ends_at_its_highest_value() -> None:
    chart = time_chart([(0, 0), (5, 5), (10, 10)], "rising", str)
    line = ElementTree.fromstring(chart).find("polyline")
    assert line is not None
    places = [tuple(map(float, p.split(","))) for p in line.attrib["points"].split()]
    assert places == [(64, 186), (306, 99), (548, 12)]
    words = [text.text for text in ElementTree.fromstring(chart).findall("text")]
    assert words[:5] == ["0.0", "2.5", "5.0", "7.5", "10.0"]
    assert words[5:] == ["0 s", "2 s", "4 s", "6 s", "8 s", "10 s"]


@pytest.mark.parametrize(
    ("seconds", "step"),
    [
        (0.004, 0.001),
        (3, 1),
        (5, 1),
        (5.1, 2),
        (60, 15),
        (900, 300),
        (86_400, 28_800),
        (1e7, 25 * 86_400),
    ],
)
def test_times_are_round(seconds: float, step: float) -> None:
    assert time_step(seconds) == pytest.approx(step)


@given(st.floats(1e-3, 1e9))
def test_times_have_room(seconds: float) -> None:
    assert 1 <= seconds / time_step(seconds) <= 5.001


def test_small_values_can_be_seen_and_zeros_cannot() -> None:
    chart = bar_chart([Bar("a", 1e6, ""), Bar("b", 1, ""), Bar("c", 0, "")], "bars", str)
    heights = [float(bar.attrib["height"]) for bar in ElementTree.fromstring(chart).findall("rect")]
    assert heights == [174, 1.5, 0]


@pytest.mark.parametrize("bars", [1, 11, 12, 100])
def test_labels_have_room(bars: int) -> None:
    chart = bar_chart([Bar(f"L{n}", 1, "") for n in range(bars)], "bars", str)
    assert len(re.findall(">L", chart)) <= 11


def test_nothing_to_show() -> None:
    for chart in (
        time_chart([], "", str),
        bar_chart([Bar("a", 0, "")], "", str),
        row_chart([], ""),
    ):
        assert "Nothing was measured" in chart
