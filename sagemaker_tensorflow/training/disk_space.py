"""Whether files that are to be written have room, asked before the first byte is fetched."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from sagemaker_tensorflow.errors import FailedPreconditionError
from sagemaker_tensorflow.progress import format_bytes
from sagemaker_tensorflow.system_errors import translated_os_errors

# st_blocks counts in these, whatever the file system's blocks are (stat(2)).
_STAT_BLOCK_BYTES = 512


def check_disk_space(directory: Path, sizes: Iterable[int], paths: Iterable[str]) -> None:
    """Compares what files take with what the file system has for this user.

    Another process may still fill the disk. What files of the same paths take now counts as free,
    as they are replaced one by one.

    Args:
        directory: Where the files go; it is there.
        sizes: Of the files, in bytes.
        paths: Where they lie in it; looked at only where space is short.

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
    free, free_files = disk.f_bavail * disk.f_frsize, disk.f_favail
    # A file system without a table of files says that it has 0 of 0.
    few_files = disk.f_files > 0 and free_files < count
    if needed <= free and not few_files:
        return
    for taken in _taken(directory, paths):
        free += taken
        free_files += 1
    if needed > free:
        raise FailedPreconditionError(
            f"{directory} has room for {format_bytes(free)} and the channel's {count} files take "
            f"{format_bytes(needed)}: free some space, put the job on another disk, or stream the "
            "channel with input_mode='Pipe', which takes none"
        )
    if disk.f_files > 0 and free_files < count:
        raise FailedPreconditionError(
            f"the file system of {directory} can have {free_files} more files (inodes) and the "
            f"channel has {count}: remove some, put the job on another disk, or stream the channel "
            "with input_mode='Pipe'"
        )


def _taken(directory: Path, paths: Iterable[str]) -> Iterator[int]:
    """Bytes on disk of each of the files that is there already."""
    folder = os.fsencode(directory)
    for path in paths:
        with contextlib.suppress(OSError):
            name = os.path.join(folder, path.encode("utf-8", "surrogateescape"))  # noqa: PTH118
            yield os.lstat(name).st_blocks * _STAT_BLOCK_BYTES
