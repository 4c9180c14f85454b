"""Rows of CSV as RFC 4180 quotes them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

# Before 3.13, csv.writer quotes only those line breaks that its rows end in.
_ROW_END = "\r\n"


def csv_lines(rows: Iterable[Iterable[str]]) -> Iterator[bytes]:
    """Each row in UTF-8, without a line break behind it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=_ROW_END)
    for row in rows:
        writer.writerow(row)
        yield text.getvalue().removesuffix(_ROW_END).encode()
        text.seek(0)
        text.truncate()
