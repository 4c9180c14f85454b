"""Where results go: the one interface to S3 and to local folders.

What every store promises: a name shows either nothing, or what it showed before, or all of what a
writer was given, and the last only after `OutputWriter.commit` was called. A process may be killed
at any point.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sagemaker_tensorflow.locations import S3Location, parse_location
from sagemaker_tensorflow.s3_options import S3Options


@dataclass(frozen=True, slots=True)
class StoredObject:
    """Something that is in a store.

    Attributes:
        name: Relative to the output path.
        size: In bytes.
        etag: Differs when the content does: S3's with its quotes, or made of a file's time and
            size.
    """

    name: str
    size: int
    etag: str


class OutputWriter(Protocol):
    """One object on its way. Used by one thread at a time."""

    def write(self, data: bytes) -> None:
        """Appends bytes. May wait for earlier ones to be uploaded.

        Raises:
            PipeModeDatasetException: They cannot be stored; nothing will be visible.
        """

    def commit(self) -> StoredObject:
        """Makes the object visible, in place of one that has its name. To be called once.

        Raises:
            PipeModeDatasetException: It cannot be; what was there before still is.
        """

    def abort(self) -> None:
        """Takes back what was written. Nothing after `commit`; never raises."""


class OutputStore(Protocol):
    """A prefix of a bucket or a folder. Thread-safe. Names are relative to it."""

    @property
    def uri(self) -> str:
        """Of the output path, for messages."""

    @property
    def folder(self) -> Path | None:
        """The local folder, or None."""

    def uri_of(self, name: str) -> str:
        """Of one object."""

    def writer(self, name: str, content_type: str = "application/octet-stream") -> OutputWriter:
        """Begins an object. Nothing is sent or made before the first byte is written."""

    def read_small(self, name: str) -> bytes:
        """The content of an object, in memory.

        Raises:
            NotFoundError: It is not there.
            PipeModeDatasetException: It cannot be read.
        """

    def write_small(
        self, name: str, data: bytes, content_type: str = "application/json"
    ) -> StoredObject:
        """Writes an object that is in memory as a whole, as atomically as a writer does.

        Raises:
            PipeModeDatasetException: It cannot be; what was there before still is.
        """

    def stat(self, name: str) -> StoredObject | None:
        """Size and ETag of an object, or None where none is."""

    def exists(self, name: str) -> bool:
        """Whether there is an object of this name."""

    def list_stored(self, prefix: str = "") -> Iterator[StoredObject]:
        """What there is with names that begin so, character by character; nothing half-written."""

    def list_names(self, prefix: str = "") -> Iterator[str]:
        """The names alone."""

    def delete(self, name: str) -> None:
        """Removes an object, if it is there."""

    def clean_left_overs(self) -> int:
        """Removes what killed processes with this `owner` left half-written; how many objects.

        A process of the same owner that still runs keeps its local files, or writes them again, but
        its multipart uploads are aborted: who calls this has the `job_lease`.
        """

    def check_lease(self) -> None:
        """Makes sure that the run that writes here has not been replaced by another.

        Raises:
            FailedPreconditionError: It has.
        """

    def close(self) -> None:
        """Ends the store's threads. Idempotent."""


def open_output_store(
    output_uri: str, s3_options: S3Options | None = None, owner: str = "", fsync: bool = False
) -> OutputStore:
    """Opens an output path. No request is sent; a folder is made with the first result.

    Args:
        output_uri: ``s3://bucket/prefix``, ``file:///folder`` or a plain path. A prefix without a
            slash at its end gets one.
        s3_options: How to reach S3.
        owner: Names the job, so that a later run of it finds what this one leaves behind when it is
            killed: `job_owner`. Without one nothing is noted and nothing cleaned.
        fsync: Files survive a loss of power, not only the end of the process; slower.

    Raises:
        InvalidArgumentError: The URI is none of these.
        PermissionDeniedError: There are no credentials.
    """
    location = parse_location(output_uri)
    if isinstance(location, S3Location):
        from sagemaker_tensorflow.transform.s3_output_store import S3OutputStore

        return S3OutputStore(location, s3_options or S3Options(), owner)
    from sagemaker_tensorflow.transform.file_output_store import FileOutputStore

    return FileOutputStore(location.path, owner, fsync)
