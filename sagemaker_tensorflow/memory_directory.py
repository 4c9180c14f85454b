"""A directory in memory, for pipes and the small files beside them.

A file system on a busy disk lets nobody remove or replace a small file that it is about to write,
before it has written what other files wait for: 18 s were seen where a download had filled the page
cache before a disk of 60 MB/s (ext4, Linux 6.18).
"""

from __future__ import annotations

import os

_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a directory of a random name is made in it
# Pipes take none of it, and the files a few KiB.
_ENOUGH_BYTES = 1 << 20


def memory_directory(path: str = _SHARED_MEMORY) -> str | None:
    """Where a temporary directory may be made that no disk slows down.

    Returns:
        The path, as `tempfile.mkdtemp` takes it; None, which is its default, where this machine has
        no such directory, or it may not be written to, or it is full.
    """
    try:
        room = os.statvfs(path)
    except OSError:
        return None
    if room.f_bavail * room.f_frsize < _ENOUGH_BYTES:
        return None
    return path if os.access(path, os.W_OK | os.X_OK) else None
