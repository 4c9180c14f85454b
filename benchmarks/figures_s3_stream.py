"""What the README shows of bench_s3_stream.py."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from drawing import Drawing, Line, Rectangle, Text
from figure_text import machine_words, quartiles, size_words

_OURS = "this package"
# In the order of the chart, with the package whose version belongs to the name.
_CLIENTS = {
    "raw": ("bare sockets, in no order", None),
    "ours": (_OURS, None),
    "obstore_threads": ("obstore, threads", "obstore"),
    "obstore_async": ("obstore, async", "obstore"),
    "awscrt": ("awscrt", "awscrt"),
    "s3torchconnector": ("s3torchconnectorclient", "s3torchconnectorclient"),
    "boto3": ("boto3, threads", "boto3"),
}
_COLOURS = {"raw": "#9aa5b1", "ours": "#0b5cad"}
_RIVAL = "#cbd2d9"
_TITLES = {
    "big": "{objects} objects of {size}",
    "small": "{objects} objects of {size}",
    "tls": "{objects} objects of {size}, TLS",
}
_WIDTH, _LEFT, _PLOT, _ROW, _TITLE = 760, 190, 350, 22, 30


def draw(report: dict[str, Any]) -> Drawing:
    """A panel for each set of objects, a bar for each client, all on one scale."""
    panels = {case: report["results"][case] for case in _TITLES if case in report["results"]}
    rows = sum(len(list(_rows(panel))) for panel in panels.values())
    drawing = Drawing(_WIDTH, _TITLE * len(panels) + _ROW * rows + 15)
    top = max(
        client["mb_per_second"]["q3"]
        for panel in panels.values()
        for client in panel["clients"].values()
        if "absent" not in client
    )
    y = 0.0
    for case, panel in panels.items():
        y += _TITLE
        drawing.add(Text(_LEFT, y - 8, _title(case, panel), bold=True))
        for name, client in _rows(panel):
            _draw_row(drawing, y, name, client, _PLOT / top)
            y += _ROW
    return drawing


def _title(case: str, panel: dict[str, Any]) -> str:
    size = size_words(panel["object_bytes"])
    return _TITLES[case].format(objects=f"{panel['objects']:,}", size=size)


def _rows(panel: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((name, panel["clients"][name]) for name in _CLIENTS if name in panel["clients"])


def _draw_row(drawing: Drawing, y: float, name: str, client: dict[str, Any], pixels: float) -> None:
    """One client: the median as a bar with the quartiles on it, and its numbers."""
    drawing.add(Text(_LEFT - 8, y + 14, _CLIENTS[name][0], "end", bold=name == "ours"))
    if "absent" in client:
        drawing.add(Text(_LEFT + 6, y + 14, "not measured"))
        return
    rate, cost = client["mb_per_second"], client["cpu_s_per_gb"]["median"]
    colour = _COLOURS.get(name, _RIVAL)
    drawing.add(Rectangle(_LEFT, y + 2, rate["median"] * pixels, _ROW - 5, colour))
    middle = y + _ROW / 2 - 0.5
    drawing.add(
        Line(_LEFT + rate["q1"] * pixels, middle, _LEFT + rate["q3"] * pixels, middle, "#323f4b")
    )
    words = f"{rate['median']:,.0f} MB/s, {cost:.2f} CPU s/GB"
    x = _LEFT + max(rate["median"], rate["q3"]) * pixels + 8
    drawing.add(Text(x, y + 14, words, bold=name == "ours"))


def describe(report: dict[str, Any]) -> str:
    """What stands below the chart: conditions, and our rate in relation to others'."""
    results = report["results"]
    cases = [case for case in _TITLES if case in results]
    table = [
        "| our rate in relation to | " + " | ".join(_title(c, results[c]) for c in cases) + " |",
        "|---|" + "---|" * len(cases),
    ]
    for other in ("raw", "obstore", "awscrt", "s3torchconnector", "boto3"):
        cells = [_ratio(results[case], other) for case in cases]
        if any(cells):
            name = "obstore, the faster way" if other == "obstore" else _CLIENTS[other][0]
            table.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(
        [
            "Objects to memory, median and quartiles of the ratios of each round:",
            "",
            *table,
            "",
            textwrap.fill(_conditions(report, results[cases[0]]), 100),
        ]
    )


def _ratio(panel: dict[str, Any], other: str) -> str:
    for ratio in panel["ratios"]:
        if ratio["ratio"] == f"ours/{other}" and ratio["of"] == "mb_per_second":
            return "not measured" if "absent" in ratio else quartiles(ratio)
    return ""


def _conditions(report: dict[str, Any], panel: dict[str, Any]) -> str:
    packages = dict.fromkeys(package for _, package in _CLIENTS.values() if package)
    versions = ", ".join(f"{name} {report['versions'][name]}" for name in packages)
    return (
        "The engine reads objects that nginx serves from memory on loopback, on the same cores. "
        f"The other clients have {panel['connections']} connections and parts of "
        f"{size_words(panel['part_bytes'])}; the engine finds both by itself. All have "
        f"{size_words(panel['memory_bytes'])} to read ahead in and take the objects in order; "
        "bare sockets are there to show what the machine can do: they receive into one small "
        "buffer, in no order. CPU is the client's "
        f"user and system time per 1e9 bytes. {report['rounds']} interleaved rounds. "
        f"{machine_words(report)}, {versions}."
    )
