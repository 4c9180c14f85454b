"""Where the pipes of downloads and transforms are."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_tensorflow.memory_directory import memory_directory
from sagemaker_tensorflow.object_feed import ObjectFeed
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_options import S3Options


def test_a_directory_with_room_is_taken(tmp_path: Path) -> None:
    assert memory_directory(str(tmp_path)) == str(tmp_path)


def test_without_one_the_default_is_left(tmp_path: Path) -> None:
    assert memory_directory(str(tmp_path / "none")) is None


@pytest.mark.skipif(memory_directory() is None, reason="this machine has no /dev/shm with room")
def test_the_pipes_of_object_feeds_are_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "object"
    file.write_bytes(b"content")
    feed = ObjectFeed(
        iter([(str(file), file.stat().st_size, "")]),
        None,
        s3_options=S3Options(),
        config=PrefetchConfig(),
        on_failure=lambda: None,
    )
    with feed:
        directory = Path(feed.pipe_dir)
        assert directory.stat().st_dev == Path(str(memory_directory())).stat().st_dev
    assert not directory.parent.exists()
