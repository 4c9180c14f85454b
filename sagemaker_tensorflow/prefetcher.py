"""The prefetcher as a training script sees it: it starts, watches and ends a process of its own."""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from sagemaker_tensorflow.channel_stats import ChannelStats
from sagemaker_tensorflow.channels import Channels, as_channels, pipe_count
from sagemaker_tensorflow.errors import FailedPreconditionError, InvalidArgumentError
from sagemaker_tensorflow.hosts import HostPlace
from sagemaker_tensorflow.memory_directory import make_temporary_directory
from sagemaker_tensorflow.outlets import PipeOutlet
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.prefetch_orders import PrefetchOrders
from sagemaker_tensorflow.process_handle import ProcessHandle
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.system_errors import make_directory

_log = logging.getLogger(__name__)


class Prefetcher:
    """Streams channels into named pipes from a process of its own, for `PipeModeDataset`.

    >>> with Prefetcher({"training": "s3://bucket/train/"}) as feed:
    ...     dataset = PipeModeDataset("training", "TFRecord", **feed.dirs)

    The process ends with `close`, with the ``with`` block, and with this process however it ends.
    Methods may be called from any thread. A child that this process forks may read `dirs` and
    nothing else; the prefetcher stays its parent's.

    Args:
        channels: ``{name: uri}``, ``{name: TrainingInput}`` or `Channel` objects; see
            `locations.parse_location` for URIs. `job_description.channels_from_job` makes them of a
            CreateTrainingJob request.
        pipe_dir: Where the pipes go; made if missing.
        config_dir: Where ``inputdataconfig.json`` goes; made if missing.
        state_dir: Where readers keep how far they are; made if missing. Each of the three is
            by default in a temporary directory that is removed by `close`.
        config: The prefetcher's numbers.
        profile: A profile of the AWS configuration files.
        region: Overrides the environment's and the profile's.
        endpoint_url: Overrides AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL and the profile's.
        anonymous: Sign nothing, for public buckets.
        hosts: The names of all hosts of the job, for channels that are distributed over them with
            ``ShardedByS3Key``. SageMaker has them in SM_HOSTS.
        current_host: Which of them this one is; SM_CURRENT_HOST.
        pass_fds: File descriptors that the process is to hold as long as it lives, so that who has
            the other end of a pipe learns of its end; as for `subprocess.Popen`.

    Raises:
        InvalidArgumentError: A channel, a host or a number makes no sense.
    """

    def __init__(
        self,
        channels: Channels,
        *,
        pipe_dir: str | os.PathLike[str] | None = None,
        config_dir: str | os.PathLike[str] | None = None,
        state_dir: str | os.PathLike[str] | None = None,
        config: PrefetchConfig | None = None,
        profile: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        anonymous: bool = False,
        hosts: Sequence[str] | None = None,
        current_host: str | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self._channels = as_channels(channels)
        self._config = config or PrefetchConfig()
        self._config.memory_share(pipe_count(self._channels))
        self._host = HostPlace.among(hosts, current_host)
        self._s3_options = S3Options(profile, region, endpoint_url, anonymous)
        self._pass_fds = tuple(pass_fds)
        self._given = {"pipe_dir": pipe_dir, "state_dir": state_dir, "config_dir": config_dir}
        self._dirs: dict[str, str] = {}
        self._process: ProcessHandle | None = None
        self._finalizer: weakref.finalize[Any, Any] | None = None

    def start(self, process: ProcessHandle | None = None) -> None:
        """Starts the process; returns when every channel has been found and has its first pipe.

        Args:
            process: One that waits for its orders already; it is this object's from now on. If it
                has died, another one is started.

        Raises:
            InvalidArgumentError: `process` is given, and ``pass_fds``, which are too late for it.
            NotFoundError: No such bucket or path, or nothing under it.
            PermissionDeniedError: The credentials are missing or do not allow it; or a directory
                may not be made.
            UnavailableError: S3 cannot be reached, or the process died.
            FailedPreconditionError: Another prefetcher feeds the channel, or this was started
                before; or a disk is full.
        """
        if self._process is not None:
            raise FailedPreconditionError("a Prefetcher is started once; make another")
        if process is not None and self._pass_fds:
            raise InvalidArgumentError(
                "pass_fds are for a process that this Prefetcher makes, and start was given one: "
                "give that one the descriptors, ProcessHandle(pass_fds=...)"
            )
        # Streams of framed objects have no logs of objects, which may take more than memory has.
        framed = all(channel.input.frame_objects for channel in self._channels)
        temporary = make_temporary_directory("smtf-", in_memory=framed)
        self._dirs = {
            kind: str(Path(temporary / kind if given is None else given).absolute())
            for kind, given in self._given.items()
        }
        self._process = process = _living(process) or ProcessHandle(pass_fds=self._pass_fds)
        process.temporary = temporary
        self._finalizer = weakref.finalize(self, process.end)
        try:
            make_directory(Path(self._dirs["state_dir"]))
            process.begin(
                PrefetchOrders(
                    channels=self._channels,
                    outlet=PipeOutlet(Path(self._dirs["pipe_dir"]), Path(self._dirs["config_dir"])),
                    config=self._config,
                    s3_options=self._s3_options,
                    host=self._host,
                    temporary_dir=temporary,
                    log_level=_log.getEffectiveLevel(),
                )
            )
        except BaseException:
            self.close()
            raise

    def ask_to_end(self) -> None:
        """Tells the process to end, for readers that have all that they want; does not wait."""
        if self._process is not None:
            self._process.ask_to_end()

    def close(self) -> None:
        """Ends the process, killing it after 5 s, and removes temporary directories. Idempotent.

        Readers that are in the middle of an epoch get an error.
        """
        if self._finalizer is not None:
            self._finalizer()

    def __enter__(self) -> Prefetcher:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def dirs(self) -> dict[str, str]:
        """``pipe_dir``, ``state_dir`` and ``config_dir``: arguments of `PipeModeDataset`.

        Raises:
            FailedPreconditionError: Before `start`, which makes them.
        """
        if not self._dirs:
            raise FailedPreconditionError("a Prefetcher has its directories once it is started")
        return dict(self._dirs)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.alive

    def stats(self) -> dict[str, ChannelStats]:
        """Asks the process for its counters, by channel, or by pipe of a channel with several.

        Raises:
            UnavailableError: The process died; the error says how, with its last words.
            DeadlineExceededError: It does not answer, although it runs.
            FailedPreconditionError: It has not been started, or has been closed.
        """
        if self._process is None or self._finalizer is None or not self._finalizer.alive:
            raise FailedPreconditionError("this Prefetcher does not run: start it, or make another")
        return self._process.stats()


def _living(process: ProcessHandle | None) -> ProcessHandle | None:
    """The process, unless it has died of something that has nothing to do with its orders."""
    if process is None or (how := process.ended()) is None:
        return process
    _log.warning("the prefetcher's process, which waited for its orders, is gone: %s", how)
    process.end()
    return None
