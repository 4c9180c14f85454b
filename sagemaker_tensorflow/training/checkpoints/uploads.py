"""Files of the folder of checkpoints on their way to where they are kept, each as a whole."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from sagemaker_tensorflow.errors import PipeModeDatasetException
from sagemaker_tensorflow.locations import S3Location, parse_location
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.system_errors import translated_os_errors
from sagemaker_tensorflow.training.checkpoints.folder import FileVersion
from sagemaker_tensorflow.transform.output_store import open_output_store
from sagemaker_tensorflow.transform.s3_output_store import S3OutputStore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_log = logging.getLogger(__name__)

# One part of a multipart upload.
_READ_BYTES = 8 << 20
# Of the hidden files of a local folder, for whoever cleans up after a killed job.
_OWNER = "checkpoints"


@dataclass(frozen=True)
class HeldFile:
    """A version of a file, which stays as long as it is held, also when it is deleted.

    Attributes:
        name: Relative to the folder.
        version: What it is to be.
        file: Open, at its beginning.
    """

    name: str
    version: FileVersion
    file: FileIO

    def is_changed(self) -> bool:
        """Whether somebody wrote into it."""
        with translated_os_errors("looking at a checkpoint"):
            return FileVersion.of(os.fstat(self.file.fileno())) != self.version

    def read(self) -> bytes:
        """The next bytes; none at the end."""
        with translated_os_errors(f"reading checkpoint {self.name}"):
            return self.file.read(_READ_BYTES)


class CheckpointUploads:
    """Uploads and removes files of one folder. For one thread.

    Args:
        folder: On this machine.
        uri: ``s3://bucket/prefix`` or a local folder.
        s3_options: How to reach S3.

    Raises:
        InvalidArgumentError: The URI is neither.
        PermissionDeniedError: There are no credentials.
    """

    def __init__(self, folder: Path, uri: str, s3_options: S3Options) -> None:
        self._folder = folder
        # In S3 an owner's uploads are noted in objects, which would be among the checkpoints.
        in_s3 = isinstance(parse_location(uri), S3Location)
        self._store = open_output_store(uri, s3_options, "" if in_s3 else _OWNER)

    @property
    def uri(self) -> str:
        """Where to."""
        return self._store.uri

    def hold(self, name: str, version: FileVersion) -> HeldFile | None:
        """One version of a file, for `upload`; None if it is not that version any more.

        Args:
            name: Relative to the folder.
            version: That is wanted.

        Raises:
            PipeModeDatasetException: It cannot be opened.
        """
        with translated_os_errors("reading a checkpoint"):
            try:
                held = HeldFile(name, version, (self._folder / name).open("rb", buffering=0))
            except FileNotFoundError:
                return None
        if held.is_changed():
            held.file.close()
            return None
        return held

    def upload(self, held: HeldFile, tick: Callable[[], None]) -> bool:
        """Uploads a file.

        One that was replaced or removed since it is held is uploaded as it was; it is its content
        that must not change.

        Args:
            held: The file.
            tick: Called now and then; what it raises ends the upload.

        Returns:
            Whether it was the same to the end. If not, nothing of it is visible.

        Raises:
            PipeModeDatasetException: It cannot be read or stored; nothing of it is visible.
        """
        writer = self._store.writer(held.name)
        try:
            while data := held.read():
                writer.write(data)
                tick()
            if held.is_changed():
                return False
            writer.commit()
        finally:
            writer.abort()
        return True

    def remove(self, name: str) -> None:
        """Removes what was uploaded.

        Raises:
            PipeModeDatasetException: It cannot be removed.
        """
        self._store.delete(name)

    def clean_up(self) -> None:
        """Takes back what a killed job left half uploaded, which S3 would keep and charge for ever.

        An upload that another living job is at ends too, and that job begins it anew.
        """
        try:
            if isinstance(self._store, S3OutputStore):
                _abort_uploads(self._store)
            else:
                self._store.clean_left_overs()
        except PipeModeDatasetException as error:  # such as no right to list uploads
            _log.info("looking for uploads that a killed job left: %s", error)

    def close(self) -> None:
        """Ends the store's threads."""
        self._store.close()


def _abort_uploads(store: S3OutputStore) -> None:
    prefix = store.uri.removeprefix("s3://")
    bucket, _, prefix = prefix.partition("/")

    def abort(client: S3Client) -> None:
        pages = client.get_paginator("list_multipart_uploads")
        for page in pages.paginate(Bucket=bucket, Prefix=prefix):
            for upload in page.get("Uploads", []):
                with contextlib.suppress(client.exceptions.NoSuchUpload):
                    client.abort_multipart_upload(
                        Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                    )

    store.call(f"aborting uploads below {store.uri}", abort)
