from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.locations import LocalLocation, S3Location, parse_location


@pytest.mark.parametrize(
    ("uri", "bucket", "prefix"),
    [
        ("s3://bkt/train/", "bkt", "train/"),
        ("s3://bkt/train", "bkt", "train"),
        ("s3://bkt", "bkt", ""),
        ("s3://bkt/", "bkt", ""),
        ("s3://bkt/a b/%41/é?x#y", "bkt", "a b/%41/é?x#y"),
        ("s3://My_Old.Bucket/x//y", "My_Old.Bucket", "x//y"),
    ],
)
def test_s3_prefix_is_taken_as_it_stands(uri: str, bucket: str, prefix: str) -> None:
    assert parse_location(uri) == S3Location(bucket, prefix)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("/data/x", "/data/x"),
        ("file:///data/x", "/data/x"),
        ("file://localhost/data/x", "/data/x"),
        ("file:///data/a%20b", "/data/a b"),
        ("/data/a%20b", "/data/a%20b"),
    ],
)
def test_local_path(uri: str, path: str) -> None:
    assert parse_location(uri) == LocalLocation(Path(path))


def test_relative_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_location("data") == LocalLocation(tmp_path / "data")


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "a\0b",
        "s3://",
        "s3:///x",
        "s3://b/x",
        "s3://arn:aws:s3:::x/y",
        "gs://bkt/x",
        "https://bkt/x",
        "file://",
        "file://host/x",
    ],
)
def test_bad_uri_says_what_to_give(uri: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"give|bucket's name"):
        parse_location(uri)


def test_relative_path_in_a_given_folder() -> None:
    folder = Path("/some/where")
    assert parse_location("data/x", folder) == LocalLocation(folder / "data/x")
    assert parse_location("/data/x", folder) == LocalLocation(Path("/data/x"))
    assert parse_location("file:///data/x", folder) == LocalLocation(Path("/data/x"))
