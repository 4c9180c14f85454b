"""The folder of checkpoints as it is looked at again and again: which files are whole.

A script writes into it whenever it likes, and says to nobody when a file is complete. What can be
known from outside is whether a process has a file open for writing: the kernel grants a lease for
reading only on one that none has (fcntl(2), F_SETLEASE). On file systems without leases a file
counts as complete when it was the same for two looks.

While the files are walked over, a script may write one and then another that names it, so that
only the second is seen. So they are walked over twice, and what is new or changed in the second
walk may be named by what is not.
"""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sagemaker_tensorflow.system_errors import translated_os_errors

# How many looks are remembered.
_LOOKS = 3
# Files of ours that are not complete; no script calls its own so.
_OURS = ".smtf-"


@dataclass(frozen=True)
class FileVersion:
    """What tells a file's content from what it was before, without reading it.

    Attributes:
        device: Of the file system.
        inode: Another one when a file was replaced by renaming.
        size: In bytes.
        modified_ns: When it was written last.
        changed_ns: When it was written or renamed last; not compared, as a file that another one
            replaces changes so, and its content does not.
    """

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int = field(compare=False)

    @classmethod
    def of(cls, status: os.stat_result) -> FileVersion:
        """The version that a file has now."""
        return cls(
            status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
        )


@dataclass(frozen=True)
class _Seen:
    """A file at one look; `still`: it was there, as it is, before the look began."""

    version: FileVersion
    closed: bool
    still: bool


class FolderWatch:
    """Looks at a folder's files. For one thread.

    Attributes:
        skipped: Names that no object can have, as they are not UTF-8; made readable.

    Args:
        folder: Need not be there; then it is empty.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._looks: deque[dict[str, _Seen]] = deque([{}], maxlen=_LOOKS)
        self._leases = True
        self.skipped: set[str] = set()

    def probe(self) -> None:
        """Finds out whether leases tell here whether a file is open: not on every network drive.

        Raises:
            PipeModeDatasetException: No file can be made in the folder.
        """
        probe = self._folder / f"{_OURS}probe-{uuid.uuid4().hex}"
        with translated_os_errors("looking at what the file system can do"):
            try:
                with probe.open("wb"):
                    known_open = not is_closed(probe)
                self._leases = known_open and is_closed(probe)
            finally:
                probe.unlink(missing_ok=True)

    def look(self, known: Mapping[str, FileVersion]) -> None:
        """Looks at all files.

        Args:
            known: Versions that nobody asks about any more.

        Raises:
            PipeModeDatasetException: A folder cannot be read; then it was no look.
        """
        with translated_os_errors("looking for checkpoints"):
            before = found = dict(self._files())
            if any(known.get(name) != version for name, version in found.items()):
                found = dict(self._files())
            if not self._leases:
                before = self.versions()
            self._looks.append(
                {
                    name: _Seen(
                        version,
                        closed=known.get(name) == version or self._closed(name),
                        still=before.get(name) == version,
                    )
                    for name, version in found.items()
                }
            )

    def versions(self) -> dict[str, FileVersion]:
        """The files of the last look, by their names relative to the folder."""
        return {name: seen.version for name, seen in self._looks[-1].items()}

    def is_open(self, name: str) -> bool:
        """Whether a file of the last look was open for somebody to write."""
        return not self._looks[-1][name].closed

    def is_still(self, name: str) -> bool:
        """Whether a file of the last look was as it was a moment before."""
        return self._looks[-1][name].still

    def is_settled(self, name: str) -> bool:
        """Whether a file was the same, and closed, in all of the last three looks."""
        seen = [look[name] for look in self._looks if name in look]
        versions = {one.version for one in seen}
        return len(seen) == _LOOKS and len(versions) == 1 and all(one.closed for one in seen)

    def is_gone(self, name: str) -> bool:
        """Whether a file was missing in the last two looks."""
        last = list(self._looks)[-2:]
        return len(last) == 2 and not any(name in look for look in last)

    def _closed(self, name: str) -> bool:
        return not self._leases or is_closed(self._folder / name)

    def _files(self) -> Iterator[tuple[str, FileVersion]]:
        """Regular files, and those that links lead to; not what links to folders lead to."""
        folders = [""]
        while folders:
            folder = folders.pop()
            try:
                entries = os.scandir(self._folder / folder)
            except FileNotFoundError:
                continue
            with entries:
                for entry in entries:
                    name = folder + entry.name
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(f"{name}/")
                    elif not entry.name.startswith(_OURS) and self._can_be_key(name):
                        yield from _version(name, entry)

    def _can_be_key(self, name: str) -> bool:
        try:
            name.encode()
        except UnicodeEncodeError:  # bytes that are no UTF-8
            self.skipped.add(ascii(name))
            return False
        return True


def _version(name: str, entry: os.DirEntry[str]) -> Iterator[tuple[str, FileVersion]]:
    try:
        status = entry.stat()
    except FileNotFoundError:  # since it was listed; or a link to nowhere
        return
    if stat.S_ISREG(status.st_mode):
        yield name, FileVersion.of(status)


def is_closed(path: Path) -> bool:
    """Whether no process has a file open for writing, as far as can be known."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False  # whoever uploads it will see
    try:
        # Whoever opens the file meanwhile waits for these two calls, and a signal tells us of it:
        # one that does nothing, instead of SIGIO, which would end this process.
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return False
    except OSError:  # somebody else's file, or a file system without leases
        return True
    finally:
        os.close(fd)
    return True
