from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_tensorflow.transform.report_charts import (
    Bar,
    histogram,
    nice_ceiling,
    row_chart,
    time_chart,
    time_step,
    value_ticks,
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


@pytest.mark.parametrize(
    ("most", "ticks", "counts"),
    [
        (1, [0, 0.25, 0.5, 0.75, 1], [0, 1]),
        (3, [0, 1, 2, 3], [0, 1, 2, 3]),
        (10, [0, 2.5, 5, 7.5, 10], [0, 5, 10]),
        (11, [0, 5, 10, 15], [0, 5, 10, 15]),
        (81, [0, 25, 50, 75, 100], [0, 25, 50, 75, 100]),
    ],
)
def test_ticks_of_values_and_of_counts(
    most: float, ticks: list[float], counts: list[float]
) -> None:
    assert value_ticks(most) == pytest.approx(ticks)
    assert value_ticks(most, whole=True) == counts


@given(st.floats(1e-9, 1e15), st.booleans())
def test_the_highest_value_is_below_the_last_tick(most: float, whole: bool) -> None:
    ticks = value_ticks(most, whole=whole)
    assert 2 <= len(ticks) <= 5
    assert ticks[-1] >= most * (1 - 1e-9)
    assert ticks[-2] < most


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
    chart = histogram([Bar("a", 1e6, ""), Bar("b", 1, ""), Bar("c", 0, "")], "0", "bars", str)
    heights = [float(bar.attrib["height"]) for bar in ElementTree.fromstring(chart).findall("rect")]
    assert heights == [174, 1.5, 0]


def test_bounds_stand_at_the_edges_of_their_bars() -> None:
    chart = ElementTree.fromstring(histogram([Bar("L1", 1, ""), Bar("L2", 1, "")], "L0", "", str))
    bars = [(float(r.attrib["x"]), float(r.attrib["width"])) for r in chart.findall("rect")]
    edges = [float(t.attrib["x"]) for t in chart.findall("text") if (t.text or "")[0] == "L"]
    assert [edges[0] + 1, edges[1] + 1] == [x for x, _ in bars]
    assert [edges[1] - 1, edges[2] - 1] == [x + width for x, width in bars]


@pytest.mark.parametrize("bars", [1, 10, 11, 12, 100])
def test_labels_have_room(bars: int) -> None:
    chart = histogram([Bar(f"L{n}", 1, "") for n in range(bars)], "L", "bars", str)
    assert len(re.findall(">L", chart)) <= 11


def test_nothing_to_show() -> None:
    for chart in (
        time_chart([], "", str),
        time_chart([(0, 0), (5, 0)], "", str),
        histogram([Bar("a", 0, "")], "0", "", str),
        row_chart([], ""),
    ):
        assert "Nothing was measured" in chart
