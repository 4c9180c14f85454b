"""Detect objects in photos that lie in S3, one JSON per photo, and ask the results with SQL.

Usage: python examples/detect_objects.py [--photos N] [--output FOLDER]

It needs the packages of the dependency group `demo`, which `make demo` installs into .venv.

It starts a local S3 server and needs no cloud account and no network. Photos are drawn, coloured
shapes on noise, and uploaded as PNG and JPEG of several sizes; a batch transform runs a detector
over them (color_detector.py) and writes one JSON per photo; DuckDB reads those as they lie. The
exit status is 1 if less than 0.95 of the shapes that were drawn are found.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import boto3
import duckdb
import numpy as np
import tensorflow as tf
from color_detector import BACKGROUND, COLORS, SHAPES, save_detector
from local_s3 import local_bucket

from sagemaker_tensorflow import Transformer

BUCKET = "photos"
SIZES = ((192, 256), (240, 320), (384, 512))
REQUIRED_RECALL = 0.95

# A row for each detection: what the model gives are lists, padded to the same length.
DETECTIONS = """
CREATE TABLE detections AS
SELECT photo, unnest(detection_classes[:num_detections]) AS class,
       unnest(detection_scores[:num_detections]) AS score,
       unnest(detection_boxes[:num_detections]) AS box
FROM (SELECT *, parse_filename(filename, true) AS photo
      FROM read_json($results, format = 'newline_delimited', filename = true))
"""
PER_CLASS = """
SELECT class, count(*) AS objects, round(avg(score), 3) AS "mean score" FROM detections
GROUP BY class ORDER BY objects DESC, class
"""
FULLEST = """
SELECT photo, count(*) AS objects, count(DISTINCT class) AS classes FROM detections
GROUP BY photo ORDER BY objects DESC, photo LIMIT 5
"""
# A shape is found where a detection of its class overlaps it: more than half of their union.
RECALL = """
WITH pairs AS (
  SELECT t.photo, t.number,
    greatest(0, least(t.box[3], d.box[3]) - greatest(t.box[1], d.box[1]))
      * greatest(0, least(t.box[4], d.box[4]) - greatest(t.box[2], d.box[2])) AS common,
    (t.box[3] - t.box[1]) * (t.box[4] - t.box[2])
      + (d.box[3] - d.box[1]) * (d.box[4] - d.box[2]) AS sizes
  FROM drawn t JOIN detections d USING (photo, class)
)
SELECT count(DISTINCT (photo, number)) FILTER (common / (sizes - common) > 0.5)
         / (SELECT count(*) FROM drawn) FROM pairs
"""


def main() -> int:
    """Runs the example. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=60)
    parser.add_argument("--output", type=Path, help="folder for results; default: a new one")
    args = parser.parse_args()
    folder = (args.output or Path(tempfile.mkdtemp(prefix="smtf-detect-"))).absolute()
    with local_bucket(BUCKET):
        drawn = upload_photos(args.photos)
        save_detector(str(folder / "model"))
        transformer = Transformer(
            str(folder / "model"),
            output_path=str(folder / "results"),
            accept="application/jsonlines",
        )
        result = transformer.transform(f"s3://{BUCKET}/shelf/", content_type="application/x-image")
    print(result.summary())
    recall = ask(folder, drawn)
    print(f"recall {recall:.3f} of {len(drawn)} shapes that were drawn")
    return 0 if result.status == "Completed" and recall >= REQUIRED_RECALL else 1


def upload_photos(count: int) -> list[dict[str, object]]:
    """Draws photos and uploads them to ``shelf/``; returns what is on them, a row per shape."""
    random = np.random.default_rng(4)
    s3 = boto3.client("s3")
    drawn: list[dict[str, object]] = []
    for number in range(count):
        height, width = SIZES[number % len(SIZES)]
        pixels, shapes = draw_photo(random, height, width)
        suffix, encode = ("png", tf.io.encode_png) if number % 2 else ("jpg", tf.io.encode_jpeg)
        name = f"photo-{number:03d}.{suffix}"
        s3.put_object(Bucket=BUCKET, Key=f"shelf/{name}", Body=encode(pixels).numpy())
        drawn += [{"photo": name, "number": n, **shape} for n, shape in enumerate(shapes)]
    print(f"uploaded {count} photos to s3://{BUCKET}/shelf/")
    return drawn


def draw_photo(
    random: np.random.Generator, height: int, width: int
) -> tuple[np.ndarray, list[dict[str, object]]]:
    """Shapes in some fields of a grid of 3 x 4, each somewhere in its field, and noise over all."""
    canvas = np.empty((height, width, 3))
    canvas[:] = BACKGROUND
    field = height // 3
    shapes = []
    for place in random.permutation(12)[: random.integers(1, 10)]:
        size = int(random.uniform(0.45, 0.85) * field)
        top = place // 4 * field + random.integers(2, field - size - 2)
        left = place % 4 * field + random.integers(2, field - size - 2)
        color, shape = random.choice(list(COLORS)), random.choice(SHAPES)
        canvas[top : top + size, left : left + size][mask_of(shape, size)] = COLORS[color]
        box = [top / height, left / width, (top + size) / height, (left + size) / width]
        shapes.append({"class": f"{color} {shape}", "box": box})
    noisy = canvas + random.normal(0, 18, canvas.shape)
    return noisy.clip(0, 255).astype(np.uint8), shapes


def mask_of(shape: str, size: int) -> np.ndarray:
    """Where in a square of that size the shape is, [size, size]."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    if shape == "disc":
        return (y - 0.5) ** 2 + (x - 0.5) ** 2 <= 0.25
    return np.abs(x - 0.5) <= y / 2 if shape == "triangle" else np.full((size, size), True)


def ask(folder: Path, drawn: Sequence[dict[str, object]]) -> float:
    """Asks the results, prints what they say and draws a chart; returns the recall."""
    truth = folder / "drawn.jsonl"
    truth.write_text("".join(f"{json.dumps(row)}\n" for row in drawn))
    with duckdb.connect() as database:
        database.execute(DETECTIONS, {"results": str(folder / "results" / "*.out")})
        database.execute("CREATE TABLE drawn AS FROM read_json($path)", {"path": str(truth)})
        print("\nobjects of each class")
        database.sql(PER_CLASS).show()
        print("photos with the most objects")
        database.sql(FULLEST).show()
        counts = [(name, count) for name, count, _ in database.sql(PER_CLASS).fetchall()]
        recall = database.sql(RECALL).fetchall()[0][0]
    chart = folder / "objects.svg"
    chart.write_text(bar_chart("Objects found in the photos", counts))
    print(f"chart {chart}")
    return float(recall)


def bar_chart(title: str, bars: Sequence[tuple[str, int]]) -> str:
    """An SVG with a horizontal bar for each name, in the colour that its first word says."""
    step, left, full = 26, 130, 420
    longest = max((count for _, count in bars), default=1)
    height = 50 + step * len(bars)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + full + 60} {height}"'
        f' width="{left + full + 60}" height="{height}" font-family="sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="12" y="24" font-size="16" font-weight="bold">{escape(title)}</text>',
    ]
    for number, (name, count) in enumerate(bars):
        y, length = 40 + number * step, full * count / longest
        fill = "#{:02x}{:02x}{:02x}".format(*COLORS[name.split()[0]])
        parts += [
            f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{step - 8}" fill="{fill}"/>',
            f'<text x="{left + length + 6:.1f}" y="{y + 14}">{count}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    sys.exit(main())
