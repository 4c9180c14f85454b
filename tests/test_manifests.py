from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.manifests import Manifest, parse_manifest

WHERE = "s3://bkt/m"


def parse(items: Any, folder: Path | None = None) -> Manifest:
    return parse_manifest(json.dumps(items).encode(), WHERE, folder)


def test_prefix_and_names_are_concatenated_as_they_stand() -> None:
    manifest = parse([{"prefix": "s3://bkt/some/pre"}, "fix/a b", "é%41+", "", "//x/../y"])
    assert manifest == Manifest(
        "bkt", ["some/prefix/a b", "some/preé%41+", "some/pre", "some/pre//x/../y"]
    )


def test_order_and_duplicates_are_kept() -> None:
    assert parse([{"prefix": "s3://bkt/"}, "b", "a", "b"]).names == ["b", "a", "b"]


@given(st.lists(st.text(min_size=1), min_size=1))
def test_every_name_comes_back(names: list[str]) -> None:
    names = [name.encode(errors="replace").decode() for name in names]
    assert parse([{"prefix": "s3://bkt/p/"}, *names]).names == [f"p/{name}" for name in names]


def test_the_prefix_may_end_within_the_buckets_name() -> None:
    assert parse([{"prefix": "s3://b"}, "kt/a", "kt/b"]) == Manifest("bkt", ["a", "b"])


def test_local_manifest_names_local_files(tmp_path: Path) -> None:
    assert parse([{"prefix": "/data/"}, "a b", "c"], tmp_path) == Manifest(
        None, ["/data/a b", "/data/c"]
    )
    assert parse([{"prefix": "file:///data/"}, "a%20b"], tmp_path).names == ["/data/a b"]
    assert parse([{"prefix": "sub/"}, "x"], tmp_path).names == [str(tmp_path / "sub/x")]


def test_local_manifest_may_name_s3_objects(tmp_path: Path) -> None:
    assert parse([{"prefix": "s3://bkt/"}, "x"], tmp_path) == Manifest("bkt", ["x"])


@pytest.mark.parametrize(
    ("items", "says"),
    [
        ({}, "is not a JSON array"),
        ([], "is not a JSON array"),
        (["s3://bkt/a"], 'its first item is "s3://bkt/a"'),
        ([{}], "its first item is {}"),
        ([{"prefix": "s3://bkt/", "x": 1}, "a"], "its first item is"),
        ([{"prefix": ""}, "s3://bkt/a"], "its prefix is ''"),
        ([{"prefix": 7}, "a"], "its prefix is 7"),
        ([{"prefix": "s3://bkt/"}], "names no object"),
        ([{"prefix": "s3://bkt/"}, "a", 7], "item 2: 7 is not a string"),
        ([{"prefix": "s3://bkt/"}, "a", {"prefix": "x"}], "item 2"),
        ([{"prefix": "gs://bkt/"}, "a"], "item 1: 'gs://bkt/a'"),
        ([{"prefix": "s3://bkt/"}, ""], "item 1: 's3://bkt/' is a bucket"),
        ([{"prefix": "/data/"}, "a"], "item 1: '/data/a' is no S3 URI"),
        ([{"prefix": "s3://b"}, "k1/a", "k2/a"], "item 2: s3://bk2/a is not in the same bucket"),
    ],
)
def test_what_is_no_manifest(items: Any, says: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        parse(items)
    assert str(raised.value).startswith(WHERE)
    assert says in str(raised.value)


def test_one_place_for_all_names(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="not in the same bucket"):
        parse([{"prefix": "s3:/"}, "/bkt/a", "x"], tmp_path)


@pytest.mark.parametrize("data", [b"", b"[", b"\xff\xfe[", b'{"a": 1}\n{"a": 2}'])
def test_what_is_not_json(data: bytes) -> None:
    with pytest.raises(InvalidArgumentError, match=f"{WHERE} is not JSON"):
        parse_manifest(data, WHERE)
