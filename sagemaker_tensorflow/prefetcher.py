"""The prefetcher as a training script sees it: it starts, watches and ends a process of its own."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from sagemaker_tensorflow.channel_stats import ChannelStats
from sagemaker_tensorflow.channels import Channels, as_channels, pipe_count
from sagemaker_tensorflow.errors import (
    DeadlineExceededError,
    FailedPreconditionError,
    UnavailableError,
    error_of_kind,
)
from sagemaker_tensorflow.hosts import HostPlace
from sagemaker_tensorflow.json_lines import JsonLines
from sagemaker_tensorflow.module_command import module_command
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.prefetch_orders import PrefetchOrders
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.system_errors import make_directory

_log = logging.getLogger(__name__)

# What a process may take to end its epochs before it is killed.
_GRACE_SECONDS = 5.0
# A healthy process answers in milliseconds; on a machine that swaps it may take seconds.
_ANSWER_SECONDS = 30.0
_STDERR_LINES = 20


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
        self._process: _Process | None = None
        self._finalizer: weakref.finalize[Any, Any] | None = None

    def start(self) -> None:
        """Starts the process; returns when every channel has been found and has its first pipe.

        Raises:
            NotFoundError: No such bucket or path, or nothing under it.
            PermissionDeniedError: The credentials are missing or do not allow it; or a directory
                may not be made.
            UnavailableError: S3 cannot be reached, or the process died.
            FailedPreconditionError: Another prefetcher feeds the channel, or this was started
                before.
        """
        if self._process is not None:
            raise FailedPreconditionError("a Prefetcher is started once; make another")
        temporary = Path(tempfile.mkdtemp(prefix="smtf-"))
        self._dirs = {
            kind: str(Path(temporary / kind if given is None else given).absolute())
            for kind, given in self._given.items()
        }
        self._process = process = _Process(temporary, self._pass_fds)
        self._finalizer = weakref.finalize(self, process.end)
        try:
            make_directory(Path(self._dirs["state_dir"]))
            process.begin(
                PrefetchOrders(
                    channels=self._channels,
                    pipe_dir=Path(self._dirs["pipe_dir"]),
                    config_dir=Path(self._dirs["config_dir"]),
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


class _Process:
    """The process, the conversation with it and the directory that goes when it ends."""

    def __init__(self, temporary: Path, pass_fds: tuple[int, ...]) -> None:
        self._temporary = temporary
        self._pass_fds = pass_fds
        self._owner_pid = os.getpid()
        self._lock = threading.Lock()
        self._requests = 0
        self._last_lines: deque[str] = deque(maxlen=_STDERR_LINES)
        self._popen: subprocess.Popen[bytes] | None = None

    def begin(self, orders: PrefetchOrders) -> None:
        """Starts it and waits for its first word."""
        self._popen = popen = subprocess.Popen(
            module_command("sagemaker_tensorflow.prefetch_process"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Away from the terminal's Ctrl-C, also before it can ignore that by itself.
            start_new_session=True,
            pass_fds=self._pass_fds,
        )
        assert popen.stdin and popen.stdout and popen.stderr  # noqa: S101 - for mypy: PIPE
        self._lines = JsonLines(popen.stdout.fileno(), popen.stdin.fileno())
        self._listener = threading.Thread(
            target=_pass_on, args=(popen.stderr, self._last_lines), daemon=True
        )
        self._listener.start()
        try:
            self._lines.send(orders.to_json())
            answer = self._lines.receive()
        except (BrokenPipeError, EOFError):
            raise self._death() from None
        if "error" in answer:
            raise error_of_kind(answer["error"]["kind"], answer["error"]["message"])

    @property
    def alive(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def stats(self) -> dict[str, ChannelStats]:
        with self._lock:
            self._requests += 1
            try:
                self._lines.send({"request": "stats", "id": self._requests})
                # An answer to an earlier request that nobody waited for may come first; what ended
                # the process comes without a request.
                while (answer := self._lines.receive(_ANSWER_SECONDS)).get("id") != self._requests:
                    if "error" in answer:
                        break
            except (BrokenPipeError, EOFError):
                raise self._death() from None
            except TimeoutError:
                raise DeadlineExceededError(
                    f"the prefetcher's process did not answer within {_ANSWER_SECONDS:.0f} s"
                ) from None
        if "error" in answer:
            raise error_of_kind(answer["error"]["kind"], answer["error"]["message"])
        return {name: ChannelStats.from_json(stats) for name, stats in answer["stats"].items()}

    def _death(self) -> UnavailableError:
        """What to raise once the conversation has broken off."""
        assert self._popen is not None  # noqa: S101 - there was a conversation
        try:
            status = self._popen.wait(_GRACE_SECONDS)
            how = f"killed by {signal.Signals(-status).name}" if status < 0 else f"status {status}"
        except subprocess.TimeoutExpired:
            how = "it runs, but closed its pipe"
        self._listener.join(1)
        words = "\n".join(self._last_lines) or "(none)"
        return UnavailableError(
            f"the prefetcher's process is gone: {how}; its last lines on stderr:\n{words}"
        )

    def end(self) -> None:
        """Ends it, if it is ours to end, and cleans up. Also run by the finalizer at exit."""
        if os.getpid() != self._owner_pid:
            return  # in a child that was forked from the owner
        if self._popen is not None:
            self._stop(self._popen)
        shutil.rmtree(self._temporary, ignore_errors=True)

    def _stop(self, popen: subprocess.Popen[bytes]) -> None:
        assert popen.stdin and popen.stdout and popen.stderr  # noqa: S101 - for mypy: PIPE
        try:
            # A word, because a child that was forked from us may hold the pipe open.
            self._lines.send({"request": "stop"})
        except OSError:
            _log.debug("the prefetcher's process is gone already")
        try:
            popen.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            _log.warning("the prefetcher's process did not end in %.0f s: killed", _GRACE_SECONDS)
            popen.kill()
            popen.wait()
        self._listener.join(1)
        with self._lock:  # a thread in stats() has seen the end by now
            popen.stdin.close()
            popen.stdout.close()
        # A process that a credential provider left behind may still hold the other end.
        if not self._listener.is_alive():
            popen.stderr.close()


def _pass_on(stderr: IO[bytes], last_lines: deque[str]) -> None:
    for line in iter(stderr.readline, b""):
        text = line.decode(errors="replace").rstrip("\n")
        last_lines.append(text)
        print(text, file=sys.stderr, flush=True)
