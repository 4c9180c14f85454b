"""Whether files that are to be written have room, asked before the first byte is fetched."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from sagemaker_tensorflow.errors import FailedPreconditionError
from sagemaker_tensorflow.progress import format_bytes
from sagemaker_tensorflow.system_errors import translated_os_errors

# st_blocks counts in these, whatever the file system's blocks are (stat(2)).
_STAT_BLOCK_BYTES = 512

_lock = threading.Lock()
# What downloads of this process are going to take, by directory: hosts of one job begin together.
_claims: dict[Path, int] = {}


@contextlib.contextmanager
def claimed_disk_space(
    directory: Path, sizes: Iterable[int], paths: Iterable[str]
) -> Iterator[None]:
    """`check_disk_space`, where what other such contexts have still to write is not free.

    Raises:
        FailedPreconditionError: As there.
        PermissionDeniedError: As there.
    """
    with _lock:
        _claims[directory] = check_disk_space(directory, sizes, paths, _claimed_beside(directory))
    try:
        yield
    finally:
        with _lock:
            _claims.pop(directory, None)


def _claimed_beside(directory: Path) -> int:
    """Bytes that other downloads have still to write to the same file system."""
    claimed = 0
    for other, needed in _claims.items():
        with contextlib.suppress(OSError):
            if other.stat().st_dev == directory.stat().st_dev:
                files = (path.relative_to(other) for path in other.rglob("*"))
                claimed += max(0, needed - sum(_taken(other, map(str, files))))
    return claimed


def check_disk_space(
    directory: Path, sizes: Iterable[int], paths: Iterable[str], claimed: int = 0
) -> int:
    """Compares what files take with what the file system has for this user.

    Another process may still fill the disk. What files of the same paths take now counts as free,
    as they are replaced one by one.

    Args:
        directory: Where the files go; it is there.
        sizes: Of the files, in bytes.
        paths: Where they lie in it; looked at only where space is short.
        claimed: Bytes that are not free, although nothing is there yet.

    Returns:
        How many bytes they take.

    Raises:
        FailedPreconditionError: There is not enough room, or not for so many files.
        PermissionDeniedError: The directory may not be searched.
    """
    with translated_os_errors("asking for free space"):
        disk = os.statvfs(directory)
    count = needed = 0
    for size in sizes:
        count += 1
        needed += -(-size // disk.f_frsize) * disk.f_frsize
    free, free_files = disk.f_bavail * disk.f_frsize - claimed, disk.f_favail
    # A file system without a table of files says that it has 0 of 0.
    few_files = disk.f_files > 0 and free_files < count
    if needed <= free and not few_files:
        return needed
    for taken in _taken(directory, paths):
        free += taken
        free_files += 1
    if needed > free:
        raise FailedPreconditionError(
            f"{directory} has room for {format_bytes(max(0, free))}{_beside(claimed)} and the "
            f"channel's {count} files take {format_bytes(needed)}: free some space, put the job on "
            "another disk, or stream the channel with input_mode='Pipe', which takes none"
        )
    if disk.f_files > 0 and free_files < count:
        raise FailedPreconditionError(
            f"the file system of {directory} can have {free_files} more files (inodes) and the "
            f"channel has {count}: remove some, put the job on another disk, or stream the channel "
            "with input_mode='Pipe'"
        )
    return needed


def _beside(claimed: int) -> str:
    return f" beside {format_bytes(claimed)} of other downloads" if claimed else ""


def _taken(directory: Path, paths: Iterable[str]) -> Iterator[int]:
    """Bytes on disk of each of the files that is there already."""
    folder = os.fsencode(directory)
    for path in paths:
        with contextlib.suppress(OSError):
            name = os.path.join(folder, path.encode("utf-8", "surrogateescape"))  # noqa: PTH118
            yield os.lstat(name).st_blocks * _STAT_BLOCK_BYTES
