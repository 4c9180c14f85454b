from __future__ import annotations

import os
from pathlib import Path

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_tensorflow import object_text
from sagemaker_tensorflow.errors import FailedPreconditionError, NotFoundError
from sagemaker_tensorflow.locations import LocalLocation, S3Location
from sagemaker_tensorflow.object_text import open_s3_text, read_local_text, split_lines
from sagemaker_tensorflow.s3_session import S3Session
from tests.conftest import PutObjects


@given(st.lists(st.binary(max_size=4).map(lambda part: part.replace(b"x", b"\n")), max_size=20))
def test_lines_do_not_depend_on_the_chunks(chunks: list[bytes]) -> None:
    text = b"".join(chunks)
    expected = text.removesuffix(b"\n").split(b"\n") if text else []
    assert list(split_lines(chunks, max_bytes=1000)) == expected


def test_long_line_is_the_last() -> None:
    taken = iter([b"a\nbb", b"bb", b"bb", b"\nc"])
    assert list(split_lines(taken, max_bytes=3)) == [b"a", b"bbbb"]
    assert list(taken) == [b"bb", b"\nc"], "the rest was read"


def test_local_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_text, "_CHUNK_BYTES", 4)
    (tmp_path / "x").write_bytes(b"0123456789")
    chunks = list(read_local_text(LocalLocation(tmp_path / "x")))
    assert chunks == [b"0123", b"4567", b"89"]
    with pytest.raises(NotFoundError, match="gone"):
        next(read_local_text(LocalLocation(tmp_path / "gone")))


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 29, 30, 31, 100])
def test_s3_text(
    put_objects: PutObjects, bucket: str, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(object_text, "_FIRST_CHUNK_BYTES", 10)
    monkeypatch.setattr(object_text, "_CHUNK_BYTES", 20)
    body = os.urandom(size)
    put_objects({"a b/é+%41": body})
    session = S3Session.from_environment()
    text = open_s3_text(session, S3Location(bucket, "a b/é+%41"))
    assert b"".join(text.chunks) == body
    assert text.address == session.first_page(S3Location(bucket, "")).address
    session.close()


def test_s3_text_that_is_replaced(
    put_objects: PutObjects, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_text, "_FIRST_CHUNK_BYTES", 4)
    put_objects({"x": b"old text"})
    session = S3Session.from_environment()
    chunks = open_s3_text(session, S3Location(bucket, "x")).chunks
    assert next(chunks) == b"old "
    boto3.client("s3").put_object(Bucket=bucket, Key="x", Body=b"new text")
    with pytest.raises(FailedPreconditionError, match=f"reading s3://{bucket}/x: 412"):
        next(chunks)
    session.close()


def test_s3_text_that_is_not_there(bucket: str) -> None:
    session = S3Session.from_environment()
    with pytest.raises(NotFoundError, match=f"reading s3://{bucket}/gone: 404 NoSuchKey"):
        open_s3_text(session, S3Location(bucket, "gone"))
    session.close()
