"""Results in a local folder.

An object is written to a hidden file beside its place and renamed when it is complete. The hidden
file is locked as long as its writer lives, so a later run can tell what a killed one left from what
a living one is at: the kernel lets go of a lock with its process, however that ends.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from sagemaker_tensorflow.errors import InternalError, InvalidArgumentError
from sagemaker_tensorflow.system_errors import make_directory, translated_os_errors
from sagemaker_tensorflow.transform.output_store import OutputWriter, StoredObject

_TEMPORARY = ".smtf-"
_OWNER_LETTERS = 12
# Less the umask, which open() takes care of. tempfile would make files that only we can read.
_FILE_MODE = 0o644
# Results may come a record at a time, and a system call costs as much as copying some KiB.
_BUFFER_BYTES = 256 << 10
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FileOutputStore:
    """An `OutputStore` of files. Thread-safe.

    Args:
        folder: Absolute; made when the first file is.
        owner: See `open_output_store`.
        fsync: Wait for the disk before a file is renamed.
    """

    def __init__(self, folder: Path, owner: str = "", fsync: bool = False) -> None:
        self._folder = folder
        self._fsync = fsync
        self._temporary = f"{_TEMPORARY}{owner[:_OWNER_LETTERS] or 'any'}-"
        self._owned = bool(owner)

    @property
    def uri(self) -> str:
        """The folder."""
        return str(self._folder)

    @property
    def folder(self) -> Path:
        """The folder."""
        return self._folder

    def uri_of(self, name: str) -> str:
        """The path."""
        return str(self._folder / name)

    def writer(self, name: str, content_type: str = "application/octet-stream") -> OutputWriter:
        """Begins a file; `content_type` has no place in a file system."""
        return _FileWriter(self._path(name), name, self._temporary, self._fsync)

    def read_small(self, name: str) -> bytes:
        """Reads a file."""
        with translated_os_errors("reading"):
            return self._path(name).read_bytes()

    def write_small(self, name: str, data: bytes) -> StoredObject:
        """Writes a file."""
        writer = self.writer(name)
        try:
            writer.write(data)
            return writer.commit()
        finally:
            writer.abort()

    def stat(self, name: str) -> StoredObject | None:
        """Looks at a file."""
        path = self._path(name)
        with translated_os_errors("looking for"):
            try:
                return _stored(name, path.stat()) if path.is_file() else None
            except FileNotFoundError:
                return None

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return self.stat(name) is not None

    def list_stored(self, prefix: str = "") -> Iterator[StoredObject]:
        """Walks the folder that the prefix names, and those below."""
        top = prefix.rpartition("/")[0]
        with translated_os_errors("listing"):
            for path in self._files(self._folder / top):
                name = path.relative_to(self._folder).as_posix()
                if name.startswith(prefix) and not path.name.startswith(_TEMPORARY):
                    # Gone since it was listed: as if it had never been.
                    with contextlib.suppress(FileNotFoundError):
                        yield _stored(name, path.stat())

    def list_names(self, prefix: str = "") -> Iterator[str]:
        """The names alone."""
        return (stored.name for stored in self.list_stored(prefix))

    def delete(self, name: str) -> None:
        """Removes a file; its folder stays."""
        with translated_os_errors("removing"):
            self._path(name).unlink(missing_ok=True)

    def clean_left_overs(self) -> int:
        """Removes hidden files of this owner that no living process holds."""
        if not self._owned:
            return 0
        with translated_os_errors("cleaning up"):
            left = [p for p in self._files(self._folder) if p.name.startswith(self._temporary)]
            return sum(_remove_unless_held(path) for path in left)

    def close(self) -> None:
        """Nothing to end."""

    def _path(self, name: str) -> Path:
        if name.startswith("/") or ".." in name.split("/") or "\0" in name or not name:
            raise InvalidArgumentError(f"{name!r} is no name of a file in {self._folder}")
        return self._folder / name

    def _files(self, folder: Path) -> Iterator[Path]:
        for root, _, names in os.walk(folder):
            yield from (Path(root, name) for name in names)


class _FileWriter:
    """An `OutputWriter` of one file."""

    def __init__(self, path: Path, name: str, temporary: str, fsync: bool) -> None:
        self._path = path
        self._name = name
        self._fsync = fsync
        # A fixed length, not made of `name`: that may already be as long as names may be.
        self._hidden = path.parent / f"{temporary}{secrets.token_hex(8)}.tmp"
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
                self._write_out(data)
            else:
                self._buffer += data

    def commit(self) -> StoredObject:
        """Renames the file."""
        with self._removed_on_error("finishing"):
            self._open()
            self._flush()
            if self._fsync:
                os.fsync(self._fd)
            # Renaming keeps time and size, which the ETag is made of.
            stored = _stored(self._name, os.fstat(self._fd))
            self._hidden.replace(self._path)
            self._close()
            if self._fsync:
                _sync_folder(self._path.parent)
        return stored

    def abort(self) -> None:
        """Removes what was written, if it was not committed."""
        if self._done:
            return
        with contextlib.suppress(OSError):
            self._hidden.unlink()
        self._close()

    def _open(self) -> None:
        if self._done:
            raise InvalidArgumentError(f"{self._path} was committed or aborted already")
        if self._fd >= 0:
            return
        make_directory(self._path.parent)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._fd = os.open(self._hidden, flags, _FILE_MODE)
        # Some network file systems have no locks; there a run must not clean up after a living one.
        with contextlib.suppress(OSError):
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _flush(self) -> None:
        self._write_out(self._buffer)
        self._buffer = bytearray()

    def _write_out(self, data: bytes | bytearray) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._fd, left) :]

    def _close(self) -> None:
        self._done = True
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    @contextlib.contextmanager
    def _removed_on_error(self, what: str) -> Iterator[None]:
        try:
            with translated_os_errors(f"{what} {self._path}"):
                yield
        except InternalError as error:
            self.abort()
            cause = error.__cause__
            if isinstance(cause, OSError) and cause.errno in _FULL:
                raise InternalError(
                    f"{error}: the result was taken back; make room or choose another output path, "
                    "then start the job again: it goes on where it stopped"
                ) from error
            raise
        except BaseException:
            self.abort()
            raise


def _stored(name: str, status: os.stat_result) -> StoredObject:
    return StoredObject(name, status.st_size, f'"{status.st_mtime_ns:x}-{status.st_size:x}"')


def _sync_folder(folder: Path) -> None:
    """Makes a renamed file's new name last: fsync(2)."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _remove_unless_held(path: Path) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held, or a file system without locks, where nobody can tell
        return False
    else:
        path.unlink(missing_ok=True)
        return True
    finally:
        os.close(fd)
