"""Input mode File: a channel's objects in a folder, before the script starts.

They come through the prefetcher, as in the other modes, and with it retries, checksums, the disk
cache, and errors in S3's own words. Objects of any size go from its pipe into files without passing
through Python.

Nothing is half there: a file is called ``.smtf-download-...`` until it is complete. What a process
that was killed left of those is removed by the next download into the folder. Nothing is synced.
"""

from __future__ import annotations

import contextlib
import logging
import os
import uuid
from collections.abc import Callable
from pathlib import Path

from sagemaker_tensorflow import _core
from sagemaker_tensorflow.errors import CancelledError, InternalError, UnavailableError
from sagemaker_tensorflow.hosts import HostPlace
from sagemaker_tensorflow.object_feed import ObjectFeed
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.system_errors import make_directory, translated_os_errors
from sagemaker_tensorflow.training.channel_files import (
    PARTIAL_PREFIX,
    ChannelFiles,
    list_channel_files,
)
from sagemaker_tensorflow.training.disk_space import claimed_disk_space
from sagemaker_tensorflow.training.download_progress import (
    DownloadMeter,
    DownloadProgress,
    DownloadStats,
)
from sagemaker_tensorflow.training_input import TrainingInput

_log = logging.getLogger(__name__)

# Between two looks at the clock: what a pipe holds, and a millisecond of a fast disk.
_PIECE_BYTES = 1 << 20


def download_channel(
    training_input: TrainingInput,
    directory: Path,
    *,
    s3_options: S3Options,
    prefetch_config: PrefetchConfig,
    progress: Callable[[DownloadProgress], None] | None = None,
    host: HostPlace | None = None,
) -> DownloadStats:
    """Downloads a channel's objects; see `ChannelDownload`, which can be cancelled."""
    download = ChannelDownload(
        training_input,
        directory,
        s3_options=s3_options,
        prefetch_config=prefetch_config,
        progress=progress,
        host=host,
    )
    return download.run()


class ChannelDownload:
    """One download. `cancel` may be called by any thread.

    Which files there are and what they are called is `channel_files`. Everything that can be known
    beforehand is checked beforehand: names, and the room on the disk.

    Args:
        training_input: The channel. Its ``input_mode`` is not looked at, and its
            ``shuffle_config`` does nothing: a folder has no order.
        directory: Where the files go; made if missing. Other files in it stay, those of the same
            names are replaced. For one download at a time.
        s3_options: How to reach S3.
        prefetch_config: The prefetcher's numbers.
        progress: Called by `run` about twice a second as long as bytes come, and at the beginning
            and the end; not where there is no object. What it raises ends the download.
        host: Whose share it is, for ``ShardedByS3Key``; by default the only host's.
    """

    def __init__(
        self,
        training_input: TrainingInput,
        directory: Path,
        *,
        s3_options: S3Options,
        prefetch_config: PrefetchConfig,
        progress: Callable[[DownloadProgress], None] | None = None,
        host: HostPlace | None = None,
    ) -> None:
        self._input = training_input
        self._directory = directory.absolute()
        self._s3_options = s3_options
        self._config = prefetch_config
        self._progress = progress
        self._host = host or HostPlace()
        self._cancelled = False
        self._writer: _core.ObjectFiles | None = None

    def cancel(self) -> None:
        """Ends `run` with `CancelledError`; a request for a list of objects is waited for."""
        self._cancelled = True
        self._close_writer()

    def run(self) -> DownloadStats:
        """Downloads, once. Where it fails, files that were complete by then stay.

        Returns:
            What was written.

        Raises:
            InvalidArgumentError: The channel cannot be one of File mode, or its objects cannot be
                files of one folder; names them.
            NotFoundError: There is no such bucket, path, manifest or object.
            PermissionDeniedError: The credentials are missing or do not allow it; or the folder may
                not be written to.
            FailedPreconditionError: The disk has no room; or an object was replaced since it was
                listed.
            UnavailableError: S3 cannot be reached or fails in spite of retries; or the prefetcher
                is gone.
            InternalError: The disk refuses something else.
            CancelledError: `cancel` was called.
            PipeModeDatasetException: What else an object suffers from.
        """
        files = list_channel_files(self._input, self._s3_options, self._host)
        make_directory(self._directory)
        _remove_partial_files(self._directory)
        with claimed_disk_space(self._directory, files.sizes(), files.paths()):
            self._check_cancelled()
            if not len(files):
                return DownloadStats(0, 0, 0.0, 0)
            return self._fetch(files, DownloadMeter(len(files), sum(files.sizes()), self._progress))

    def _fetch(self, files: ChannelFiles, meter: DownloadMeter) -> DownloadStats:
        feed = ObjectFeed(
            files.listed(),
            files.bucket,
            s3_options=self._s3_options,
            config=self._config,
            on_failure=self._close_writer,
        )
        with feed:
            partial = self._directory / f"{PARTIAL_PREFIX}{uuid.uuid4().hex}"
            writer = _core.ObjectFiles(feed.pipe_dir, feed.channel, os.fsencode(partial))
            self._writer = writer
            try:
                if feed.failure is not None:
                    raise feed.failure  # it failed before there was anything to close
                self._check_cancelled()
                self._write(files, writer, meter)
            except CancelledError:
                if feed.failure is not None:
                    raise feed.failure from None
                raise
            finally:
                writer.close()
            meter.finish()
            seconds = meter.seconds
            counters = feed.stats()
        return DownloadStats(
            meter.objects, meter.bytes, seconds, counters.retries if counters else 0
        )

    def _write(self, files: ChannelFiles, writer: _core.ObjectFiles, meter: DownloadMeter) -> None:
        folders = _Folders(self._directory)
        for path in files.paths():
            target = folders.place_of(path)
            ended = False
            while not ended:
                written = writer.write(target, _PIECE_BYTES)
                if written is None:
                    raise InternalError(f"the stream of objects ended before {path}")
                count, ended = written
                meter.add(count, ended)
        # The end, at which the prefetcher's word on what it sent is compared with what came.
        try:
            more = writer.write(os.fsencode(self._directory), _PIECE_BYTES) is not None
        except UnavailableError as error:
            # For want of room, say: its directory is in memory, which others fill too.
            _log.warning("every file is there, but the prefetcher did not end well: %s", error)
            return
        if more:
            raise InternalError("the stream of objects went on after the last one")

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def _check_cancelled(self) -> None:
        if self._cancelled:
            raise CancelledError(f"stopped downloading {self._input.s3_data}")


class _Folders:
    """Makes the folders of files, each once. Names are bytes, as they are in S3 and on disks."""

    def __init__(self, root: Path) -> None:
        self._root = os.fsencode(root)
        self._made: set[str] = set()

    def place_of(self, path: str) -> bytes:
        """The path of a file whose folder is there."""
        folder = path.rpartition("/")[0]
        if folder and folder not in self._made:
            with translated_os_errors("making a folder for files"):
                os.makedirs(self._absolute(folder), exist_ok=True)  # noqa: PTH103 - bytes
            self._made.add(folder)
        return self._absolute(path)

    def _absolute(self, path: str) -> bytes:
        return self._root + b"/" + path.encode("utf-8", "surrogateescape")


def _remove_partial_files(directory: Path) -> None:
    with translated_os_errors(f"removing what is not complete from {directory}"):
        for left in directory.glob(f"{PARTIAL_PREFIX}*"):
            with contextlib.suppress(FileNotFoundError):
                left.unlink()
