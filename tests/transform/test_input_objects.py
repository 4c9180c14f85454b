from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from sagemaker_tensorflow.errors import (
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    UnavailableError,
)
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.transform.input_list import InputList
from sagemaker_tensorflow.transform.input_objects import list_inputs
from sagemaker_tensorflow.transform.records import InputObject
from tests.conftest import PutObjects
from tests.servers import free_port

KEYS = {
    "data/a": b"1",
    "data/b/": b"",
    "data/b/c d": b"22",
    "data/empty": b"",
    "data/ü/\U0001f600+%41": b"333",
    "data-old/x": b"4",
    "other": b"5",
}


def relatives(uri: str, data_type: str = "S3Prefix") -> list[str]:
    return [found.relative for found in list_inputs(uri, data_type, S3Options())]


def test_objects_are_as_they_were_listed(put_objects: PutObjects, bucket: str) -> None:
    put_objects(KEYS)
    found = list_inputs(f"s3://{bucket}/data/", "S3Prefix", S3Options())
    etag = boto3.client("s3").head_object(Bucket=bucket, Key="data/b/c d")["ETag"]
    assert found[1] == InputObject(1, f"s3://{bucket}/data/b/c d", "data/b/c d", "b/c d", 2, etag)
    assert [each.index for each in found] == [0, 1, 2, 3]
    assert [each.size for each in found] == [1, 2, 0, 3]


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("data/", ["a", "b/c d", "empty", "ü/\U0001f600+%41"]),
        (
            "data",
            ["data-old/x", "a", "b/c d", "empty", "ü/\U0001f600+%41"],
        ),
        ("data/b", ["c d"]),
        ("dat", ["data-old/x", "data/a", "data/b/c d", "data/empty", "data/ü/\U0001f600+%41"]),
        ("data/b/c d", ["c d"]),
        ("other", ["other"]),
        (
            "",
            [
                "data-old/x",
                "data/a",
                "data/b/c d",
                "data/empty",
                "data/ü/\U0001f600+%41",
                "other",
            ],
        ),
        ("none/", []),
    ],
)
def test_names_behind_a_prefix(
    put_objects: PutObjects, bucket: str, prefix: str, expected: list[str]
) -> None:
    put_objects(KEYS)
    assert relatives(f"s3://{bucket}/{prefix}") == expected


def test_more_than_a_page(put_objects: PutObjects, bucket: str) -> None:
    put_objects({f"k/{number:04}": b"x" * (number % 3) for number in range(1203)})
    found = list_inputs(f"s3://{bucket}/k/", "S3Prefix", S3Options())
    assert [each.relative for each in found] == [f"{number:04}" for number in range(1203)]
    assert [each.size for each in found] == [number % 3 for number in range(1203)]


def test_warning_of_a_sibling(
    put_objects: PutObjects, bucket: str, caplog: pytest.LogCaptureFixture
) -> None:
    put_objects(KEYS)
    list_inputs(f"s3://{bucket}/data/", "S3Prefix", S3Options())
    assert not caplog.messages
    list_inputs(f"s3://{bucket}/data", "S3Prefix", S3Options())
    assert any("data-old" in message for message in caplog.messages)


def test_a_bucket_that_is_not_there(aws: str) -> None:
    with pytest.raises(NotFoundError, match="NoSuchBucket"):
        list_inputs("s3://no-such-bucket-here/x", "S3Prefix", S3Options())


def test_no_server(bucket: str) -> None:
    with pytest.raises(UnavailableError):
        list_inputs(
            f"s3://{bucket}/",
            "S3Prefix",
            S3Options(endpoint_url=f"http://127.0.0.1:{free_port()}"),
        )


def test_credentials_are_missing(clean_aws: None) -> None:
    with pytest.raises(PermissionDeniedError):
        list_inputs("s3://some-bucket/", "S3Prefix", S3Options())


@pytest.mark.parametrize("data_type", ["AugmentedManifestFile", "s3prefix", ""])
def test_other_data_types(data_type: str) -> None:
    with pytest.raises(InvalidArgumentError, match="S3Prefix or ManifestFile"):
        list_inputs("s3://some-bucket/x", data_type, S3Options())


# Manifests.


def put_manifest(put_objects: PutObjects, *lines: object) -> str:
    return put_objects({"lists/m.manifest": json.dumps(lines).encode()}) + "/lists/m.manifest"


def test_manifest(put_objects: PutObjects, bucket: str) -> None:
    uri = put_objects(KEYS)
    manifest = put_manifest(
        put_objects, {"prefix": f"{uri}/data"}, "/b/c d", "/ü/\U0001f600+%41", "-old/x", "/b/c d"
    )
    found = list_inputs(manifest, "ManifestFile", S3Options())
    assert [each.name for each in found] == [
        "data/b/c d",
        "data/ü/\U0001f600+%41",
        "data-old/x",
        "data/b/c d",
    ]
    assert [each.relative for each in found] == ["b/c d", "ü/\U0001f600+%41", "-old/x", "b/c d"]
    assert [each.size for each in found] == [2, 3, 1, 2]
    etag = boto3.client("s3").head_object(Bucket=bucket, Key="data-old/x")["ETag"]
    assert found[2].etag == etag
    assert found[2].uri == f"{uri}/data-old/x"


def test_manifest_that_names_what_is_not_there(put_objects: PutObjects) -> None:
    uri = put_objects(KEYS)
    manifest = put_manifest(
        put_objects, {"prefix": f"{uri}/data/"}, "a", *(f"gone-{i}" for i in range(30))
    )
    with pytest.raises(NotFoundError, match=r"not there, 30: data/gone-0, .*, and 10 more"):
        list_inputs(manifest, "ManifestFile", S3Options())


def test_manifest_that_is_none(put_objects: PutObjects) -> None:
    uri = put_objects({**KEYS, "text": b"no JSON"})
    with pytest.raises(InvalidArgumentError, match="JSON"):
        list_inputs(f"{uri}/text", "ManifestFile", S3Options())
    with pytest.raises(InvalidArgumentError, match="first item"):
        list_inputs(put_manifest(put_objects, "no prefix"), "ManifestFile", S3Options())
    with pytest.raises(NotFoundError):
        list_inputs(f"{uri}/none", "ManifestFile", S3Options())


def test_local_manifest(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x").write_bytes(b"123")
    manifest = tmp_path / "m.json"
    manifest.write_text(json.dumps([{"prefix": "in/"}, "x"]))
    (found,) = list_inputs(manifest.as_uri(), "ManifestFile", S3Options())
    assert (found.relative, found.name, found.size) == ("x", str(tmp_path / "in" / "x"), 3)
    manifest.write_text(json.dumps([{"prefix": "in/"}, "x", "y"]))
    with pytest.raises(NotFoundError, match="in/y"):
        list_inputs(manifest.as_uri(), "ManifestFile", S3Options())


def test_local_manifest_of_s3_objects(put_objects: PutObjects, tmp_path: Path) -> None:
    uri = put_objects(KEYS)
    manifest = tmp_path / "m.json"
    manifest.write_text(json.dumps([{"prefix": f"{uri}/"}, "other"]))
    (found,) = list_inputs(manifest.as_uri(), "ManifestFile", S3Options())
    assert (found.uri, found.relative, found.size) == (f"{uri}/other", "other", 1)


# Local files.


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("in/b/c d", "in/a", "in/.hidden", "in/ü%20\U0001f600", "in2/x"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path


@pytest.mark.parametrize("spell", [lambda path: path.as_uri(), str], ids=["uri", "path"])
@pytest.mark.parametrize(
    ("name", "slash", "expected"),
    [
        ("in", "/", ["a", "b/c d", "ü%20\U0001f600"]),
        ("in", "", ["a", "b/c d", "ü%20\U0001f600"]),
        ("in/b/c d", "", ["c d"]),
    ],
)
def test_local_folder(
    tree: Path, spell: Callable[[Path], str], name: str, slash: str, expected: list[str]
) -> None:
    assert relatives(spell(tree / name) + slash) == expected


def test_local_file(tree: Path) -> None:
    path = tree / "in" / "b" / "c d"
    os.utime(path, ns=(0, 0xABCDEF))
    (found,) = list_inputs(path.as_uri(), "S3Prefix", S3Options())
    assert found == InputObject(0, path.as_uri(), str(path), "c d", 8, '"abcdef-8"')


def test_local_places_without_files(tmp_path: Path) -> None:
    assert len(list_inputs(f"{tmp_path.as_uri()}/", "S3Prefix", S3Options())) == 0
    with pytest.raises(NotFoundError):
        list_inputs((tmp_path / "none").as_uri(), "S3Prefix", S3Options())


# The list.


def test_list_is_a_sequence() -> None:
    inputs = InputList(lambda name: f"file://{name}", lambda name, index: f"{index}:{name}")
    names = ["a", "", "ü\U0001f600", os.fsdecode(b"not utf-8: \xff")]
    for number, name in enumerate(names):
        inputs.append(name, number << 40, f'"{number}"')
    assert [each.name for each in inputs] == names
    assert [each.etag for each in inputs] == ['"0"', '"1"', '"2"', '"3"']
    assert [each.size for each in inputs] == [0, 1 << 40, 2 << 40, 3 << 40]
    assert inputs.bytes == 6 << 40
    assert list(inputs) == [inputs[index] for index in range(4)]
    assert inputs[-1] == inputs[3]
    assert inputs[2].relative == "2:ü\U0001f600"
    assert [each.index for each in inputs[1:3]] == [1, 2]
    with pytest.raises(IndexError):
        inputs[4]
