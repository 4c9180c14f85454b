from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_tensorflow import listing
from sagemaker_tensorflow.errors import NotFoundError, PermissionDeniedError, UnavailableError
from sagemaker_tensorflow.listing import list_local_objects, list_s3_objects
from sagemaker_tensorflow.locations import LocalLocation, S3Location, parse_location
from tests.conftest import PutObjects
from tests.servers import free_port


def names(pages: Iterable[list[listing.ListedObject]]) -> list[str]:
    return [name for name, _, _ in itertools.chain.from_iterable(pages)]


def local_names(folder: Path) -> list[str]:
    found = names(list_local_objects(LocalLocation(folder)))
    return [os.path.relpath(name, folder) for name in found]


def test_s3_keys_sizes_and_etags(put_objects: PutObjects) -> None:
    uri = put_objects({"x/b c&é": b"two", "x/a": b"", "x/": b"", "x/sub/": b"", "y": b"no"})
    location = parse_location(f"{uri}/x/")
    assert isinstance(location, S3Location)
    pages = list(list_s3_objects(boto3.client("s3"), location))
    assert pages == [
        [
            ("x/a", 0, '"d41d8cd98f00b204e9800998ecf8427e"'),
            ("x/b c&é", 3, '"b8a9f715dbb64fd5c56e7783c6820a61"'),
        ]
    ]


def test_s3_prefix_matches_characters_not_folders(put_objects: PutObjects, bucket: str) -> None:
    put_objects({"train/1": b"1", "training/2": b"2", "test/3": b"3"})
    found = list_s3_objects(boto3.client("s3"), S3Location(bucket, "train"))
    assert names(found) == ["train/1", "training/2"]


def test_s3_pages_come_one_by_one(put_objects: PutObjects, bucket: str) -> None:
    put_objects(dict.fromkeys("abcde", b"x"))
    client = boto3.client("s3")
    client.meta.events.register("provide-client-params.s3.ListObjectsV2", small_pages)
    pages = list_s3_objects(client, S3Location(bucket, ""))
    assert names([next(pages)]) == ["a", "b"]
    boto3.client("s3").put_object(Bucket=bucket, Key="f", Body=b"x")
    assert names(pages) == ["c", "d", "e", "f"], "the rest was listed too early"


def small_pages(params: dict[str, Any], **_: Any) -> dict[str, Any]:
    return {**params, "MaxKeys": 2}


def test_s3_folder_marks_alone_are_nothing(put_objects: PutObjects, bucket: str) -> None:
    put_objects({"x/": b"", "x/y/": b""})
    with pytest.raises(NotFoundError, match=rf"{bucket}.*'x/'"):
        list(list_s3_objects(boto3.client("s3"), S3Location(bucket, "x/")))


def test_s3_has_no_wildcards(put_objects: PutObjects, bucket: str) -> None:
    put_objects({"x/a.gz": b"1"})
    with pytest.raises(NotFoundError, match=rf"no wildcard.*before it, s3://{bucket}/x/$"):
        list(list_s3_objects(boto3.client("s3"), S3Location(bucket, "x/*.gz")))


def test_s3_no_such_bucket(aws: str) -> None:
    with pytest.raises(NotFoundError, match=r"s3://no-such-bucket-at-all/x: 404 NoSuchBucket"):
        list(list_s3_objects(boto3.client("s3"), S3Location("no-such-bucket-at-all", "x")))


def test_s3_no_server(aws: str) -> None:
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(UnavailableError, match=r"s3://bkt/x: Could not connect.*127\.0\.0\.1"):
        list(list_s3_objects(client, S3Location("bkt", "x")))


def test_local_file(tmp_path: Path) -> None:
    file = tmp_path / "one"
    file.write_bytes(b"12345")
    assert list(list_local_objects(LocalLocation(file))) == [[(str(file), 5, "")]]


def test_local_files_come_as_s3_would_order_their_keys(tmp_path: Path) -> None:
    files = ["a.x", "a/b", "a/c/d", "a0", "B", "é", "z"]
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert local_names(tmp_path) == sorted(files, key=os.fsencode)


PARTS = st.text("ab.-0~é", min_size=1, max_size=3).filter(lambda part: not part.startswith("."))


@given(st.sets(st.lists(PARTS, min_size=1, max_size=3).map("/".join), min_size=1, max_size=8))
def test_local_order_is_the_order_of_keys(
    tmp_path_factory: pytest.TempPathFactory, keys: set[str]
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    made = []
    for key in sorted(keys):
        try:
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / key).touch()
        except (FileExistsError, NotADirectoryError):
            continue  # "a" is a file already, so there is no "a/b"
        if (folder / key).is_file():
            made.append(key)
    assert local_names(folder) == sorted(made, key=os.fsencode)


def test_local_leaves_out_hidden_and_special_files(tmp_path: Path) -> None:
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "x").touch()
    (tmp_path / ".dot").touch()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "seen").touch()
    assert local_names(tmp_path) == ["seen"]


def test_local_follows_links_but_not_in_circles(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x").touch()
    (tmp_path / "real" / "up").symlink_to(tmp_path)
    (tmp_path / "twin").symlink_to(tmp_path / "real")
    assert local_names(tmp_path) == ["real/x", "twin/x"]


def test_local_link_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "gone").symlink_to(tmp_path / "nothing")
    with pytest.raises(NotFoundError, match="gone"):
        local_names(tmp_path)


def test_local_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "_PAGE_OBJECTS", 2)
    for name in "abcde":
        (tmp_path / name).touch()
    assert [len(page) for page in list_local_objects(LocalLocation(tmp_path))] == [2, 2, 1]


def test_local_path_that_should_have_been_a_uri() -> None:
    with pytest.raises(
        NotFoundError, match=r"s3:/bkt/x \(a URI of S3 begins with s3://\): No such"
    ):
        list(list_local_objects(parse_location("s3:/bkt/x")))


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_local_nothing_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError, match=name):
        local_names(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_local_folder_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    with pytest.raises(PermissionDeniedError, match="closed"):
        local_names(tmp_path)
