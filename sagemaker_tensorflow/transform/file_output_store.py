"""Results in a local folder.

An object is written to a hidden file beside its place and renamed when it is complete. The hidden
file of a writer is locked as long as that lives, so a later run can tell what a killed one left
from what a living one is at: the kernel lets go of a lock with its process, however that ends.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.system_errors import translated_os_errors
from sagemaker_tensorflow.transform.file_output_writer import (
    FileOutputWriter,
    stored_file,
    write_file,
)
from sagemaker_tensorflow.transform.output_store import OutputWriter, StoredObject

_TEMPORARY = ".smtf-"
_OWNER_LETTERS = 12


class FileOutputStore:
    """An `OutputStore` of files. Thread-safe.

    Args:
        folder: Absolute; made when the first file is.
        owner: See `open_output_store`.
        fsync: Wait for the disk before a file is renamed.
    """

    def __init__(self, folder: Path, owner: str = "", fsync: bool = False) -> None:
        self._folder = folder
        self._root = str(folder)
        self._fsync = fsync
        self._temporary = f"{_TEMPORARY}{owner[:_OWNER_LETTERS] or 'any'}-"
        self._owned = bool(owner)
        # Together the name of a hidden file that no other has. Random bytes for each would be a
        # system call more.
        self._token = secrets.token_hex(8)
        self._count = itertools.count()

    @property
    def uri(self) -> str:
        """The folder."""
        return self._root

    @property
    def folder(self) -> Path:
        """The folder."""
        return self._folder

    def uri_of(self, name: str) -> str:
        """The path."""
        return str(self._folder / name)

    def writer(self, name: str, content_type: str = "application/octet-stream") -> OutputWriter:
        """Begins a file; `content_type` has no place in a file system."""
        path = self._path(name)
        return FileOutputWriter(path, self._hidden(path), name, self._fsync)

    def read_small(self, name: str) -> bytes:
        """Reads a file."""
        with translated_os_errors("reading"):
            return Path(self._path(name)).read_bytes()

    def write_small(
        self, name: str, data: bytes, content_type: str = "application/json"
    ) -> StoredObject:
        """Writes a file."""
        path = self._path(name)
        return write_file(path, self._hidden(path), name, data, self._fsync)

    def stat(self, name: str) -> StoredObject | None:
        """Looks at a file."""
        path = Path(self._path(name))
        with translated_os_errors("looking for"):
            try:
                return stored_file(name, path.stat()) if path.is_file() else None
            except FileNotFoundError:
                return None

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return self.stat(name) is not None

    def list_stored(self, prefix: str = "") -> Iterator[StoredObject]:
        """Walks the folder that the prefix names, and those below."""
        with translated_os_errors("listing"):
            for name, entry in self._files(prefix):
                if entry.name.startswith(_TEMPORARY):
                    continue
                try:
                    status = entry.stat()
                except FileNotFoundError:  # since it was listed: as if it had never been
                    continue
                yield stored_file(name, status)

    def list_names(self, prefix: str = "") -> Iterator[str]:
        """The names alone, without a look at each file."""
        with translated_os_errors("listing"):
            for name, entry in self._files(prefix):
                if not entry.name.startswith(_TEMPORARY):
                    yield name

    def delete(self, name: str) -> None:
        """Removes a file; its folder stays."""
        with translated_os_errors("removing"):
            Path(self._path(name)).unlink(missing_ok=True)

    def clean_left_overs(self) -> int:
        """Removes hidden files of this owner that no living process holds."""
        if not self._owned:
            return 0
        with translated_os_errors("cleaning up"):
            left = [e.path for _, e in self._files("") if e.name.startswith(self._temporary)]
            return sum(_remove_unless_held(path) for path in left)

    def check_lease(self) -> None:
        """Nothing to check: nobody gets the lock of a process that lives."""

    def close(self) -> None:
        """Nothing to end."""

    def _path(self, name: str) -> str:
        if name.startswith("/") or ".." in name.split("/") or "\0" in name or not name:
            raise InvalidArgumentError(f"{name!r} is no name of a file in {self._folder}")
        return f"{self._root}/{name}"

    def _hidden(self, path: str) -> str:
        # Not made of the file's own name: that may already be as long as names may be.
        folder = path.rpartition("/")[0]
        return f"{folder}/{self._temporary}{self._token}-{next(self._count):x}.tmp"

    def _files(self, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """What is no folder and has a name that begins so, hidden files too.

        Folders that may not be looked into are left out, and so is what is behind symbolic links.
        """
        top, slash, _ = prefix.rpartition("/")
        folders = [top + slash]
        while folders:
            folder = folders.pop()
            try:
                found = os.scandir(f"{self._root}/{folder}")
            except OSError:
                continue
            with found:
                for entry in found:
                    name = folder + entry.name
                    if not name.startswith(prefix):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(f"{name}/")
                    elif not (entry.is_symlink() and entry.is_dir()):
                        yield name, entry


def _remove_unless_held(path: str) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held, or a file system without locks, where nobody can tell
        return False
    else:
        Path(path).unlink(missing_ok=True)
        return True
    finally:
        os.close(fd)
