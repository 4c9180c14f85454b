"""Tells whether a model is the one that it was."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from sagemaker_tensorflow.system_errors import translated_os_errors
from sagemaker_tensorflow.transform.model_files import ModelFiles

_READ_BYTES = 1 << 20


def model_identity(files: ModelFiles) -> str:
    """SHA-256, in hexadecimal, of all of a model's files and their names.

    Of their content, because a copy is the same model, and an archive that is unpacked anew has new
    times.

    Raises:
        PipeModeDatasetException: A file cannot be read.
    """
    digest = hashlib.sha256()
    with translated_os_errors(f"reading the model {files.model}"):
        for name, path in _files(files):
            digest.update(f"{name}\0{path.stat().st_size}\0".encode("utf-8", "surrogateescape"))
            with path.open("rb") as file:
                while data := file.read(_READ_BYTES):
                    digest.update(data)
    return digest.hexdigest()


def _files(files: ModelFiles) -> Iterator[tuple[str, Path]]:
    if files.model.is_file():
        yield files.model.suffix, files.model
    else:
        for path in sorted(files.model.rglob("*")):
            if path.is_file():
                yield str(path.relative_to(files.model)), path
    if files.script is not None:
        folder = files.script.parent  # with the files that the script reads
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".pyc" and not path.is_relative_to(files.model):
                yield f"code/{path.relative_to(folder)}", path
