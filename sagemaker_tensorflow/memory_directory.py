"""A directory in memory, for pipes and the small files beside them.

A file system on a busy disk lets nobody remove or replace a small file that it is about to write,
before it has written what other files wait for: 18 s were seen where a download had filled the page
cache before a disk of 60 MB/s (ext4, Linux 6.18).
"""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

from sagemaker_tensorflow.system_errors import translated_os_errors

_log = logging.getLogger(__name__)

_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a directory of a random name is made in it
# Pipes take none of it, and the files a few KiB; but others fill it too while a job runs.
_ENOUGH_BYTES = 16 << 20
# A prefetcher takes a dozen.
_ENOUGH_FILES = 1024


def memory_directory(path: str = _SHARED_MEMORY) -> str | None:
    """Where a temporary directory may be made that no disk slows down.

    Returns:
        The path, as `tempfile.mkdtemp` takes it; None, which is its default, where this machine has
        no such directory, or it may not be written to, or it is nearly full.
    """
    try:
        room = os.statvfs(path)
    except OSError:
        return None
    if room.f_bavail * room.f_frsize < _ENOUGH_BYTES:
        return None
    # A file system that counts no files says 0; a tmpfs without nr_inodes, too.
    if room.f_files and room.f_favail < _ENOUGH_FILES:
        return None
    return path if os.access(path, os.W_OK | os.X_OK) else None


def make_temporary_directory(prefix: str, *, in_memory: bool) -> Path:
    """Makes a new directory, as `tempfile.mkdtemp` does.

    Args:
        prefix: Of its name.
        in_memory: In memory, where that is possible; that it is not is no error.

    Raises:
        PipeModeDatasetException: It cannot be made on the disk either.
    """
    parent = memory_directory() if in_memory else None
    if parent is not None:
        try:
            return Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        except OSError as error:  # a quota, for example, of which `statvfs` does not know
            _log.info("no directory can be made in %s (%s): on disk", parent, error.strerror)
    with translated_os_errors("making a temporary directory"):
        return Path(tempfile.mkdtemp(prefix=prefix))
