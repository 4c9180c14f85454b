from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.errors import CancelledError, InternalError, NotFoundError
from sagemaker_tensorflow.listing import ListedObject
from sagemaker_tensorflow.object_list_file import (
    ListedObjects,
    ObjectListWriter,
    read_object_list,
)


def never(error: Exception) -> None:
    raise AssertionError from error


def read(path: Path) -> Iterator[list[ListedObject]]:
    return read_object_list(str(path), threading.Event())


def test_list_comes_back_in_pages_that_grow() -> None:
    names = ["a\tb\n", "ü\U0001f600", os.fsdecode(b"\xff"), *map(str, range(100))]
    objects: list[ListedObject] = [(name, len(name) << 40, f'"{name}"') for name in names]
    with contextlib.closing(ObjectListWriter(objects, never)) as writer:
        assert stat.S_IMODE(writer.path.stat().st_mode) == 0o600
        pages = list(read(writer.path))
        assert [len(page) for page in pages] == [16, 64, 23]
        assert [listed for page in pages for listed in page] == objects
        assert not writer.path.exists()


def test_first_page_comes_before_the_others_are_known() -> None:
    go_on = threading.Event()

    def objects() -> Iterator[ListedObject]:
        for number in range(50):
            if number == 20:
                go_on.wait(30)
            yield (str(number), number, "")

    with contextlib.closing(ObjectListWriter(objects(), never)) as writer:
        pages = read(writer.path)
        assert len(next(pages)) == 16
        assert not writer.path.exists()
        go_on.set()
        assert [len(page) for page in pages] == [34]


def test_wait_for_a_page_ends_when_it_is_told_to() -> None:
    go_on, stopped = threading.Event(), threading.Event()

    def objects() -> Iterator[ListedObject]:
        yield from (("k", 1, "") for _ in range(16))
        go_on.wait(30)

    with contextlib.closing(ObjectListWriter(objects(), never)) as writer:
        pages = read_object_list(str(writer.path), stopped)
        assert len(next(pages)) == 16
        timer = threading.Timer(0.1, stopped.set)
        timer.start()
        try:
            with pytest.raises(CancelledError):
                next(pages)
        finally:
            go_on.set()
            timer.join()


def test_list_that_is_not_read_is_not_left_behind() -> None:
    writer = ObjectListWriter((("k", 1, "") for _ in range(100_000)), never)
    writer.close()
    writer.close()
    assert not writer.path.exists()


def test_list_whose_beginning_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def objects() -> Iterator[ListedObject]:
        yield ("k", 1, "")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ObjectListWriter(objects(), never)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(NotFoundError):
        ObjectListWriter([("k", 1, "")], never)


def test_list_whose_end_cannot_be_made() -> None:
    failures: list[Exception] = []

    def objects() -> Iterator[ListedObject]:
        yield from (("k", 1, "") for _ in range(20))
        raise ValueError("no more")

    writer = ObjectListWriter(objects(), failures.append)
    writer.close()
    assert [str(failure) for failure in failures] == ["no more"]


def test_list_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        next(read(tmp_path / "none"))
    path = tmp_path / "list"
    path.write_text("[[\n")
    with pytest.raises(InternalError):
        next(read(path))


@pytest.mark.parametrize("bucket", ["some-bucket", None])
def test_channel_as_json(bucket: str | None) -> None:
    channel = Channel("objects", ListedObjects("/tmp/list", bucket, gunzip=bucket is None))
    assert Channel.from_json(channel.to_json()) == channel
    assert channel.pipe_names == ("objects",)
