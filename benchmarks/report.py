"""Draws docs/*.svg, docs/*.png and the README's figures from benchmarks/results/*.json.

    python benchmarks/bench_framing.py > benchmarks/results/framing.json
    python benchmarks/report.py [--check]

A figure's place in the README is between <!-- figures: NAME --> and <!-- /figures -->; without
results it is left empty. With --check nothing is written, and it fails if a chart or the README is
not what the results give. PNGs are drawn by matplotlib, which --check does without.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

import figures_framing
import figures_s3_stream
import figures_training_modes
from drawing import Drawing

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
DOCS = ROOT / "docs"
README = ROOT / "README.md"

# Name of the results and the place, what the picture shows, who draws and describes it.
FIGURES = {
    "framing": ("Rates of PipeModeDataset and of TensorFlow's own datasets", figures_framing),
    "s3_stream": ("Rates of clients that read S3 into memory", figures_s3_stream),
    "training_modes": ("Times of jobs in File and in Pipe mode", figures_training_modes),
}


def block_of(name: str) -> re.Pattern[str]:
    """The README's place for a figure, without its marks."""
    return re.compile(rf"(?<=<!-- figures: {name} -->\n).*?(?=<!-- /figures -->)", re.DOTALL)


class Report:
    """What all figures should be, against what the files are."""

    def __init__(self) -> None:
        self.readme = README.read_text()
        self.drawings: dict[str, Drawing] = {}
        for name, (title, figures) in FIGURES.items():
            if not block_of(name).search(self.readme):
                sys.exit(f"{README} has no place for the figures: <!-- figures: {name} -->")
            content = ""  # figures without results would be invented
            if (path := RESULTS / f"{name}.json").exists():
                results = json.loads(path.read_text())
                self.drawings[name] = figures.draw(results)
                content = f"![{title}](docs/{name}.svg)\n\n{figures.describe(results)}\n"
            # Once: behind an empty match, sub would look for a longer one at the same place.
            self.readme = block_of(name).sub(lambda _, new=content: new, self.readme, count=1)

    def stale(self) -> list[Path]:
        """Files that are not what they should be."""
        wanted = {README: self.readme}
        wanted |= {DOCS / f"{name}.svg": d.svg() for name, d in self.drawings.items()}
        found = [p for p, text in wanted.items() if not p.exists() or p.read_text() != text]
        for name, drawing in self.drawings.items():
            png = DOCS / f"{name}.png"
            if not png.exists() or not drawing.is_png_of(png.read_bytes()):
                found.append(png)
        return found

    def write(self, path: Path) -> None:
        """Makes one of `stale` what it should be."""
        if path == README:
            path.write_text(self.readme)
        elif path.suffix == ".svg":
            path.write_text(self.drawings[path.stem].svg())
        else:
            path.write_bytes(self.drawings[path.stem].png())


def main() -> int:
    """Writes or checks the charts and the README. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    check = parser.parse_args().check
    report = Report()
    stale = report.stale()
    for path in stale:
        if check:
            print(f"{path} is not what the results give: run benchmarks/report.py", file=sys.stderr)
        else:
            report.write(path)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
