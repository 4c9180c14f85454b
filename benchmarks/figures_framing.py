"""What the README shows of bench_framing.py."""

from __future__ import annotations

import itertools
import textwrap
from typing import Any

from drawing import Drawing, Line, Rectangle, Text
from figure_text import machine_words, quartiles, size_words

# Each with its colour and its name in the legend; {n} is the number of records in a fused batch.
_BARS = {
    "tensorflow": ("#9aa5b1", "TensorFlow's dataset, .batch(1024)"),
    "pipe": ("#4c9be8", "PipeModeDataset, .batch(1024)"),
    "tensorflow_fused_batch": ("#cbd2d9", "TensorFlow's dataset, .batch(128)"),
    "pipe_fused": ("#0b5cad", "PipeModeDataset, batch_size=n, n as for its grey bar"),
}
_TENSORFLOW_DATASET = {
    "TFRecord": "TFRecordDataset",
    "RecordIO": "TFRecordDataset",
    "TextLine": "TextLineDataset",
}
_WIDTH, _LEFT, _LEGEND, _PANEL, _PLOT = 760, 60, 50, 270, 190
_TITLE = 35  # from a panel's top to its plot
_STEPS = (25, 50, 100, 200, 250, 500, 1000, 2000)  # between grid lines, MB/s


def _bar_order(result: dict[str, Any]) -> list[str]:
    """The contestants at one record size, each pipe behind what it is compared with."""
    return [name for name in _BARS if name in result["mb_per_second"]]


def _by_format(results: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The results of each format, in their order."""
    groups = itertools.groupby(results, key=lambda result: str(result["record_format"]))
    return [(record_format, list(group)) for record_format, group in groups]


class _Panel:
    """One format: groups of bars, one for each record size."""

    def __init__(
        self, drawing: Drawing, y: float, record_format: str, results: list[dict[str, Any]]
    ) -> None:
        self._drawing = drawing
        self._plot = y + _TITLE
        self._top = 1.15 * max(s["q3"] for r in results for s in r["mb_per_second"].values())
        title = f"{record_format}, in relation to {_TENSORFLOW_DATASET[record_format]}; MB/s"
        drawing.add(Text(_LEFT, y + 20, title, bold=True))
        self._draw_grid()
        pitch = (_WIDTH - _LEFT - 20) / len(results)
        for index, result in enumerate(results):
            self._draw_group(_LEFT + (index + 0.1) * pitch, 0.8 * pitch, result)

    def _y(self, rate: float) -> float:
        return self._plot + _PLOT * (1 - rate / self._top)

    def _draw_grid(self) -> None:
        step = next((step for step in _STEPS if self._top / step <= 6), _STEPS[-1])
        for rate in range(0, int(self._top) + 1, step):
            y = self._y(rate)
            self._drawing.add(Line(_LEFT, y, _WIDTH - 20, y, "#e4e7eb"))
            self._drawing.add(Text(_LEFT - 8, y + 4, str(rate), "end"))

    def _draw_group(self, x: float, width: float, result: dict[str, Any]) -> None:
        """The bars of one record size, ours under their ratios."""
        names = _bar_order(result)
        each = width / len(names)
        label = size_words(result["record_bytes"])
        self._drawing.add(Text(x + width / 2, self._plot + _PLOT + 20, label, "middle"))
        for index, name in enumerate(names):
            sample = result["mb_per_second"][name]
            self._draw_bar(x + index * each, each - 4, sample, _BARS[name][0])
            if name in result["ratio_to_tensorflow"]:
                ratio = result["ratio_to_tensorflow"][name]["median"]
                middle = x + (index + 0.5) * each - 2
                words = Text(middle, self._y(sample["q3"]) - 5, f"{ratio:.1f}x", "middle")
                self._drawing.add(words)

    def _draw_bar(self, x: float, width: float, sample: dict[str, float], colour: str) -> None:
        """The median as a bar and the quartiles as a line on it."""
        top, middle = self._y(sample["median"]), x + width / 2
        bottom = self._plot + _PLOT
        self._drawing.add(Rectangle(x, top, width, bottom - top, colour))
        ends = (self._y(sample["q1"]), self._y(sample["q3"]))
        self._drawing.add(Line(middle, ends[0], middle, ends[1], "#323f4b"))


def _draw_legend(drawing: Drawing, shown: set[str]) -> None:
    for index, name in enumerate(name for name in _BARS if name in shown):
        x, y = _LEFT + 330 * (index % 2), 14 + 20 * (index // 2)
        colour, words = _BARS[name]
        drawing.add(Rectangle(x, y, 12, 12, colour), Text(x + 18, y + 11, words))


def draw(report: dict[str, Any]) -> Drawing:
    """The chart: a panel for each format."""
    panels = _by_format(report["results"])
    drawing = Drawing(_WIDTH, _LEGEND + _PANEL * len(panels))
    _draw_legend(drawing, {name for result in report["results"] for name in _bar_order(result)})
    for index, (record_format, results) in enumerate(panels):
        _Panel(drawing, _LEGEND + _PANEL * index, record_format, results)
    return drawing


def _row(result: dict[str, Any]) -> str:
    ratios = result["ratio_to_tensorflow"]
    return (
        f"| {result['record_format']}, {size_words(result['record_bytes'])} "
        f"| {quartiles(ratios['pipe'])} "
        f"| {quartiles(ratios['pipe_fused'])}, n = {result['fused_batch']} |"
    )


def _rivals(formats: list[str]) -> str:
    """Which of TensorFlow's datasets read what."""
    words = ["`TFRecordDataset` reads the file"]
    if "RecordIO" in formats:
        words.append("the same payloads as TFRecords where ours reads RecordIO")
    if "TextLine" in formats:
        words.append("`TextLineDataset` reads lines of printable characters")
    return ", ".join(words)


def _rounds(results: list[dict[str, Any]]) -> str:
    """How many, where the formats were not all measured in one run."""
    counts = sorted({ratio["n"] for r in results for ratio in r["ratio_to_tensorflow"].values()})
    return " or ".join(map(str, counts))


def describe(report: dict[str, Any]) -> str:
    """What stands below the chart: the ratios and the conditions."""
    results = report["results"]
    sizes = sorted({r["payload_bytes"] >> 20 for r in results})
    conditions = (
        f"{_rivals([r['record_format'] for r in results])}; `PipeModeDataset` reads a named pipe "
        "that another process fills from the file, on the same cores. Random bytes, the file in "
        f"tmpfs ({' or '.join(map(str, sizes))} MiB), payload bytes per second, "
        f"{_rounds(results)} interleaved rounds, each contestant a process of its own "
        f"with the defaults that a user gets. {machine_words(report)}, {report['tensorflow']}."
    )
    return "\n".join(
        [
            "Rate in relation to TensorFlow's own dataset, median and quartiles:",
            "",
            "| records | `.batch(1024)` | `batch_size=n` against `.batch(n)` |",
            "|---|---|---|",
            *map(_row, results),
            "",
            textwrap.fill(conditions, 100),
        ]
    )
