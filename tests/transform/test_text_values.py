from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.text_values import text_values

CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5) | st.sampled_from('\r\n",')
ROWS = st.lists(CELLS, min_size=1, max_size=4)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | CELLS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(CELLS, inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(ROWS, min_size=1, max_size=3))
def test_rows_are_read_as_they_were_written(rows: list[list[str]]) -> None:
    values = text_values("text/csv; charset=utf-8")
    assert values.parse(b"\n".join(map(values.line, rows))) == rows


@given(st.lists(JSON_VALUES, min_size=1, max_size=3), st.sampled_from([b" ", b"\n"]))
def test_documents_are_read_as_they_were_written(documents: list[Any], between: bytes) -> None:
    values = text_values("application/json")
    lines = list(map(values.line, documents))
    assert not any(b"\n" in line for line in lines)
    assert values.parse(between.join(lines)) == documents


@pytest.mark.parametrize(
    ("content_type", "text", "reason"),
    [
        ("text/csv", b"", "the record is empty"),
        ("text/csv", b"1\n\n2", "row 1 is empty"),
        ("text/csv", b'"1', "bad CSV: unexpected end of data"),
        ("text/csv", b"\xff", "no UTF-8 text"),
        ("application/jsonlines", b"", "the record is empty"),
        ("application/json", b'{"a": 1', "bad JSON at character"),
    ],
)
def test_bad_texts(content_type: str, text: bytes, reason: str) -> None:
    with pytest.raises(BadRecordError, match=reason):
        text_values(content_type).parse(text)


def test_long_fields() -> None:
    row = ["x" * 200_000]
    values = text_values("text/csv")
    assert values.parse(values.line(row)) == [row]
