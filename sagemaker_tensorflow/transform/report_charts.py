"""Charts as inline SVG. Colours come from the page's style sheet, so that they follow its theme."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH = 560
_HEIGHT = 220
_LEFT = 64
_RIGHT = 12
_TOP = 12
_BOTTOM = 34
_TICKS = 4
# A histogram gets at most so many labels, so far apart.
_MOST_LABELS = 11
_LABEL_GAP = 10
_LABEL_WIDTH = 60
_LETTER_WIDTH = 7  # of the text's 12 px, about
_ROW_HEIGHT = 26
_ROW_LABEL_WIDTH = 84
_ROW_VALUE_WIDTH = 140
# Below this a bar with a value could not be seen.
_LEAST_BAR = 1.5

# Seconds between labels, up to a day.
_TIME_STEPS = (
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    14_400,
    28_800,
    86_400,
)
_MOST_STEPS = 5

Format = Callable[[float], str]


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        label: On the axis.
        value: From 0.
        title: Shown when the pointer is on it.
    """

    label: str
    value: float
    title: str


def nice_ceiling(value: float) -> float:
    """The next number up that is 1, 2, 2.5 or 5 times a power of ten; 1 for 0 or less."""
    if not value > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    # A bit of tolerance: 0.3 / 0.1 is 2.9999999999999996.
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value * (1 - 1e-9))


def value_ticks(most: float, whole: bool = False) -> list[float]:
    """Where a values' axis is labelled: from 0 up to `most` or little more, at most five places.

    Args:
        most: The highest value, over 0.
        whole: Values are counts, of which there are no fractions.
    """
    step = nice_ceiling(most / _TICKS)
    if whole and step % 1:
        step = max(1.0, nice_ceiling(step * 1.1))  # 2.5 is the only fraction over 1
    return [n * step for n in range(math.ceil(most / step * (1 - 1e-9)) + 1)]


def time_step(seconds: float) -> float:
    """How far apart labels on an axis of so many seconds are: round, and at most six of them."""
    least = seconds / _MOST_STEPS
    if least < 1:
        return nice_ceiling(least)
    return next((s for s in _TIME_STEPS if s >= least), 86_400 * nice_ceiling(least / 86_400))


def time_chart(
    points: Sequence[tuple[float, float]], name: str, format_y: Format, *, whole: bool = False
) -> str:
    """An area under a line, over time.

    Args:
        points: Seconds from 0, ascending, and values from 0.
        name: Of what is shown, for those who hear the page.
        format_y: Of the values' axis.
        whole: No fractions on that axis.
    """
    if len(points) < 2 or points[-1][0] <= 0 or not any(y for _, y in points):
        return _nothing()
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    seconds = points[-1][0]
    ticks = value_ticks(max(y for _, y in points), whole)
    most = ticks[-1]
    places = [(_LEFT + x / seconds * width, _TOP + height - y / most * height) for x, y in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    floor = _TOP + height
    area = f"{places[0][0]:.1f},{floor} {path} {places[-1][0]:.1f},{floor}"
    shapes = [
        *_grid(ticks, format_y),
        f'<polygon class="area" points="{area}"/>',
        f'<polyline class="line" points="{path}"/>',
        *_time_axis(seconds),
    ]
    return _svg(_HEIGHT, name, shapes)


def _time_axis(seconds: float) -> Iterator[str]:
    step = time_step(seconds)
    right = _WIDTH - _RIGHT
    for n in range(int(seconds / step * (1 + 1e-9)) + 1):
        x = _LEFT + n * step / seconds * (right - _LEFT)
        anchor = "end" if x > right - _LABEL_WIDTH / 2 else "middle"
        yield _text(x, _HEIGHT - 12, _round_time(n * step), anchor)


def _round_time(seconds: float) -> str:
    """``5 min`` and not ``5 min 00 s``."""
    if seconds % 1 or seconds < 1:
        return f"{seconds:.3g} s"
    units = (("h", 3600, 1 << 60), ("min", 60, 60), ("s", 1, 60))
    parts = [(int(seconds // size) % most, unit) for unit, size, most in units]
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def histogram(bars: Sequence[Bar], first: str, name: str, format_y: Format) -> str:
    """Upright bars side by side, each between the bounds of its range.

    Args:
        bars: Counts; a bar's label is its upper bound, and stands at its right edge.
        first: The lower bound of the first one.
        name: Of what is shown, for those who hear the page.
        format_y: Of the counts' axis.
    """
    if not any(bar.value for bar in bars):
        return _nothing()
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    ticks = value_ticks(max(bar.value for bar in bars), whole=True)
    # No bar is so wide that two of them look like a wall.
    slot = min(width / len(bars), 72.0)
    left = _LEFT + (width - slot * len(bars)) / 2
    shapes = [*_grid(ticks, format_y)]
    for n, bar in enumerate(bars):
        tall = max(bar.value / ticks[-1] * height, _LEAST_BAR) if bar.value else 0.0
        shapes.append(
            f'<rect class="bar" x="{left + n * slot + 1:.1f}" y="{_TOP + height - tall:.1f}" '
            f'width="{slot - 2:.1f}" height="{tall:.1f}" rx="2">'
            f"<title>{escape(bar.title)}</title></rect>"
        )
    labels = [first, *(bar.label for bar in bars)]
    room = max(map(len, labels)) * _LETTER_WIDTH + _LABEL_GAP
    every = max(math.ceil(len(labels) / _MOST_LABELS), math.ceil(room / slot))
    for n, label in enumerate(labels):
        if n % every == 0:
            x = min(left + n * slot, _WIDTH - _RIGHT - len(label) * _LETTER_WIDTH / 2)
            shapes.append(_text(x, _HEIGHT - 12, label, "middle"))
    return _svg(_HEIGHT, name, shapes)


def row_chart(bars: Sequence[Bar], name: str) -> str:
    """Bars that lie one below the other, each with its title behind it."""
    if not any(bar.value for bar in bars):
        return _nothing()
    most = max(bar.value for bar in bars)
    width = _WIDTH - _ROW_LABEL_WIDTH - _ROW_VALUE_WIDTH
    shapes = []
    for n, bar in enumerate(bars):
        top = n * _ROW_HEIGHT + 6
        long = max(bar.value / most * width, _LEAST_BAR) if bar.value else 0.0
        middle = top + _ROW_HEIGHT / 2 + 1
        shapes += [
            _text(_ROW_LABEL_WIDTH - 8, middle, bar.label, "end"),
            f'<rect class="bar" x="{_ROW_LABEL_WIDTH}" y="{top}" width="{long:.1f}" '
            f'height="{_ROW_HEIGHT - 8}" rx="2"><title>{escape(bar.title)}</title></rect>',
            _text(_ROW_LABEL_WIDTH + long + 8, middle, bar.title, "start"),
        ]
    return _svg(len(bars) * _ROW_HEIGHT + 12, name, shapes)


def _grid(ticks: Sequence[float], format_y: Format) -> Iterator[str]:
    height = _HEIGHT - _TOP - _BOTTOM
    for tick in ticks:
        y = _TOP + height - tick / ticks[-1] * height
        yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _text(_LEFT - 8, y + 4, format_y(tick), "end")


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(height: int, name: str, shapes: Sequence[str]) -> str:
    body = "\n".join(shapes)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(name)}">\n'
        f"{body}\n</svg>"
    )


def _nothing() -> str:
    return '<p class="nothing">Nothing was measured.</p>'
