"""What an earlier job saved, in the folder of checkpoints before the script starts."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sagemaker_tensorflow.errors import CancelledError
from sagemaker_tensorflow.locations import S3Location, parse_location
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_errors import translated_s3_errors
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.s3_session import S3Session
from sagemaker_tensorflow.system_errors import make_directory, translated_os_errors
from sagemaker_tensorflow.training.file_channel import ChannelDownload
from sagemaker_tensorflow.training_input import TrainingInput
from sagemaker_tensorflow.transform.file_output_store import FileOutputStore

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectTypeDef

_log = logging.getLogger(__name__)


class CheckpointRestore:
    """One download of all checkpoints that there are. `cancel` may be called by any thread.

    Files get the times at which they were stored, because scripts look for the newest one.

    Args:
        uri: ``s3://bucket/prefix``, which means a folder of that name, or a local folder.
        folder: Where they go; there is nothing in it.
        s3_options: How to reach S3.
        prefetch: The prefetcher's numbers.
    """

    def __init__(
        self, uri: str, folder: Path, *, s3_options: S3Options, prefetch: PrefetchConfig
    ) -> None:
        self._uri = uri
        self._folder = folder
        self._s3_options = s3_options
        self._prefetch = prefetch
        self._download: ChannelDownload | None = None
        self._cancelled = False

    def cancel(self) -> None:
        """Ends `run` with `CancelledError`."""
        self._cancelled = True
        if self._download is not None:
            self._download.cancel()

    def run(self) -> None:
        """Downloads them.

        Raises:
            CancelledError: `cancel` was called.
            PipeModeDatasetException: They cannot be had, or not be files of one folder.
        """
        make_directory(self._folder)
        location = parse_location(self._uri)
        if isinstance(location, S3Location):
            self._from_s3(S3Location(location.bucket, folder_prefix(location.prefix)))
        else:
            self._from_folder(location.path)

    def _from_s3(self, location: S3Location) -> None:
        times = dict(self._listed(location))
        if not times:
            return
        self._download = ChannelDownload(
            TrainingInput(str(location)),
            self._folder,
            s3_options=self._s3_options,
            prefetch_config=self._prefetch,
        )
        self._check_cancelled()
        stats = self._download.run()
        _log.info("checkpoints: %d files, %d bytes, from %s", stats.objects, stats.bytes, location)
        for name, seconds in times.items():
            with contextlib.suppress(OSError):  # "a//b" is the file a/b, and so on
                os.utime(self._folder / name, (seconds, seconds))

    def _listed(self, location: S3Location) -> Iterator[tuple[str, float]]:
        """Names, and when each was stored."""
        with (
            contextlib.closing(S3Session.from_options(self._s3_options)) as session,
            translated_s3_errors(f"listing {location}"),
        ):
            paginator = session.client.get_paginator("list_objects_v2")
            for page in paginator.paginate(Bucket=location.bucket, Prefix=location.prefix):
                self._check_cancelled()
                for item in page.get("Contents", []):
                    if not _is_folder(item):
                        name = item["Key"].removeprefix(location.prefix)
                        yield name, item["LastModified"].timestamp()

    def _from_folder(self, source: Path) -> None:
        # Not as a channel's files are found: those of scripts may begin with a dot.
        for stored in FileOutputStore(source).list_stored():
            self._check_cancelled()
            target = self._folder / stored.name
            make_directory(target.parent)
            with translated_os_errors("copying a checkpoint"):
                shutil.copy2(source / stored.name, target)

    def _check_cancelled(self) -> None:
        if self._cancelled:
            raise CancelledError(f"stopped downloading checkpoints from {self._uri}")


def folder_prefix(prefix: str) -> str:
    """A prefix that is no beginning of other folders' names."""
    return prefix if prefix.endswith("/") or not prefix else f"{prefix}/"


def _is_folder(item: ObjectTypeDef) -> bool:
    """What consoles make of folders."""
    return item["Key"].endswith("/") and not item["Size"]
