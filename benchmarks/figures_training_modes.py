"""What the README shows of bench_training_modes.py."""

from __future__ import annotations

import textwrap
from typing import Any

from drawing import Drawing, Line, Rectangle, Text
from figure_text import machine_words

_MODES = {"File": "#9aa5b1", "Pipe": "#0b5cad"}
# The case, the figure in it, and the panel's title.
_PANELS = (
    ("sizes", "first_batch_seconds", "time to the first batch"),
    ("sizes", "total_seconds", "total time, nothing to compute"),
    ("balanced", "total_seconds", "total time, compute as long as input"),
)
_WIDTH, _LEFT, _PLOT, _ROW, _GAP, _TITLE = 760, 130, 520, 16, 6, 32


def draw(report: dict[str, Any]) -> Drawing:
    """A panel for each figure, a pair of bars for each size, all on one scale."""
    panels = [
        (title, figure, _sizes(report["results"], case))
        for case, figure, title in _PANELS
        if case in report["results"]
    ]
    pairs = sum(len(sizes) for _, _, sizes in panels)
    height = _TITLE * len(panels) + (2 * _ROW + _GAP) * pairs + 12
    drawing = Drawing(_WIDTH, height)
    top = max(
        of_size[mode][figure]["q3"]
        for _, figure, sizes in panels
        for of_size in sizes.values()
        for mode in _MODES
    )
    y = 0.0
    for title, figure, sizes in panels:
        y += _TITLE
        drawing.add(Text(_LEFT, y - 10, title, bold=True))
        for size, of_size in sizes.items():
            for mode in _MODES:
                _draw_bar(drawing, y, f"{size}, {mode}", of_size[mode][figure], mode, _PLOT / top)
                y += _ROW
            y += _GAP
    return drawing


def _sizes(results: dict[str, Any], case: str) -> dict[str, Any]:
    found: dict[str, Any] = results["balanced"]["sizes"] if case == "balanced" else results[case]
    return found


def _draw_bar(
    drawing: Drawing, y: float, name: str, seconds: dict[str, float], mode: str, pixels: float
) -> None:
    """The median as a bar with the quartiles on it, and its number."""
    bold = mode == "Pipe"
    drawing.add(Text(_LEFT - 8, y + 12, name, "end", bold=bold))
    drawing.add(Rectangle(_LEFT, y + 1, seconds["median"] * pixels, _ROW - 2, _MODES[mode]))
    middle = y + _ROW / 2
    ends = (_LEFT + seconds["q1"] * pixels, _LEFT + seconds["q3"] * pixels)
    drawing.add(Line(ends[0], middle, ends[1], middle, "#323f4b"))
    x = _LEFT + max(seconds["median"], seconds["q3"]) * pixels + 6
    drawing.add(Text(x, y + 12, f"{seconds['median']:.1f} s", bold=bold))


def describe(report: dict[str, Any]) -> str:
    """What stands below the chart: what is lower by how much, what follows from the rates, how."""
    results = report["results"]
    table = [
        "| Pipe mode, lower by | first batch | the same without TensorFlow's import "
        "| total, nothing to compute | total, balanced | disk, File | disk, Pipe |",
        "|---|---|---|---|---|---|---|",
        *(_row(results, size, of_size) for size, of_size in results["sizes"].items()),
    ]
    paragraphs = [
        _first_batches(results),
        _fast_line(report),
        _consequences(report["line"]),
        _conditions(report),
    ]
    return "\n".join(
        [*table, "", "\n\n".join(textwrap.fill(words, 100) for words in paragraphs if words)]
    )


def _row(results: dict[str, Any], size: str, of_size: dict[str, Any]) -> str:
    balanced = results.get("balanced", {"sizes": {}})["sizes"].get(size)
    cells = [
        size,
        _percent(of_size["first_batch_lower"]),
        _percent(of_size["first_batch_without_import_lower"]),
        _percent(of_size["total_lower"]),
        _percent(balanced["total_lower"]) if balanced else "",
        *(_gigabytes(of_size[mode]["peak_disk_bytes"]["data"]) for mode in _MODES),
    ]
    return "| " + " | ".join(cells) + " |"


def _percent(share: dict[str, float]) -> str:
    return f"{100 * share['median']:.1f} %"


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count else "0"


def _first_batches(results: dict[str, Any]) -> str:
    """What the first one in Pipe mode waits for, and what memory a job takes."""
    words = []
    if starts := results.get("starts", {}).get("sizes"):
        seconds = [
            f"{of_size['first_batch_seconds']['median']:.2f} s at {size}"
            for size, of_size in starts.items()
        ]
        job, script = (
            max(of_size[name]["median"] for of_size in starts.values())
            for name in ("script_began_seconds", "import_seconds")
        )
        words.append(
            f"In Pipe mode the first batch comes after {', '.join(seconds)}: {job:.1f} s until the "
            f"script begins, {script:.1f} s for TensorFlow's import, and the rest for the batch."
        )
    largest = list(results["sizes"])[-1]
    of_size = results["sizes"][largest]
    peaks = [_memory(mode, of_size[mode]["peak_resident_bytes"]) for mode in _MODES]
    words.append(f"Peak resident size at {largest}: {'; '.join(peaks)}.")
    return " ".join(words)


def _memory(mode: str, peaks: dict[str, int]) -> str:
    sizes = (f"{role} {count >> 20} MiB" for role, count in peaks.items())
    return f"{mode} mode " + ", ".join(sizes)


def _consequences(line: dict[str, float]) -> str:
    """What the emulated rates decide by themselves."""
    return (
        f"What follows from the emulated rates: File mode's wait is the data's size over "
        f"{line['mb_per_second']:.0f} MB/s, so how much sooner the first batch comes in Pipe mode "
        "grows with the data; the total is lower by what File mode waits and Pipe mode overlaps, "
        "at most half of it where compute takes as long as input. What does not follow from "
        "them: that the first batch in Pipe mode does not depend on the size, that nothing is "
        "on the disk, how long a job takes to start, that memory is bounded, and that compute and "
        "streaming do not hinder each other."
    )


def _fast_line(report: dict[str, Any]) -> str:
    """What came of a line that is faster than the disk."""
    fast, held = report["results"].get("fast_line"), report["disk"]["held_to_mb_per_second"]
    if fast is None or not held:
        return ""
    rates = {mode: fast[mode]["input_mb_per_second"]["median"] for mode in _MODES}
    return (
        f"Where the line carries {fast['line_mb_per_second']:,.0f} MB/s, more than the disk, input "
        f"came at {rates['Pipe']:.0f} MB/s in Pipe mode and at {rates['File']:.0f} MB/s in File "
        f"mode, from `fit` to the end of {fast['bytes'] / (1 << 30):.0f} GiB: "
        f"{fast['input_throughput_ratio']['median']:.1f} times the throughput."
    )


def _conditions(report: dict[str, Any]) -> str:
    line, disk = report["line"], report["disk"]
    held = (
        f"the job's disk is ext4 on a loop device that the kernel holds to "
        f"{disk['held_to_mb_per_second']:.0f} MB/s, with a page cache in "
        f"{report['memory_bytes'] / 1e9:.0f} GB of memory before it"
        if disk["held_to_mb_per_second"]
        else "the job's disk was not held to a rate"
    )
    return (
        "One script, run by `TensorFlow(...).fit`, reads TFRecords of 128 KiB in batches of 64, "
        "one epoch: with `TFRecordDataset` what was downloaded, or with `PipeModeDataset` what "
        "comes. Times begin with `fit` and have TensorFlow's import in them. The S3 server is on "
        f"the same cores and sends {line['mb_per_second']:.0f} MB/s over all connections together, "
        f"{line['first_byte_ms']:.0f} ms to each first byte; {held}. Compute is matrix products "
        f"on one core. {report['rounds']} round{'s' if report['rounds'] > 1 else ''} of whole "
        f"jobs, {report['starts']} of starts. {machine_words(report)}, "
        f"{report['jobs']['tensorflow']}{_beside(report['jobs']['imported_by_keras'])}."
    )


def _beside(packages: list[str]) -> str:
    return f", whose import brings in {', '.join(packages)}" if packages else ""
