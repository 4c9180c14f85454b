"""Which files a channel has, and which channels cannot be files."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError, NotFoundError
from sagemaker_tensorflow.hosts import HostPlace
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.training.channel_files import ChannelFiles, list_channel_files
from sagemaker_tensorflow.training_input import TrainingInput
from tests.conftest import PutObjects
from tests.faults.conftest import ServeS3, s3, serve  # noqa: F401 - fixtures
from tests.faulty_s3 import FaultyS3


def list_files(
    uri: str, data_type: str = "S3Prefix", host: HostPlace | None = None
) -> ChannelFiles:
    distribution = None if host is None else "ShardedByS3Key"
    given = TrainingInput(uri, s3_data_type=data_type, distribution=distribution)
    return list_channel_files(given, S3Options(), host or HostPlace())


PATHS = {
    "": ["data/a.csv", "data/sub/deep/b.csv", "data/tr", "data/train.csv"],
    "data": ["a.csv", "sub/deep/b.csv", "tr", "train.csv"],
    "data/": ["a.csv", "sub/deep/b.csv", "tr", "train.csv"],
    "data/tr": ["tr", "train.csv"],
    "data/a.csv": ["a.csv"],
    "data/sub/d": ["deep/b.csv"],
}


def test_where_objects_of_a_prefix_lie(put_objects: PutObjects) -> None:
    keys = ["data/", "data/a.csv", "data/sub/", "data/sub/deep/b.csv", "data/tr", "data/train.csv"]
    uri = put_objects({key: b"" if key.endswith("/") else b"x" for key in keys})
    for prefix, paths in PATHS.items():
        files = list_files(f"{uri}/{prefix}")
        assert list(files.paths()) == paths
        assert len(files) == len(paths)
        assert f"s3://{files.bucket}" == uri


def test_where_objects_of_a_manifest_lie(put_objects: PutObjects) -> None:
    """By their entries, and those that it repeats once."""
    entries = ["x/1.csv", "0.csv", "x/1.csv"]
    uri = put_objects({"in/x/1.csv": b"one", "in/0.csv": b"", "in/other": b"-"})
    put_objects({"m.json": json.dumps([{"prefix": f"{uri}/in/"}, *entries]).encode()})
    files = list_files(f"{uri}/m.json", "ManifestFile")
    assert list(files.paths()) == ["x/1.csv", "0.csv"]
    assert list(files.sizes()) == [3, 0]
    assert [name for name, _, _ in files.listed()] == ["in/x/1.csv", "in/0.csv"]


def test_unusual_names_that_can_be_files(s3: FaultyS3) -> None:  # noqa: F811 - a fixture
    longest = "é" * 127 + "x"
    s3.put(dict.fromkeys(["data//a", "data/b//c", f"data/{longest}", "data/...", "data/d\n"], b"x"))
    assert set(list_files(f"{s3.uri}/data/").paths()) == {"a", "b/c", longest, "...", "d\n"}


# Keys, the prefix that is asked for, and what is said.
NO_FILES = [
    (["data/a", "data/a/b"], "data", r"'a' would be a file for the one and a folder"),
    (["data/a", "data/a-", "data/a/b/c"], "data", r"data/a and .*data/a/b/c cannot"),
    (["data/x//a/b", "data/x/a"], "data", r"'x/a' would be a file for the one and a folder"),
    (["data/x//a", "data/x/a"], "data", r"both would be the file 'x/a'"),
    (["da/data/1", "data/1"], "da", r"da/data/1 and .*data/1 cannot.* file 'data/1'"),
    (["data/../x"], "data", r"data/\.\./x cannot .*'\.\.' in its key"),
    (["data/x/./y"], "data", r"'\.' in its key"),
    (["data/" + "é" * 128], "data", r"has 256 bytes"),
    (["data/folder/"], "data", r"ends in '/' .* and has 1 bytes"),
    (["data/.smtf-download-1"], "data", r"while they are not complete"),
]


def test_names_that_cannot_be_files(s3: FaultyS3) -> None:  # noqa: F811 - a fixture
    for case, (keys, _, _) in enumerate(NO_FILES):
        s3.put({f"{case}/{key}": b"x" for key in keys})
    for case, (_, prefix, message) in enumerate(NO_FILES):
        with pytest.raises(InvalidArgumentError, match=message):
            list_files(f"{s3.uri}/{case}/{prefix}")


def test_hosts_share_the_objects(tmp_path: Path) -> None:
    sizes = {f"{number:02}": number * number for number in range(20)}
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(b"x" * size)
    shares = [list_files(str(tmp_path), host=HostPlace(index, 3)) for index in range(3)]
    paths = [list(share.paths()) for share in shares]
    assert sorted(itertools.chain.from_iterable(paths)) == sorted(sizes)
    assert sorted(len(share) for share in shares) == [6, 7, 7]
    assert all(share == sorted(share) for share in paths)
    totals = [sum(share.sizes()) for share in shares]
    assert totals == [sum(sizes[path] for path in share) for share in paths]
    assert max(totals) - min(totals) <= max(sizes.values())


def test_more_hosts_than_objects(tmp_path: Path) -> None:
    (tmp_path / "only").write_bytes(b"x")
    shares = [list_files(str(tmp_path), host=HostPlace(index, 3)) for index in range(3)]
    assert sorted(len(share) for share in shares) == [0, 0, 1]


def test_nothing_is_there(put_objects: PutObjects, tmp_path: Path) -> None:
    uri = put_objects({"data/": b"", "other": b"x"})
    with pytest.raises(NotFoundError, match="no object in bucket"):
        list_files(f"{uri}/data/")
    (tmp_path / ".hidden").write_bytes(b"x")
    with pytest.raises(NotFoundError, match="holds no file"):
        list_files(str(tmp_path))
