from __future__ import annotations

import errno
from pathlib import Path

import pytest

from sagemaker_tensorflow.errors import (
    FailedPreconditionError,
    InternalError,
    NotFoundError,
    PermissionDeniedError,
    PipeModeDatasetException,
)
from sagemaker_tensorflow.system_errors import make_directory, translated_os_errors


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOENT, NotFoundError),
        (errno.ENOTDIR, NotFoundError),
        (errno.EACCES, PermissionDeniedError),
        (errno.EPERM, PermissionDeniedError),
        (errno.ENOSPC, FailedPreconditionError),
        (errno.EDQUOT, FailedPreconditionError),
        (errno.EIO, InternalError),
    ],
)
def test_kinds(number: int, kind: type[PipeModeDatasetException]) -> None:
    with (
        pytest.raises(kind, match="reading x: /some/file its words"),
        translated_os_errors("reading x"),
    ):
        raise OSError(number, "its words", "/some/file")


def test_a_path_is_named_once() -> None:
    with (
        pytest.raises(NotFoundError, match=r"^listing /a/b: no such file$"),
        translated_os_errors("listing /a/b"),
    ):
        raise OSError(errno.ENOENT, "no such file", "/a/b")


def test_make_directory(tmp_path: Path) -> None:
    make_directory(tmp_path / "a" / "b")
    make_directory(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_make_directory_where_a_file_is(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InternalError, match=f"{tmp_path}/file File exists"):
        make_directory(tmp_path / "file")
    with pytest.raises(NotFoundError, match="Not a directory"):
        make_directory(tmp_path / "file" / "below")
