"""Folders for what a job downloads and unpacks; one that a killed job left goes with the next job.

An unpacked model may have 30 GiB, and nobody can clean up behind a SIGKILL. So a folder is locked
with `flock` as long as its process lives: the kernel lets go of the lock whatever the process died
of. Who makes a folder first removes those that nobody holds.

A folder is made first and locked a moment later, and somebody who cleans up in between gets the
lock and removes it. So who has made and locked a folder looks whether it is still there, and makes
another one if it is not.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sagemaker_tensorflow.system_errors import translated_os_errors

_log = logging.getLogger(__name__)

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A new folder where `tempfile` makes them, removed at the end of the block.

    Before it is made, folders go that dead processes of this user left on this host.

    Raises:
        PipeModeDatasetException: It cannot be made.
    """
    _remove_left_overs(Path(tempfile.gettempdir()))
    with translated_os_errors("making a temporary folder"):
        path, lock = _make_locked()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)  # what stays, the next job removes
        os.close(lock)


def _prefix() -> str:
    # The host's name, because a folder that several hosts share may be of a file system on which
    # each has locks of its own.
    host = hashlib.sha256(os.uname().nodename.encode()).hexdigest()[:8]
    return f"smtf-transform-{host}-"


def _make_locked() -> tuple[Path, int]:
    while True:
        path = Path(tempfile.mkdtemp(prefix=_prefix()))
        try:
            lock = os.open(path, _OPEN)
        except FileNotFoundError:
            continue
        # Waits for somebody who just removes it. Some network file systems have no such locks:
        # there nobody gets one, and so nobody removes anything.
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_still(path, lock):
            return path, lock
        os.close(lock)


def _is_still(path: Path, opened: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(opened))
    except FileNotFoundError:
        return False


def _remove_left_overs(parent: Path) -> None:
    with contextlib.suppress(OSError):
        for path in parent.glob(f"{_prefix()}*"):
            # Not ours, or held by a living process, or somebody else removes it just now.
            with contextlib.suppress(OSError):
                _remove_unless_held(path)


def _remove_unless_held(path: Path) -> None:
    folder = os.open(path, _OPEN)
    try:
        if os.fstat(folder).st_uid != os.geteuid():
            return
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path)
        _log.info("removed %s, which a job that was killed had left", path)
    finally:
        os.close(folder)
