"""What a job leaves behind, as ``tar.gz``: it is there whole or not at all.

Of several hosts it is what all of them left, in one archive. SageMaker says that scripts should see
to it that names do not clash ("How Amazon SageMaker AI Processes Training Output"), and not what
becomes of them; here the first host's stays, with a warning.
"""

from __future__ import annotations

import gzip
import logging
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from sagemaker_tensorflow.system_errors import translated_os_errors
from sagemaker_tensorflow.transform.output_store import OutputStore, OutputWriter

_log = logging.getLogger(__name__)

# Weights hardly get smaller, and level 9 takes five times as long to find out.
_COMPRESSION_LEVEL = 1
_SHOWN = 5


class _WriterFile:
    """A store's writer as the file that gzip wants."""

    def __init__(self, writer: OutputWriter) -> None:
        self._writer = writer
        self._failed = False

    def write(self, data: bytes) -> int:
        """Appends bytes."""
        if not self._failed:  # else gzip, while it is closed: its end would hide the error
            self._failed = True
            self._writer.write(bytes(data))
            self._failed = False
        return len(data)

    def flush(self) -> None:
        """Nothing: the writer's `commit` does it."""


def upload_archive(folders: Sequence[Path], store: OutputStore, name: str) -> str | None:
    """Packs what is in folders, while it is uploaded.

    Args:
        folders: Of each host, in their order. Of what several have the first one's is taken.
        store: Where the archive goes.
        name: Of the archive.

    Returns:
        Where the archive is; None if the folders are empty, which makes none.

    Raises:
        PipeModeDatasetException: It cannot be read or stored; nothing is visible.
    """
    what = f"packing {' and '.join(map(str, folders))}"
    with translated_os_errors(what):
        members = _members(folders)
    if not members:
        return None
    writer = store.writer(name, "application/gzip")
    try:
        with translated_os_errors(what):
            _pack(members, writer)
        writer.commit()
    finally:
        writer.abort()
    return store.uri_of(name)


def _members(folders: Sequence[Path]) -> dict[str, Path]:
    """The path of everything in the folders, by its name in the archive; parents come first."""
    members: dict[str, Path] = {}
    clashes: list[str] = []
    for folder in folders:
        _add_members(folder, "", members, clashes)
    if clashes:
        more = f" and {len(clashes) - _SHOWN} more" if len(clashes) > _SHOWN else ""
        _log.warning(
            "several hosts left %s%s: the archive has the first host's; have one host save the "
            "model, or each another name",
            ", ".join(clashes[:_SHOWN]),
            more,
        )
    return members


def _add_members(folder: Path, prefix: str, members: dict[str, Path], clashes: list[str]) -> None:
    for path in sorted(folder.iterdir()):
        name = f"{prefix}{path.name}"
        there = members.setdefault(name, path)
        if there is not path and not (_is_folder(there) and _is_folder(path)):
            clashes.append(name)
        elif _is_folder(path):
            _add_members(path, f"{name}/", members, clashes)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _pack(members: Mapping[str, Path], writer: OutputWriter) -> None:
    with (
        gzip.GzipFile("", "wb", _COMPRESSION_LEVEL, _WriterFile(writer)) as packed,
        tarfile.open(fileobj=packed, mode="w|") as tar,
    ):
        for name, path in members.items():
            tar.add(path, arcname=name, recursive=False, filter=_plain)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Files, folders and links without this machine's users; no pipes or devices."""
    if member.isfifo() or member.isdev():
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
