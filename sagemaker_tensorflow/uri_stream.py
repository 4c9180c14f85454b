"""What `PipeModeDataset.from_uri` reads: a stream with a prefetcher's process of its own."""

from __future__ import annotations

import atexit
import logging
import os
import re
import threading
import weakref
from collections.abc import Sequence
from typing import TypeAlias

from sagemaker_tensorflow.channel_stats import ChannelStats
from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.errors import FailedPreconditionError, InvalidArgumentError
from sagemaker_tensorflow.hosts import HostPlace
from sagemaker_tensorflow.joined_inputs import JoinedInputs
from sagemaker_tensorflow.outlets import RingOutlet
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.prefetch_orders import PrefetchOrders
from sagemaker_tensorflow.process_handle import ProcessHandle
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.training_input import TrainingInput, check_pipe_mode

_log = logging.getLogger(__name__)

_NO_NAME_CHARACTER = re.compile(r"[^A-Za-z0-9._-]")
_NAME_LENGTH = 64

# What `from_uri` takes one of, or several.
UriInput: TypeAlias = str | os.PathLike[str] | TrainingInput


class UriStream:
    """The process, which begins to fetch at once, and the address at which it is read.

    The process ends when this object is gone and no dataset of the op's, in any process, can be
    read from it any more; and at once with this process, however that ends. A child that is forked
    from this process may read; it ends nothing.

    Args:
        given: What to stream; several are one stream, in their order.
        config: The prefetcher's numbers.
        s3_options: How to reach S3.
        host: Which part of a ``ShardedByS3Key`` input is streamed.

    Raises:
        PipeModeDatasetException: As `Prefetcher` and `Prefetcher.start` do.
    """

    def __init__(
        self,
        given: UriInput | Sequence[UriInput],
        *,
        config: PrefetchConfig,
        s3_options: S3Options,
        host: HostPlace,
    ) -> None:
        streamed = _as_one_input(given)
        self.channel = _channel_name(streamed)
        outlet = RingOutlet.fresh()
        self.address = outlet.address(self.channel)
        self.process = process = ProcessHandle(temporary=None)
        self._owner_pid = os.getpid()
        try:
            process.begin(
                PrefetchOrders(
                    channels=(Channel(self.channel, streamed),),
                    outlet=outlet,
                    config=config,
                    s3_options=s3_options,
                    host=host,
                    temporary_dir=None,
                    log_level=_log.getEffectiveLevel(),
                )
            )
        except BaseException:
            process.end()
            raise
        # Datasets in C++ may outlive this object, and not this process.
        weakref.finalize(self, process.end_with_readers).atexit = False
        atexit.register(process.end)
        threading.Thread(target=_see_off, args=(process,), name="smtf-waits", daemon=True).start()

    def stats(self) -> ChannelStats:
        """Asks the process for its counters; see `PipeModeDataset.stats`."""
        if os.getpid() != self._owner_pid:
            # The answers would come to whoever reads first.
            raise FailedPreconditionError(
                f"the prefetcher of {self.channel} answers process {self._owner_pid}, and this is "
                "a fork of that: ask there"
            )
        return self.process.stats()[self.channel]


def _see_off(process: ProcessHandle) -> None:
    process.wait_and_clean_up()
    atexit.unregister(process.end)


def _as_one_input(given: UriInput | Sequence[UriInput]) -> TrainingInput | JoinedInputs:
    several = given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    inputs = tuple(_as_input(one) for one in several)
    if not inputs:
        raise InvalidArgumentError("no URI: give at least one, such as s3://bucket/train/")
    return inputs[0] if len(inputs) == 1 else JoinedInputs(inputs)


def _as_input(given: UriInput) -> TrainingInput:
    made = given if isinstance(given, TrainingInput) else TrainingInput(os.fspath(given))
    check_pipe_mode(f"{made.s3_data}: input_mode", made.input_mode)
    if made.pipes_per_channel != 1:
        raise InvalidArgumentError(
            f"{made.s3_data}: pipes_per_channel={made.pipes_per_channel} is for named pipes, and "
            "from_uri has one stream; leave it out, or start a Prefetcher and read each of its "
            "pipes with a PipeModeDataset"
        )
    return made


def _channel_name(streamed: TrainingInput | JoinedInputs) -> str:
    """What messages call it: the last part of the first URI."""
    first = streamed.inputs[0] if isinstance(streamed, JoinedInputs) else streamed
    last = first.s3_data.rstrip("/").rpartition("/")[2]
    return _NO_NAME_CHARACTER.sub("-", last)[:_NAME_LENGTH] or "data"
