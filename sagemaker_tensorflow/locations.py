"""Where objects lie: an S3 key prefix, or a local path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote

from sagemaker_tensorflow.errors import InvalidArgumentError

# Wider than S3's rules of today: buckets made before 2018 may have capitals and underscores.
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")


@dataclass(frozen=True)
class S3Location:
    """Every object of `bucket` whose key begins with `prefix`, character by character.

    Of a manifest or another single object `prefix` is the whole key.
    """

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


@dataclass(frozen=True)
class LocalLocation:
    """A folder with all that is under it, or one file. The path is absolute."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


Location: TypeAlias = S3Location | LocalLocation


def parse_location(uri: str, folder: Path | None = None) -> Location:
    """Reads ``s3://bucket/prefix``, ``file:///path`` or a plain path.

    The prefix is a raw key prefix, as S3 and SageMaker match it: ``s3://b/train`` is also the
    beginning of ``s3://b/training/x``. It is taken as it stands; only ``file:`` URIs are
    percent-decoded (RFC 8089). A relative path is relative to `folder`, by default the current one.

    Raises:
        InvalidArgumentError: The URI is none of these.
    """
    if uri.startswith("s3://"):
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        if not _BUCKET.fullmatch(bucket):
            raise InvalidArgumentError(
                f"{uri!r}: {bucket!r} is not a bucket's name; give s3://bucket/prefix"
            )
        return S3Location(bucket, prefix)
    if uri.startswith("file://"):
        host, slash, path = uri.removeprefix("file://").partition("/")
        if host not in ("", "localhost") or not slash:
            raise InvalidArgumentError(f"{uri!r}: give an absolute path, such as file:///data/x")
        return LocalLocation(Path(f"/{unquote(path)}"))
    if not uri or "://" in uri or "\0" in uri:
        raise InvalidArgumentError(
            f"{uri!r} is no place for a channel: give s3://bucket/prefix, file:///path or a path"
        )
    return LocalLocation((folder or Path.cwd()) / uri)
