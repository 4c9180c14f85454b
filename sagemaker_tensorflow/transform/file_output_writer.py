"""One result on its way to a file: all at once, or as it comes.

Either way it is written to a hidden file beside its place, which is renamed when it is complete.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from sagemaker_tensorflow.errors import InternalError, InvalidArgumentError
from sagemaker_tensorflow.system_errors import make_directory, translated_os_errors
from sagemaker_tensorflow.transform.output_store import StoredObject

# Less the umask, which open() takes care of. tempfile would make files that only we can read.
_FILE_MODE = 0o644
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
# Results may come a record at a time, and a system call costs as much as copying some KiB.
_BUFFER_BYTES = 256 << 10
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FileOutputWriter:
    """An `OutputWriter` of one file, which is locked while this lives.

    Args:
        path: Where the file will be.
        hidden: Where it is until then; in the same folder.
        name: Of the file in its store.
        fsync: Wait for the disk before it is renamed.
    """

    def __init__(self, path: str, hidden: str, name: str, fsync: bool) -> None:
        self._path = path
        self._hidden = hidden
        self._name = name
        self._fsync = fsync
        self._fd = -1
        self._buffer = bytearray()
        self._done = False

    def write(self, data: bytes) -> None:
        """Appends bytes."""
        with self._removed_on_error("writing"):
            self._open()
            if len(self._buffer) + len(data) > _BUFFER_BYTES:
                self._flush()
            if len(data) > _BUFFER_BYTES:
                _write_out(self._fd, data)
            else:
                self._buffer += data

    def commit(self) -> StoredObject:
        """Renames the file."""
        with self._removed_on_error("finishing"):
            self._open()
            self._flush()
            stored = _settled(self._fd, self._name, self._fsync)
            Path(self._hidden).rename(self._path)
            self._close()
            if self._fsync:
                _sync_folder(self._path)
        return stored

    def abort(self) -> None:
        """Removes what was written, if it was not committed."""
        if self._done:
            return
        with contextlib.suppress(OSError):
            Path(self._hidden).unlink()
        self._close()

    def _open(self) -> None:
        if self._done:
            raise InvalidArgumentError(f"{self._path} was committed or aborted already")
        if self._fd >= 0:
            return
        make_directory(Path(self._path).parent)
        self._fd = os.open(self._hidden, _NEW_FILE, _FILE_MODE)
        # Some network file systems have no locks; there a run must not clean up after a living one.
        with contextlib.suppress(OSError):
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _flush(self) -> None:
        _write_out(self._fd, self._buffer)
        self._buffer = bytearray()

    def _close(self) -> None:
        self._done = True
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    @contextlib.contextmanager
    def _removed_on_error(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.abort()
            _refuse(f"{what} {self._path}", error)
        except BaseException:
            self.abort()
            raise


def write_file(path: str, hidden: str, name: str, data: bytes, fsync: bool) -> StoredObject:
    """Writes a file that is in memory as a whole, with half of a writer's system calls.

    No lock tells a later run that the hidden file is not left over; should one remove it in the
    moment before it is renamed, it is written again.

    Raises:
        PipeModeDatasetException: It cannot be written; what was there before still is.
    """
    try:
        try:
            return _write_and_rename(path, hidden, name, data, fsync)
        except FileNotFoundError:
            # Its folder is not there yet: found out by trying, which costs nothing where it is.
            make_directory(Path(path).parent)
            return _write_and_rename(path, hidden, name, data, fsync)
    except OSError as error:
        _refuse(f"writing {path}", error)


def _write_and_rename(path: str, hidden: str, name: str, data: bytes, fsync: bool) -> StoredObject:
    """`write_file` for a folder that is there."""
    fd = os.open(hidden, _NEW_FILE, _FILE_MODE)
    try:
        try:
            _write_out(fd, data)
            stored = _settled(fd, name, fsync)
        finally:
            os.close(fd)
        os.rename(hidden, path)  # noqa: PTH104 - making a Path takes longer than this
    except BaseException:
        with contextlib.suppress(OSError):
            Path(hidden).unlink()
        raise
    if fsync:
        _sync_folder(path)
    return stored


def stored_file(name: str, status: os.stat_result) -> StoredObject:
    """What a file is in its store."""
    return StoredObject(name, status.st_size, f'"{status.st_mtime_ns:x}-{status.st_size:x}"')


def _write_out(fd: int, data: bytes | bytearray) -> None:
    written = os.write(fd, data)
    if written < len(data):
        left = memoryview(data)[written:]
        while left:
            left = left[os.write(fd, left) :]


def _settled(fd: int, name: str, fsync: bool) -> StoredObject:
    """As it will be: renaming keeps time and size, which the ETag is made of."""
    if fsync:
        os.fsync(fd)
    return stored_file(name, os.fstat(fd))


def _sync_folder(path: str) -> None:
    """Makes a renamed file's new name last: fsync(2)."""
    fd = os.open(Path(path).parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _refuse(what: str, error: OSError) -> NoReturn:
    """Raises this package's exception for what the system refused; a full disk with advice."""
    if error.errno in _FULL:
        name = "" if error.filename is None else f" {error.filename}"
        raise InternalError(
            f"{what}:{name} {error.strerror}: the result was taken back; make room or choose "
            "another output path, then start the job again: it goes on where it stopped"
        ) from error
    with translated_os_errors(what):
        raise error
