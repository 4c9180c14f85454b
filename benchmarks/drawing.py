"""A picture of rectangles, lines and words, as SVG and as PNG from the same shapes."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from html import escape

INK = "#1f2933"
_FONT_PIXELS = 12
_UNITS_PER_INCH = 100
_PNG_DPI = 200
_POINTS_PER_UNIT = 72 / _UNITS_PER_INCH
_ALIGNMENT = {"start": "left", "middle": "center", "end": "right"}


@dataclass(frozen=True)
class Rectangle:
    """Filled; from its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True)
class Line:
    """One pixel wide."""

    x1: float
    y1: float
    x2: float
    y2: float
    colour: str


@dataclass(frozen=True)
class Text:
    """A line of words on its baseline; `anchor` says which end of it is at x."""

    x: float
    y: float
    words: str
    anchor: str = "start"
    bold: bool = False


@dataclass
class Drawing:
    """Shapes on white, later ones on top. y grows downwards."""

    width: int
    height: int
    shapes: list[Rectangle | Line | Text] = field(default_factory=list)

    def add(self, *shapes: Rectangle | Line | Text) -> None:
        """Puts them on top."""
        self.shapes += shapes

    def svg(self) -> str:
        """The picture as an SVG document."""
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'font-family="sans-serif" font-size="{_FONT_PIXELS}" fill="{INK}">',
            f'<rect width="{self.width}" height="{self.height}" fill="white"/>',
            *map(_svg_element, self.shapes),
        ]
        return "\n".join([*lines, "</svg>\n"])

    def png(self) -> bytes:
        """The picture as a PNG, which carries the digest that `is_png_of` looks for.

        Raises:
            ImportError: matplotlib draws it; the group `bench` has it.
        """
        from matplotlib.figure import Figure
        from matplotlib.lines import Line2D
        from matplotlib.patches import Rectangle as Patch

        figure = Figure(figsize=(self.width / _UNITS_PER_INCH, self.height / _UNITS_PER_INCH))
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, self.width), ylim=(self.height, 0))
        axes.set_axis_off()
        for order, shape in enumerate(self.shapes):
            if isinstance(shape, Rectangle):
                corner = (shape.x, shape.y)
                patch = Patch(corner, shape.width, shape.height, color=shape.colour, linewidth=0)
                axes.add_patch(patch).set_zorder(order)
            elif isinstance(shape, Line):
                ends = ((shape.x1, shape.x2), (shape.y1, shape.y2))
                line = Line2D(*ends, color=shape.colour, linewidth=_POINTS_PER_UNIT)
                axes.add_line(line).set_zorder(order)
            else:
                axes.text(
                    shape.x,
                    shape.y,
                    shape.words,
                    ha=_ALIGNMENT[shape.anchor],
                    va="baseline",
                    color=INK,
                    fontsize=_FONT_PIXELS * _POINTS_PER_UNIT,
                    fontweight="bold" if shape.bold else "normal",
                    zorder=order,
                )
        out = io.BytesIO()
        metadata = {"Source": self._digest(), "Software": None}
        figure.savefig(out, format="png", dpi=_PNG_DPI, metadata=metadata)
        return out.getvalue()

    def is_png_of(self, png: bytes) -> bool:
        """Whether `png` made these bytes of this picture, whatever matplotlib or fonts it had."""
        return b"Source\0" + self._digest().encode() in png

    def _digest(self) -> str:
        return hashlib.sha256(self.svg().encode()).hexdigest()


def _svg_element(shape: Rectangle | Line | Text) -> str:
    if isinstance(shape, Rectangle):
        size = f'width="{shape.width:.1f}" height="{shape.height:.1f}"'
        return f'<rect x="{shape.x:.1f}" y="{shape.y:.1f}" {size} fill="{shape.colour}"/>'
    if isinstance(shape, Line):
        path = f"M{shape.x1:.1f} {shape.y1:.1f}L{shape.x2:.1f} {shape.y2:.1f}"
        return f'<path d="{path}" stroke="{shape.colour}"/>'
    anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
    weight = ' font-weight="bold"' if shape.bold else ""
    return f'<text x="{shape.x:.1f}" y="{shape.y:.1f}"{anchor}{weight}>{escape(shape.words)}</text>'
