"""What a job leaves behind, as ``tar.gz``: it is there whole or not at all."""

from __future__ import annotations

import gzip
import tarfile
from pathlib import Path

from sagemaker_tensorflow.system_errors import translated_os_errors
from sagemaker_tensorflow.transform.output_store import OutputStore, OutputWriter

# Weights hardly get smaller, and level 9 takes five times as long to find out.
_COMPRESSION_LEVEL = 1


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


def upload_archive(folder: Path, store: OutputStore, name: str) -> str | None:
    """Packs what is in a folder, while it is uploaded.

    Returns:
        Where the archive is; None if the folder is empty, which makes none.

    Raises:
        PipeModeDatasetException: It cannot be read or stored; nothing is visible.
    """
    with translated_os_errors(f"packing {folder}"):
        entries = sorted(folder.iterdir())
    if not entries:
        return None
    writer = store.writer(name, "application/gzip")
    try:
        with translated_os_errors(f"packing {folder}"):
            _pack(entries, writer)
        writer.commit()
    finally:
        writer.abort()
    return store.uri_of(name)


def _pack(entries: list[Path], writer: OutputWriter) -> None:
    with (
        gzip.GzipFile("", "wb", _COMPRESSION_LEVEL, _WriterFile(writer)) as packed,
        tarfile.open(fileobj=packed, mode="w|") as tar,
    ):
        for entry in entries:
            tar.add(entry, arcname=entry.name, filter=_plain)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Files, folders and links without this machine's users; no pipes or devices."""
    if member.isfifo() or member.isdev():
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
