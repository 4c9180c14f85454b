"""What the README shows of bench_framing.py."""

from __future__ import annotations

import textwrap
from typing import Any

from drawing import Drawing, Line, Rectangle, Text
from figure_text import machine_words, quartiles, size_words

# Each with its colour and its name in the legend; {n} is the number of records in a fused batch.
_BARS = {
    "tfrecord": ("#9aa5b1", "TFRecordDataset, .batch(1024)"),
    "pipe": ("#4c9be8", "PipeModeDataset, .batch(1024)"),
    "tfrecord_fused_batch": ("#cbd2d9", "TFRecordDataset, .batch(128)"),
    "pipe_fused": ("#0b5cad", "PipeModeDataset, batch_size=n, n as for its grey bar"),
}
_WIDTH, _HEIGHT, _LEFT, _TOP, _PLOT = 760, 400, 60, 70, 270
_STEPS = (50, 100, 200, 250, 500, 1000, 2000)  # between grid lines, MB/s


def _bar_order(result: dict[str, Any]) -> list[str]:
    """The contestants at one record size, each pipe behind what it is compared with."""
    return [name for name in _BARS if name in result["mb_per_second"]]


class _Chart:
    """Groups of bars, one for each record size."""

    def __init__(self, results: list[dict[str, Any]]) -> None:
        self.drawing = Drawing(_WIDTH, _HEIGHT)
        self._top = 1.1 * max(s["q3"] for r in results for s in r["mb_per_second"].values())
        self._draw_grid()
        self._draw_legend({name for result in results for name in _bar_order(result)})
        pitch = (_WIDTH - _LEFT - 20) / len(results)
        for index, result in enumerate(results):
            self._draw_group(_LEFT + (index + 0.1) * pitch, 0.8 * pitch, result)

    def _y(self, rate: float) -> float:
        return _TOP + _PLOT * (1 - rate / self._top)

    def _draw_grid(self) -> None:
        step = next((step for step in _STEPS if self._top / step <= 6), _STEPS[-1])
        for rate in range(0, int(self._top) + 1, step):
            y = self._y(rate)
            self.drawing.add(Line(_LEFT, y, _WIDTH - 20, y, "#e4e7eb"))
            self.drawing.add(Text(_LEFT - 8, y + 4, str(rate), "end"))
        self.drawing.add(Text(_LEFT - 45, _TOP - 12, "MB/s"))
        self.drawing.add(Text(_WIDTH / 2, _HEIGHT - 12, "size of a record", "middle"))

    def _draw_legend(self, shown: set[str]) -> None:
        for index, name in enumerate(name for name in _BARS if name in shown):
            x, y = _LEFT + 330 * (index % 2), 14 + 20 * (index // 2)
            colour, words = _BARS[name]
            self.drawing.add(Rectangle(x, y, 12, 12, colour), Text(x + 18, y + 11, words))

    def _draw_group(self, x: float, width: float, result: dict[str, Any]) -> None:
        """The bars of one record size, ours under their ratios."""
        names = _bar_order(result)
        each = width / len(names)
        label = size_words(result["record_bytes"])
        self.drawing.add(Text(x + width / 2, _TOP + _PLOT + 20, label, "middle"))
        for index, name in enumerate(names):
            sample = result["mb_per_second"][name]
            self._draw_bar(x + index * each, each - 4, sample, _BARS[name][0])
            if name in result["ratio_to_tfrecord"]:
                ratio = result["ratio_to_tfrecord"][name]["median"]
                middle = x + (index + 0.5) * each - 2
                words = Text(middle, self._y(sample["q3"]) - 5, f"{ratio:.1f}x", "middle")
                self.drawing.add(words)

    def _draw_bar(self, x: float, width: float, sample: dict[str, float], colour: str) -> None:
        """The median as a bar and the quartiles as a line on it."""
        top, middle = self._y(sample["median"]), x + width / 2
        self.drawing.add(Rectangle(x, top, width, _TOP + _PLOT - top, colour))
        ends = (self._y(sample["q1"]), self._y(sample["q3"]))
        self.drawing.add(Line(middle, ends[0], middle, ends[1], "#323f4b"))


def draw(report: dict[str, Any]) -> Drawing:
    """The chart."""
    return _Chart(report["results"]).drawing


def describe(report: dict[str, Any]) -> str:
    """What stands below the chart: the ratios and the conditions."""
    results = report["results"]
    rows = [
        f"| {size_words(r['record_bytes'])} | {quartiles(r['ratio_to_tfrecord']['pipe'])} "
        f"| {quartiles(r['ratio_to_tfrecord']['pipe_fused'])}, n = {r['fused_batch']} |"
        for r in results
    ]
    sizes = sorted({r["file_bytes"] >> 20 for r in results})
    conditions = (
        "`TFRecordDataset` reads the file; `PipeModeDataset` reads a named pipe that another "
        "process fills from the same file, on the same cores. TFRecords of random bytes, the file "
        f"in tmpfs ({' or '.join(map(str, sizes))} MiB), payload bytes per second, "
        f"{report['rounds']} interleaved rounds, each contestant a process of its own "
        f"with the defaults that a user gets. {machine_words(report)}, {report['tensorflow']}."
    )
    return "\n".join(
        [
            "Rate in relation to `TFRecordDataset`, median and quartiles:",
            "",
            "| record | `.batch(1024)` | `batch_size=n` against `.batch(n)` |",
            "|---|---|---|",
            *rows,
            "",
            textwrap.fill(conditions, 100),
        ]
    )
