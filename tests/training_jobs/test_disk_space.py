from __future__ import annotations

import os
from pathlib import Path

import pytest

from sagemaker_tensorflow.errors import FailedPreconditionError
from sagemaker_tensorflow.training.disk_space import (
    _claimed_beside,
    check_disk_space,
    claimed_disk_space,
)


def test_what_fits(tmp_path: Path) -> None:
    check_disk_space(tmp_path, [0, 1, 1 << 20], ["a", "b", "c"])
    check_disk_space(tmp_path, [], [])


def test_too_many_bytes(tmp_path: Path) -> None:
    with pytest.raises(FailedPreconditionError, match=rf"{tmp_path} has room for .* 2 files"):
        check_disk_space(tmp_path, [1, 1 << 60], ["a", "b"])


def test_files_that_are_replaced_make_room(tmp_path: Path) -> None:
    """As much as they take on the disk, which is less than holes pretend."""
    taken = 256 << 20  # far more than others write meanwhile
    with (tmp_path / "ä").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, taken)
    with (tmp_path / "hole").open("wb") as hole:
        hole.truncate(1 << 40)
    disk = os.statvfs(tmp_path)
    more_than_free = disk.f_bavail * disk.f_frsize + taken // 2
    check_disk_space(tmp_path, [more_than_free], ["ä"])
    with pytest.raises(FailedPreconditionError):
        check_disk_space(tmp_path, [more_than_free], ["hole", "not there"])


def test_downloads_at_the_same_time_are_counted_together(tmp_path: Path) -> None:
    """Each would fit by itself; what the first has written counts once."""
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    disk = os.statvfs(tmp_path)
    most = disk.f_bavail * disk.f_frsize * 2 // 3
    with claimed_disk_space(first, [most], ["a"]):
        with (
            pytest.raises(FailedPreconditionError, match=r"beside .* of other downloads"),
            claimed_disk_space(second, [most], ["a"]),
        ):
            pass
        with claimed_disk_space(second, [1 << 20], ["a"]):
            pass
        (first / "below").mkdir()
        with (first / "below" / "a").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, 256 << 20)
        assert _claimed_beside(second) == pytest.approx(most - (256 << 20), abs=1 << 20)
    with claimed_disk_space(second, [most], ["a"]):
        pass
