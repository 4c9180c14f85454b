from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest

from sagemaker_tensorflow.errors import (
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    UnavailableError,
)
from sagemaker_tensorflow.transform.multipart_upload import MOST_PARTS, PART_BYTES, part_bytes
from sagemaker_tensorflow.transform.output_store import OutputStore, open_output_store
from tests.faulty_s3 import faulty_s3
from tests.servers import free_port
from tests.small_disk import small_disk

OWNER = "0123456789abcdef"
SIZES = [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES + 17]


def some_bytes(size: int) -> bytes:
    """Not the same in any two parts."""
    return b"".join(n.to_bytes(8, "big") for n in range(size // 8 + 1))[:size]


def uploads_of(bucket: str) -> list[str]:
    found = boto3.client("s3").list_multipart_uploads(Bucket=bucket)
    return [upload["Key"] for upload in found.get("Uploads", [])]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("piece", [1 << 20, PART_BYTES * 5])
def test_what_is_written_is_there(store: OutputStore, size: int, piece: int) -> None:
    data = some_bytes(size)
    writer = store.writer("deep/ä b.out", "text/csv")
    for begin in range(0, size, piece):
        writer.write(data[begin : begin + piece])
        assert not store.exists("deep/ä b.out")
    stored = writer.commit()
    writer.abort()  # does nothing now
    assert (stored.name, stored.size) == ("deep/ä b.out", size)
    assert store.read_small("deep/ä b.out") == data
    assert store.stat("deep/ä b.out") == stored
    assert list(store.list_stored()) == [stored]


def test_many_small_pieces(store: OutputStore) -> None:
    writer = store.writer("x")
    for n in range(5000):
        writer.write(b"%d\n" % n)
    writer.commit()
    assert store.read_small("x").split() == [b"%d" % n for n in range(5000)]


def test_a_result_replaces_another_at_once(store: OutputStore) -> None:
    before = store.write_small("x", b"old")
    writer = store.writer("x")
    writer.write(b"newer")
    assert store.read_small("x") == b"old"
    after = writer.commit()
    assert store.read_small("x") == b"newer"
    assert after.etag != before.etag


@pytest.mark.parametrize("size", [10, 3 * PART_BYTES])
def test_abort_leaves_nothing(store: OutputStore, size: int) -> None:
    writer = store.writer("a/x.out")
    writer.write(some_bytes(size))
    writer.abort()
    writer.abort()
    with pytest.raises(InvalidArgumentError, match="committed or aborted already"):
        writer.write(b"more")
    assert list(store.list_names()) == []
    if store.folder is None:
        assert uploads_of(store.uri.split("/")[2]) == []
    else:
        assert [p for p in store.folder.rglob("*") if p.is_file()] == []


def test_small_objects(store: OutputStore) -> None:
    with pytest.raises(NotFoundError, match=r"none\.json"):
        store.read_small("none.json")
    assert store.stat("none.json") is None
    store.write_small("p/a", b"1")
    store.write_small("p/b", b"2")
    store.write_small("pa", b"")
    assert list(store.list_names("nothing")) == []
    assert sorted(store.list_names("p")) == ["p/a", "p/b", "pa"]
    assert sorted(store.list_names("p/")) == ["p/a", "p/b"]
    assert store.read_small("pa") == b""
    store.delete("p/a")
    store.delete("p/a")
    assert sorted(store.list_names()) == ["p/b", "pa"]


def test_more_names_than_a_page_of_s3(store: OutputStore) -> None:
    names = [f"n{n:04d}" for n in range(1050)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: store.write_small(name, name.encode()), names))
    assert sorted(store.list_names()) == names


def test_writers_in_threads(store: OutputStore) -> None:
    def write(n: int) -> None:
        writer = store.writer(f"folder/{n}")
        for _ in range(9):
            writer.write(bytes([n]) * (1 << 20))
        writer.commit()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(write, range(6)))
    for n in range(6):
        assert store.read_small(f"folder/{n}") == bytes([n]) * (9 << 20)


@pytest.mark.parametrize("size", [1, 2 * PART_BYTES])
def test_left_overs_of_a_killed_process(store: OutputStore, output_uri: str, size: int) -> None:
    script = """
import os, sys
from sagemaker_tensorflow.transform.output_store import open_output_store
store = open_output_store(sys.argv[1], owner=sys.argv[2])
writer = store.writer("sub/x.out")
writer.write(bytes(int(sys.argv[3])))
os.kill(os.getpid(), 9)
"""
    run = subprocess.run([sys.executable, "-c", script, output_uri, OWNER, str(size)], check=False)
    assert run.returncode == -9
    other = open_output_store(output_uri, owner="another")
    with contextlib.closing(other):
        assert other.clean_left_overs() == 0
    something_left = store.folder is not None or size > PART_BYTES
    assert store.clean_left_overs() == something_left
    assert store.clean_left_overs() == 0
    assert list(store.list_names()) == []
    if store.folder is None:
        assert uploads_of(store.uri.split("/")[2]) == []


def test_the_file_of_a_living_writer_stays(tmp_path: Path) -> None:
    store = open_output_store(str(tmp_path), owner=OWNER)
    writer = store.writer("x")
    writer.write(b"half")
    assert store.clean_left_overs() == 0
    writer.commit()
    assert store.read_small("x") == b"half"


def test_a_folder_that_somebody_removed(tmp_path: Path) -> None:
    store = open_output_store(str(tmp_path))
    store.write_small("deep/er/x", b"1")
    shutil.rmtree(tmp_path / "deep")
    store.write_small("deep/er/y", b"2")
    assert list(store.list_names()) == ["deep/er/y"]


def test_what_a_folder_lists(tmp_path: Path) -> None:
    """Files, by the beginning of their names, but not those behind a symbolic link to a folder."""
    (tmp_path / "elsewhere").mkdir()
    store = open_output_store(str(tmp_path / "out"))
    assert list(store.list_names()) == []
    for name in ("a", "ab/c", "ab/cd/e", "b/c"):
        store.write_small(name, b"1")
    (tmp_path / "elsewhere" / "x").write_bytes(b"")
    (tmp_path / "out" / "ab" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "out" / "ab" / "file").symlink_to(tmp_path / "elsewhere" / "x")
    found = {
        prefix: sorted(stored.name for stored in store.list_stored(prefix))
        for prefix in ("a", "ab/", "ab/c", "ab/cd/", "c")
    }
    assert found == {
        "a": ["a", "ab/c", "ab/cd/e", "ab/file"],
        "ab/": ["ab/c", "ab/cd/e", "ab/file"],
        "ab/c": ["ab/c", "ab/cd/e"],
        "ab/cd/": ["ab/cd/e"],
        "c": [],
    }
    assert {prefix: sorted(store.list_names(prefix)) for prefix in found} == found


def test_uploads_of_others_stay(bucket: str) -> None:
    """Of keys that begin with one of ours, and of names that were never noted."""
    client = boto3.client("s3")
    for key in ("out/x", "out/xy"):
        client.create_multipart_upload(Bucket=bucket, Key=key)
    with contextlib.closing(open_output_store(f"s3://{bucket}/out", owner=OWNER)) as store:
        store.write_small(
            f".smtf-transform/{OWNER}/uploads/n.json", json.dumps({"name": "x"}).encode()
        )
        store.write_small(f".smtf-transform/{OWNER}/uploads/broken.json", b"{")
        assert store.clean_left_overs() == 1
    assert uploads_of(bucket) == ["out/xy"]


def test_a_completed_upload_leaves_no_note(bucket: str) -> None:
    with contextlib.closing(open_output_store(f"s3://{bucket}", owner=OWNER)) as store:
        writer = store.writer("x")
        writer.write(bytes(2 * PART_BYTES))
        assert len(list(store.list_names(".smtf-transform/"))) == 1
        writer.commit()
        assert list(store.list_names()) == ["x"]


def test_content_types(bucket: str) -> None:
    with contextlib.closing(open_output_store(f"s3://{bucket}/o")) as store:
        for name, size in (("small", 1), ("large", PART_BYTES + 1)):
            writer = store.writer(name, "text/csv")
            writer.write(bytes(size))
            writer.commit()
            answer = boto3.client("s3").head_object(Bucket=bucket, Key=f"o/{name}")
            assert answer["ContentType"] == "text/csv"
        store.write_small("whole", b"1", "text/csv")
        answer = boto3.client("s3").head_object(Bucket=bucket, Key="o/whole")
        assert answer["ContentType"] == "text/csv"


def test_completion_whose_answer_was_lost(bucket: str) -> None:
    """As if botocore had asked again: somebody completes the upload before we do."""
    client = boto3.client("s3")
    data = some_bytes(2 * PART_BYTES + 1)
    with contextlib.closing(open_output_store(f"s3://{bucket}")) as store:
        upload = store.upload("x", "text/csv")  # type: ignore[attr-defined]
        for begin in range(0, len(data), PART_BYTES):
            upload.add_part(data[begin : begin + PART_BYTES])
        [begun] = client.list_multipart_uploads(Bucket=bucket)["Uploads"]
        named = {"Bucket": bucket, "Key": "x", "UploadId": begun["UploadId"]}
        while len(parts := client.list_parts(**named).get("Parts", [])) < 3:
            pass
        joined = [{"PartNumber": p["PartNumber"], "ETag": p["ETag"]} for p in parts]
        client.complete_multipart_upload(**named, MultipartUpload={"Parts": joined})
        assert upload.complete() == client.head_object(Bucket=bucket, Key="x")["ETag"]
        assert store.read_small("x") == data


def test_upload_that_somebody_aborted(gateway_bucket: str) -> None:
    """What was there before, of the same size, is not taken for the result."""
    bucket = gateway_bucket
    client = boto3.client("s3")
    with contextlib.closing(open_output_store(f"s3://{bucket}")) as store:
        for content in (b"a", b"b"):
            writer = store.writer("x")
            writer.write(content * (PART_BYTES + 1))
            if content == b"a":
                writer.commit()
        [begun] = client.list_multipart_uploads(Bucket=bucket)["Uploads"]
        while not client.list_parts(Bucket=bucket, Key="x", UploadId=begun["UploadId"]).get(
            "Parts"
        ):
            pass
        client.abort_multipart_upload(Bucket=bucket, Key="x", UploadId=begun["UploadId"])
        with pytest.raises(NotFoundError, match=f"s3://{bucket}/x"):
            writer.commit()
        assert store.read_small("x") == b"a" * (PART_BYTES + 1)


def test_parts_grow_to_what_s3_takes() -> None:
    sizes = [part_bytes(number) for number in range(1, MOST_PARTS + 1)]
    assert sum(sizes) > 5 << 40
    assert sizes[0] == 8 << 20
    assert max(sizes) < 5 << 30


@pytest.mark.parametrize("size", [10, 2 * PART_BYTES])
def test_bucket_that_denies_writes(bucket: str, size: int) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": f"arn:aws:s3:::{bucket}/*",
            }
        ],
    }
    boto3.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    with contextlib.closing(open_output_store(f"s3://{bucket}/out")) as store:
        writer = store.writer("x.csv.out")
        with pytest.raises(PermissionDeniedError) as caught:
            writer.write(bytes(size))
            writer.commit()
    message = str(caught.value)
    assert f"s3://{bucket}/out/x.csv.out" in message
    assert "403" in message
    assert "s3:PutObject" in message


def test_bucket_that_is_not_there(aws: str) -> None:
    with contextlib.closing(open_output_store("s3://no-such-bucket-here/out")) as store:
        with pytest.raises(NotFoundError, match=r"no-such-bucket-here.*make bucket"):
            store.write_small("x", b"1")
        with pytest.raises(NotFoundError, match="make bucket"):
            list(store.list_names())


def test_server_that_is_not_there(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    with contextlib.closing(open_output_store("s3://bucket/out")) as store:
        writer = store.writer("x")
        with pytest.raises(UnavailableError, match="s3://bucket/out/x"):
            writer.write(bytes(3 * PART_BYTES))


def test_credentials_that_were_renewed(clean_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a file, as a script on the machine does it. They are not asked for again at once."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    file = Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"])
    with faulty_s3() as s3:
        s3.put({"out/x": b"content"})
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3.url)

        def renew(number: int) -> None:
            s3.expire_credentials()
            s3.allow(f"AKID{number}", "dummy")
            file.write_text(
                f"[default]\naws_access_key_id = AKID{number}\naws_secret_access_key = dummy\n"
            )

        renew(1)
        with contextlib.closing(open_output_store(f"{s3.uri}/out")) as store:
            assert store.read_small("x") == b"content"
            renew(2)
            assert list(store.list_names()) == ["x"]
            renew(3)
            with pytest.raises(PermissionDeniedError, match=r"ExpiredToken.*get new credentials"):
                list(store.list_names())


def test_key_that_is_too_long(bucket: str) -> None:
    with contextlib.closing(open_output_store(f"s3://{bucket}/out")) as store:
        store.write_small("k" * 1020, b"")
        with pytest.raises(InvalidArgumentError, match="1024 bytes"):
            store.write_small("é" * 511, b"")


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "", "a\0"])
def test_names_that_leave_the_folder(tmp_path: Path, name: str) -> None:
    store = open_output_store(str(tmp_path / "out"))
    with pytest.raises(InvalidArgumentError, match="no name of a file"):
        store.writer(name)


def test_mode_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        open_output_store(str(tmp_path), fsync=True).write_small("x", b"1")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640


def test_the_longest_name_that_a_file_can_have(tmp_path: Path) -> None:
    store = open_output_store(str(tmp_path))
    store.write_small("n" * 255, b"1")
    assert list(store.list_names()) == ["n" * 255]


def test_a_file_in_the_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    store = open_output_store(str(tmp_path))
    with pytest.raises((InternalError, NotFoundError), match="a"):
        store.write_small("a/b", b"1")


def test_folder_that_denies_writes(tmp_path: Path) -> None:
    """As another user, because nothing is denied to root."""
    if os.getuid() != 0:
        pytest.skip("needs root, to become somebody else")
    tmp_path.chmod(0o755)
    script = """
import os, sys
from sagemaker_tensorflow.errors import PermissionDeniedError
from sagemaker_tensorflow.transform.output_store import open_output_store
store = open_output_store(sys.argv[1])
os.setuid(65534)
try:
    store.write_small("x", b"1")
except PermissionDeniedError as error:
    print(error)
"""
    run = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert str(tmp_path) in run.stdout
    assert "Permission denied" in run.stdout


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    with small_disk(tmp_path / "disk", "1m") as mounted:
        yield mounted


def test_disk_that_is_full(full_disk: Path) -> None:
    store = open_output_store(str(full_disk), owner=OWNER)
    store.write_small("small", b"fits")
    writer = store.writer("large")
    with pytest.raises(InternalError, match=r"large.*No space left.*make room"):
        for _ in range(30):
            writer.write(bytes(100_000))
    assert [path.name for path in full_disk.iterdir()] == ["small"]
    store.write_small("another", bytes(500_000))


def test_file_that_may_not_grow(tmp_path: Path) -> None:
    script = """
import resource, sys
from sagemaker_tensorflow.errors import InternalError
from sagemaker_tensorflow.transform.output_store import open_output_store
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    open_output_store(sys.argv[1]).write_small("x", bytes(5000))
except InternalError as error:
    print(error)
"""
    run = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "File too large" in run.stdout
    assert list(tmp_path.iterdir()) == []
