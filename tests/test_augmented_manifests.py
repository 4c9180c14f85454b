from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_tensorflow import augmented_manifests
from sagemaker_tensorflow.augmented_manifests import Entry, parse_lines
from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.locations import LocalLocation, S3Location

WHERE = "s3://bkt/lines"


def entries(lines: list[bytes], *attributes: str, folder: Path | None = None) -> list[list[Entry]]:
    return [list(line.entries) for line in parse_lines(lines, attributes, WHERE, folder)]


def test_attributes_in_the_order_that_was_asked_for() -> None:
    lines = [
        b'{"image-ref": "s3://bkt/a b.jpg", "other": [], "is-a-cat": 1}',
        b'{"is-a-cat": 0, "image-ref": "s3://else/b.jpg"}',
    ]
    assert entries(lines, "image-ref", "is-a-cat") == [
        [S3Location("bkt", "a b.jpg"), b"1"],
        [S3Location("else", "b.jpg"), b"0"],
    ]
    assert entries(lines, "is-a-cat") == [[b"1"], [b"0"]]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1", "1"),
        ("-1.5", "-1.5"),
        ("true", "true"),
        ("null", "null"),
        ('"cat"', '"cat"'),
        ('""', '""'),
        ('"caf\\u00e9"', '"café"'),
        ('"a\\nb"', '"a\\nb"'),
        ('{ "a" : [1, 2] }', '{"a":[1,2]}'),
        ("12345678901234567890", "12345678901234567890"),
    ],
)
def test_values_are_json_texts(value: str, text: str) -> None:
    assert entries([f'{{"x": {value}}}'.encode()], "x") == [[text.encode()]]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # Any character but halves of surrogate pairs, which UTF-8 does not have.
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(JSON)
def test_json_text_reads_back_as_the_value(value: Any) -> None:
    line = json.dumps({"x": value}).encode()
    [[text]] = entries([line], "x")
    assert isinstance(text, bytes)
    assert b"\n" not in text
    assert json.loads(text) == value


def test_lines_are_numbered_and_empty_ones_passed_over() -> None:
    parsed = list(parse_lines([b'{"x": 1}', b"", b"  \r", b'{"x": 2}\r'], ["x"], WHERE))
    assert [(line.number, line.entries) for line in parsed] == [(1, (b"1",)), (4, (b"2",))]


def test_lines_are_read_as_they_come() -> None:
    def lines() -> Any:
        yield b'{"x": 1}'
        raise AssertionError("read too early")

    assert next(parse_lines(lines(), ["x"], WHERE)).entries == (b"1",)


def test_local_manifest_refers_to_local_files(tmp_path: Path) -> None:
    lines = [
        b'{"x-ref": "file:///data/a%20b"}',
        b'{"x-ref": "/data/c"}',
        b'{"x-ref": "sub/d"}',
        b'{"x-ref": "s3://bkt/e"}',
    ]
    assert entries(lines, "x-ref", folder=tmp_path) == [
        [LocalLocation(Path("/data/a b"))],
        [LocalLocation(Path("/data/c"))],
        [LocalLocation(tmp_path / "sub/d")],
        [S3Location("bkt", "e")],
    ]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"{", "is not JSON"),
        (b'{"x": 1, "x-ref": "s3://bkt/a"} {}', "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[1]", "is not a JSON object"),
        (b'{"x": NaN, "x-ref": "s3://bkt/a"}', "NaN"),
        (b'{"x": -Infinity, "x-ref": "s3://bkt/a"}', "-Infinity"),
        (b'{"x": 1e999, "x-ref": "s3://bkt/a"}', "attribute 'x'"),
        (b'{"x": "\\ud800", "x-ref": "s3://bkt/a"}', "attribute 'x'"),
        (b"{}", "has no attribute 'x-ref'; it has none"),
        (b'{"x-ref": "s3://bkt/a", "y": 1}', "has no attribute 'x'; it has 'x-ref', 'y'"),
        (b'{"x": 1, "x-ref": 7}', "attribute 'x-ref': 7 is not a URI"),
        (b'{"x": 1, "x-ref": "gs://bkt/a"}', "attribute 'x-ref': 'gs://bkt/a'"),
        (b'{"x": 1, "x-ref": "s3://bkt"}', "attribute 'x-ref': 's3://bkt' is a bucket"),
        (b'{"x": 1, "x-ref": "/etc/passwd"}', "names S3 objects only"),
        (b'{"x": 1, "x-ref": "file:///etc/passwd"}', "names S3 objects only"),
    ],
)
def test_errors_name_the_line(line: bytes, says: str) -> None:
    good = b'{"x": 1, "x-ref": "s3://bkt/a"}'
    parsed = parse_lines([good, b"", line], ["x-ref", "x"], WHERE)
    assert next(parsed).number == 1
    with pytest.raises(InvalidArgumentError) as raised:
        next(parsed)
    assert str(raised.value).startswith(f"{WHERE}, line 3")
    assert says in str(raised.value)


def test_line_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augmented_manifests, "MAX_LINE_BYTES", 10)
    with pytest.raises(InvalidArgumentError, match="line 1 is longer than 10 bytes"):
        entries([b"x" * 11], "x")
