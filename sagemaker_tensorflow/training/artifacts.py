"""What a job leaves behind, as ``tar.gz``: it is there whole or not at all.

What cannot be stored is not lost: its folders are put beside the job's logs.

Of several hosts it is what all of them left, in one archive. SageMaker says that scripts should see
to it that names do not clash ("How Amazon SageMaker AI Processes Training Output"), and not what
becomes of them; here the first host's stays, with a warning.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import logging
import os
import shutil
import tarfile
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sagemaker_tensorflow.errors import CancelledError, PipeModeDatasetException
from sagemaker_tensorflow.locations import S3Location, parse_location
from sagemaker_tensorflow.system_errors import translated_os_errors
from sagemaker_tensorflow.training.job_directory import MlDirectory
from sagemaker_tensorflow.training.job_output import JobOutput
from sagemaker_tensorflow.training.ml_mount import ML_PATH
from sagemaker_tensorflow.transform.output_store import OutputStore, OutputWriter

_log = logging.getLogger(__name__)

# Weights hardly get smaller, and level 9 takes five times as long to find out.
_COMPRESSION_LEVEL = 1
_SHOWN = 5
# What scripts call the folders of archives.
_SEEN = {
    "model.tar.gz": MlDirectory(ML_PATH).model,
    "output.tar.gz": MlDirectory(ML_PATH).output_data,
}


class _WriterFile:
    """A store's writer as the file that gzip wants."""

    def __init__(self, writer: OutputWriter, cancelled: Callable[[], bool]) -> None:
        self._writer = writer
        self._cancelled = cancelled
        self._failed = False

    def write(self, data: bytes) -> int:
        """Appends bytes."""
        if not self._failed:  # else gzip, while it is closed: its end would hide the error
            self._failed = True
            if self._cancelled():
                raise CancelledError("it was broken off")
            self._writer.write(bytes(data))
            self._failed = False
        return len(data)

    def flush(self) -> None:
        """Nothing: the writer's `commit` does it."""


class Artifact:
    """One archive, and until it is stored the folders that it is made of.

    `upload` is for one thread, `put_aside` for any.

    Args:
        name: ``model``, ``output`` or, never uploaded here, ``checkpoints``.
        folders: Of the hosts, by their names.
        directory: Of the job; gets what cannot be stored, as ``<host>.<name>``.
    """

    def __init__(self, name: str, folders: Mapping[str, Path], directory: Path) -> None:
        self._archive = f"{name}.tar.gz"
        self._folders = dict(folders)
        self._asides = {host: directory / f"{host}.{name}" for host in folders}
        self._lock = threading.Lock()
        self._stored = False

    def upload(self, output: JobOutput, cancelled: Callable[[], bool]) -> str | None:
        """Stores it, or puts its folders aside.

        Args:
            output: Where it goes.
            cancelled: Is asked now and then.

        Returns:
            Where it is; None if the script left nothing for it.

        Raises:
            CancelledError: As `cancelled` wanted; says, like the others, where the folders are now.
            PipeModeDatasetException: It cannot be stored.
        """
        try:
            with contextlib.closing(output.open()) as store:
                uri = upload_archive(list(self._folders.values()), store, self._archive, cancelled)
                self._stored = True
        except PipeModeDatasetException as error:
            # The place comes before the error, as a FailureReason ends after 1,024 characters.
            kept = "; ".join(
                [f"{self._archive} is not stored in {output.folder}", *self.put_aside()]
            )
            kind = CancelledError if cancelled() else type(error)
            raise kind(f"{kept}: {error}") from error
        return uri

    def put_aside(self) -> list[str]:
        """Puts the folders where they outlive the job, unless they are stored; says where."""
        with self._lock:
            kept = [] if self._stored else [self._put_aside(host) for host in self._folders]
        return [what for what in kept if what]

    def _put_aside(self, host: str) -> str:
        folder, aside = self._folders[host], self._asides[host]
        try:
            if not os.path.lexists(aside):
                if not _is_folder(folder) or not any(folder.iterdir()):
                    return ""
                shutil.move(folder, aside)
        except OSError as refused:
            return f"what {host} left cannot be kept in {aside}: {refused}"
        return f"what {host} left is in {aside}"


def check_output(output: JobOutput) -> None:
    """Finds out whether archives can be stored, before there is something to lose.

    It leaves nothing: of a folder that is not there the next one above is tried, and in S3 an
    upload is begun and taken back.

    Raises:
        PipeModeDatasetException: They cannot.
    """
    what = f"the output path {output.folder} is tried before the script starts"
    location = parse_location(output.folder)
    if not isinstance(location, S3Location):
        with translated_os_errors(what), tempfile.TemporaryFile(dir=_nearest(location.path)):
            return
    from sagemaker_tensorflow.transform.s3_output_store import S3OutputStore

    with contextlib.closing(S3OutputStore(location, output.s3_options)) as store:
        bucket, key = location.bucket, store.key_of("model.tar.gz")
        begun = store.call(what, lambda s3: s3.create_multipart_upload(Bucket=bucket, Key=key))
        with contextlib.suppress(PipeModeDatasetException):  # it has no part that would cost
            store.call(
                what,
                lambda s3: s3.abort_multipart_upload(
                    Bucket=bucket, Key=key, UploadId=begun["UploadId"]
                ),
            )


def _nearest(path: Path) -> Path:
    """The folder, or what there is on the way to it."""
    return next(place for place in (path, *path.parents) if os.path.lexists(place))


def upload_archive(
    folders: Sequence[Path],
    store: OutputStore,
    name: str,
    cancelled: Callable[[], bool] = lambda: False,
) -> str | None:
    """Packs what is in folders, while it is uploaded.

    Args:
        folders: Of each host, in their order. Of what several have the first one's is taken. One
            that is not there counts as empty: the script may have removed it.
        store: Where the archive goes.
        name: Of the archive.
        cancelled: Is asked before each piece.

    Returns:
        Where the archive is; None if the folders are empty, which makes none.

    Raises:
        PipeModeDatasetException: It cannot be read or stored, or is `cancelled`; nothing is
            visible.
    """
    what = f"packing {' and '.join(map(str, folders))}"
    with translated_os_errors(what):
        members = _members(folders)
    if not members:
        return None
    writer = store.writer(name, "application/gzip")
    try:
        with translated_os_errors(what):
            _pack(members, _WriterFile(writer, cancelled), _SEEN.get(name, ML_PATH))
        writer.commit()
    finally:
        writer.abort()
    return store.uri_of(name)


def _members(folders: Sequence[Path]) -> dict[str, Path]:
    """The path of everything in the folders, by its name in the archive; parents come first."""
    members: dict[str, Path] = {}
    clashes: list[str] = []
    for folder in filter(os.path.lexists, folders):
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


def _pack(members: Mapping[str, Path], file: _WriterFile, seen: Path) -> None:
    with (
        gzip.GzipFile("", "wb", _COMPRESSION_LEVEL, file) as packed,
        tarfile.open(fileobj=packed, mode="w|") as tar,
    ):
        for name, path in members.items():
            same = (seen, path.parents[name.count("/")])
            tar.add(
                path,
                arcname=name,
                recursive=False,
                filter=functools.partial(_plain, folder_names=same),
            )


def _plain(member: tarfile.TarInfo, folder_names: Sequence[Path]) -> tarfile.TarInfo | None:
    """Files, folders and links without this machine's users; no pipes or devices.

    Links into the folder, by any of its names, become relative: it will be somewhere else.
    """
    if member.isfifo() or member.isdev():
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    for folder in folder_names:
        if member.issym() and Path(member.linkname).is_relative_to(folder):
            member.linkname = os.path.relpath(member.linkname, (folder / member.name).parent)
    return member
