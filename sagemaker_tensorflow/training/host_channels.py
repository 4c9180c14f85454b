"""The channels of one host: what is downloaded, mounted and streamed for its script."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING

from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.errors import CancelledError
from sagemaker_tensorflow.prefetcher import Prefetcher
from sagemaker_tensorflow.training.host import HostOrders
from sagemaker_tensorflow.training.job_directory import MlDirectory
from sagemaker_tensorflow.training.script_process import ScriptProcess
from sagemaker_tensorflow.training_input import TrainingInput

if TYPE_CHECKING:
    from sagemaker_tensorflow.training.download_progress import DownloadProgress
    from sagemaker_tensorflow.training.file_channel import ChannelDownload

_log = logging.getLogger(__name__)

_PROGRESS_SECONDS = 10.0


class HostChannels:
    """The channels. `cancel` may be called by any thread.

    Args:
        orders: Of the host.
    """

    def __init__(self, orders: HostOrders) -> None:
        self._orders = orders
        self._lock = threading.Lock()
        self._cancelled = False
        self._download: ChannelDownload | None = None

    def cancel(self) -> None:
        """Ends `download` and `mount`, now or as soon as they begin, with a CancelledError."""
        with self._lock:
            self._cancelled = True
            if self._download is not None:
                self._download.cancel()

    def download(self) -> None:
        """Fills the folders of the File channels.

        Raises:
            CancelledError: `cancel` was called.
            PipeModeDatasetException: The data cannot be had.
        """
        for channel in self._orders.spec.channels_in("File"):
            self._download_files(channel)

    def _download_files(self, channel: Channel) -> None:
        from sagemaker_tensorflow.training.file_channel import ChannelDownload

        assert isinstance(channel.input, TrainingInput)  # noqa: S101 - for mypy
        download = ChannelDownload(
            channel.input,
            self._orders.ml.data / channel.name,
            s3_options=self._orders.s3_options,
            prefetch_config=self._orders.prefetch,
            progress=_Progress(channel.name),
            host=self._orders.place,
        )
        with self._lock:
            self._check_cancelled()
            self._download = download
        try:
            stats = download.run()
        finally:
            with self._lock:
                self._download = None
        _log.info(
            "%s, channel %s: %d objects, %d bytes",
            self._orders.host,
            channel.name,
            stats.objects,
            stats.bytes,
        )

    def mount(self, script: ScriptProcess, seen: MlDirectory) -> None:
        """Mounts the folders of the FastFile channels, until the script's end.

        Args:
            script: Not started yet.
            seen: The host's directory as the script finds it.

        Raises:
            CancelledError: `cancel` was called.
            PipeModeDatasetException: The data cannot be had, or nothing mounted.
        """
        channels = self._orders.spec.channels_in("FastFile")
        if not channels:
            return
        from sagemaker_tensorflow.training.fast_file.channel import FastFileMounts

        mounts = FastFileMounts(
            script,
            self._orders.ml.data,
            seen.data,
            self._orders.log,
            self._orders.s3_options,
            self._orders.prefetch,
            self._orders.place,
        )
        for channel in channels:
            self._check_cancelled()
            files = mounts.add(channel, share=len(channels))
            _log.info(
                "%s, channel %s: %d objects to read", self._orders.host, channel.name, len(files)
            )

    def pipes(self, script: ScriptProcess) -> contextlib.AbstractContextManager[object]:
        """Streams the Pipe channels, as long as the context lasts.

        Args:
            script: Whose end of this process the stream does not outlive.
        """
        channels = self._orders.spec.channels_in("Pipe")
        if not channels:
            return contextlib.nullcontext()
        ml, options = self._orders.ml, self._orders.s3_options
        return Prefetcher(
            channels,
            pipe_dir=ml.data,
            config_dir=ml.config,
            state_dir=ml.pipe_state,
            config=self._orders.prefetch,
            profile=options.profile,
            region=options.region,
            endpoint_url=options.endpoint_url,
            anonymous=options.anonymous,
            hosts=self._orders.resources.hosts,
            current_host=self._orders.host,
            pass_fds=(script.life_fd,),
        )

    def _check_cancelled(self) -> None:
        if self._cancelled:
            raise CancelledError(f"job {self._orders.spec.job_name} was stopped")


class _Progress:
    """Logs how far a download is, now and then."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._next = time.monotonic() + _PROGRESS_SECONDS

    def __call__(self, progress: DownloadProgress) -> None:
        if time.monotonic() >= self._next:
            self._next += _PROGRESS_SECONDS
            _log.info("channel %s: %s", self._channel, progress)
