"""Unpacks a ``model.tar.gz`` that nobody vouches for."""

from __future__ import annotations

import shutil
import tarfile
import zlib
from gzip import BadGzipFile
from lzma import LZMAError
from pathlib import Path, PurePosixPath

from sagemaker_tensorflow.errors import DataLossError, InvalidArgumentError
from sagemaker_tensorflow.system_errors import translated_os_errors

# The volume that a host of SageMaker's Batch Transform has: no model that works there is larger.
# The bound, and the free space, are held against the sizes that the archive's headers announce,
# which are those that are written: gzip cannot make more of them.
MAX_UNPACKED_BYTES = 30 << 30
# A SavedModel has some ten files, and one for each shard and asset.
MAX_MEMBERS = 100_000
# tar fills up its last record, 10 KiB unless told otherwise.
_MOST_PADDING = 16 << 20

_ENDINGS = (".tar.gz", ".tgz", ".tar")
_BROKEN = (tarfile.TarError, EOFError, zlib.error, BadGzipFile, LZMAError)


def is_archive(name: str) -> bool:
    """Whether a path or key is an archive's, by its ending."""
    return name.lower().endswith(_ENDINGS)


def unpack(archive: Path, into: Path, limit: int = MAX_UNPACKED_BYTES) -> None:
    """Extracts regular files and folders, and refuses an archive that holds anything else.

    Nothing is written outside `into`: names that are absolute or have a ``..`` are refused, and so
    are links of both kinds, devices and pipes. Owners and special modes are not kept. What was
    extracted before the refused member is left behind.

    Args:
        archive: A tar file, plain or compressed.
        into: A new folder.
        limit: Most bytes that the files may have together.

    Raises:
        InvalidArgumentError: The archive holds what a model has no use for, or is too large.
        DataLossError: It is no tar file, or broken.
        PipeModeDatasetException: It cannot be read, or the files cannot be written.
    """
    try:
        into.mkdir(parents=True)
        free = shutil.disk_usage(into).free
        with tarfile.open(archive, "r:*") as tar:
            # Python's own idea of what is safe, where this Python has one (3.10.12, 3.11.4, 3.12).
            if hasattr(tarfile, "data_filter"):
                tar.extraction_filter = tarfile.data_filter
            _extract(tar, archive, into, min(limit, free))
    except getattr(tarfile, "FilterError", ()) as error:
        raise InvalidArgumentError(f"{archive}: refused: {error}") from error
    except _BROKEN as error:
        raise DataLossError(
            f"{archive} cannot be unpacked: {error}; give a tar file as `tar czf` makes it"
        ) from error
    except OSError:
        with translated_os_errors(f"unpacking {archive}"):
            raise


def _extract(tar: tarfile.TarFile, archive: Path, into: Path, limit: int) -> None:
    total = 0
    for number, member in enumerate(tar, start=1):
        problem = _problem(member)
        if problem:
            raise InvalidArgumentError(
                f"{archive}: refused, member {member.name!r} {problem}; a model is made of files "
                "and folders"
            )
        total += member.size
        if total > limit or number > MAX_MEMBERS:
            raise InvalidArgumentError(
                f"{archive}: refused, it holds more than {limit} bytes or {MAX_MEMBERS} members: "
                "that is the free space, or the most that is taken for a model"
            )
        tar.extract(member, into, set_attrs=False)
    _read_to_the_end(tar, archive)


def _read_to_the_end(tar: tarfile.TarFile, archive: Path) -> None:
    """Reads what is behind the tar's end mark, which is where compressors put their checksum."""
    padding = 0
    while tar.fileobj is not None and (chunk := tar.fileobj.read(tarfile.RECORDSIZE)):
        padding += len(chunk)
        if padding > _MOST_PADDING:
            raise InvalidArgumentError(
                f"{archive}: refused, more than {_MOST_PADDING} bytes follow its end mark"
            )


def _problem(member: tarfile.TarInfo) -> str:
    if member.issym() or member.islnk():
        return f"is a link to {member.linkname!r}"
    if not (member.isreg() or member.isdir()):
        return "is neither a file nor a folder"
    return unsafe_name(member.name)


def unsafe_name(name: str) -> str:
    """What is wrong with a relative path from an archive or a bucket, "" if nothing is."""
    path = PurePosixPath(name)
    if path.is_absolute():
        return "has an absolute path"
    if ".." in path.parts:
        return 'has a ".." in its path'
    return "has a null character in its path" if "\0" in name else ""
