"""``PipeModeDataset``: a ``tf.data.Dataset`` of records that are streamed.

They come through a channel's named pipes, or from S3 without anything else: ``from_uri``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.data.ops import dataset_ops

from sagemaker_tensorflow import interrupts, op_library
from sagemaker_tensorflow.channel_stats import ChannelStats
from sagemaker_tensorflow.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    PipeModeDatasetException,
)
from sagemaker_tensorflow.hosts import HostPlace
from sagemaker_tensorflow.input_data_config import FILE_NAME, read_input_data_config
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.reader_options import MAX_RECORD_BYTES, ReaderOptions
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.uri_stream import UriInput, UriStream


class PipeModeDataset(dataset_ops.DatasetSource):  # type: ignore[misc]
    r"""The records of a Pipe mode channel, one epoch for each iterator.

    A drop-in for the class of the same name in SageMaker's own extension: it reads the named pipes
    ``<pipe_dir>/<channel>_<epoch>``, whether SageMaker's agent fills them or this package's
    :class:`~sagemaker_tensorflow.Prefetcher`. Each iterator (each ``for`` loop, each epoch of
    ``fit``, each pass of ``repeat``) reads the next epoch whole. The epoch is taken when an
    iterator reads its first byte, so an iterator that is made and never read costs none.

    Elements are scalar ``tf.string`` tensors, one record each; with ``batch_size=N``, ``[N]``
    tensors, ready for ``tf.io.parse_example``, at a fraction of the cost of ``.batch(N)``.

    `from_uri` makes one that needs no pipes: it fetches by itself.

    Auto-sharding is off on this dataset and what is made from it, because each host has pipes of
    its own: TensorFlow's default would drop all but every n-th record.

    Errors reach the caller as ``tf.errors``: ``DataLossError`` for a broken or cut record,
    ``DeadlineExceededError`` when no pipe or no byte came in time, and whatever stopped the
    prefetcher (``NotFoundError``, ``PermissionDeniedError``, ``UnavailableError``, ...) with its
    message.

    Args:
        channel: Name of the channel.
        record_format: ``"RecordIO"``, ``"TFRecord"`` or ``"TextLine"``.
        state_dir: Where the number of the channel's next epoch is kept between iterators and
            processes; made if missing. By default ``$SM_INPUT_DIR/../pipe_state``, or
            ``/opt/ml/pipe_state`` without that variable.
        pipe_dir: Where the pipes are. By default ``$SM_INPUT_DIR/data``, or ``/opt/ml/input/data``.
        config_dir: Where ``inputdataconfig.json`` is. By default ``$SM_INPUT_CONFIG_DIR``, or
            ``/opt/ml/input/config``.
        benchmark: Print read time, bytes and rate to stdout when an iterator is destroyed.
        benchmark_records_interval: Print metrics to stdout every so many records; 0 never.
        max_corrupted_records_to_skip: TFRecord: how many records in a row may fail the CRC of their
            payload and be left out, with a warning in the log; one more is a ``DataLossError``.
        batch_size: Records per element; None for scalar elements.
        drop_remainder: With ``batch_size``, leave out a last element of fewer records, which makes
            the shape ``[batch_size]`` instead of ``[None]``.
        timeout: Seconds to wait for the epoch's pipe to be made.
        stall_timeout: Seconds that a read may wait without a byte; None for ever.
        max_record_bytes: A longer record is an error before memory is taken for it.
        strip_carriage_return: TextLine: take a ``\r`` before the ``\n`` off; the original extension
            kept it.
        first_epoch: The epoch of the data, from 0, that the first iterator of this dataset to read
            gets; those after it go on from there. With a `ShuffleConfig` a training that is started
            again sees each epoch in the order in which it would have. None is the next. Each
            process counts for itself, an iterator restored from a checkpoint knows better, and
            SageMaker's agent cannot be asked: there it is ignored, with a warning in the log.
        name: A name for the tf.data operation.

    Raises:
        PipeModeDatasetException: The channel is not in ``inputdataconfig.json``, is not in Pipe
            mode, or there is no such file.
        InvalidArgumentError: An argument is out of its bounds (also a ``ValueError``).
        ImportError: The op was built for another TensorFlow.
    """

    def __init__(
        self,
        channel: str,
        record_format: str = "RecordIO",
        state_dir: str | os.PathLike[str] | None = None,
        pipe_dir: str | os.PathLike[str] | None = None,
        config_dir: str | os.PathLike[str] | None = None,
        benchmark: bool = False,
        benchmark_records_interval: int = 0,
        max_corrupted_records_to_skip: int = 0,
        *,
        batch_size: int | None = None,
        drop_remainder: bool = False,
        timeout: float = 120.0,
        stall_timeout: float | None = 600.0,
        max_record_bytes: int = MAX_RECORD_BYTES,
        strip_carriage_return: bool = False,
        first_epoch: int | None = None,
        name: str | None = None,
    ) -> None:
        options = ReaderOptions(
            record_format=record_format,
            batch_size=batch_size,
            drop_remainder=drop_remainder,
            timeout=timeout,
            stall_timeout=stall_timeout,
            max_record_bytes=max_record_bytes,
            max_corrupted_records_to_skip=max_corrupted_records_to_skip,
            strip_carriage_return=strip_carriage_return,
            benchmark=benchmark,
            benchmark_records_interval=benchmark_records_interval,
            first_epoch=first_epoch,
        )
        pipe_dir = _directory(pipe_dir, "SM_INPUT_DIR", "data", "input/data")
        state_dir = _directory(state_dir, "SM_INPUT_DIR", "../pipe_state", "pipe_state")
        self.config_dir = _directory(config_dir, "SM_INPUT_CONFIG_DIR", "", "input/config")
        _require_pipe_channel(Path(self.config_dir), channel)
        _make_directory(state_dir)
        self._open(channel, options, name, pipe_dir=pipe_dir, state_dir=state_dir)

    @classmethod
    def from_uri(
        cls,
        uri: UriInput | Sequence[UriInput],
        record_format: str = "RecordIO",
        *,
        batch_size: int | None = None,
        drop_remainder: bool = False,
        timeout: float = 120.0,
        stall_timeout: float | None = 600.0,
        max_record_bytes: int = MAX_RECORD_BYTES,
        max_corrupted_records_to_skip: int = 0,
        strip_carriage_return: bool = False,
        benchmark: bool = False,
        benchmark_records_interval: int = 0,
        first_epoch: int | None = None,
        name: str | None = None,
        config: PrefetchConfig | None = None,
        profile: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        anonymous: bool = False,
        hosts: Sequence[str] | None = None,
        current_host: str | None = None,
    ) -> PipeModeDataset:
        """The records of what is at a URI, without pipe, directory or configuration file.

        >>> dataset = PipeModeDataset.from_uri("s3://bucket/train/", "TFRecord", batch_size=1024)

        A prefetcher's process is started, which begins to fetch at once, and is read from through
        memory that the two processes share. It ends when the dataset and all that was made of it
        are gone, and with this process however that ends. Epochs, errors, checkpoints and options
        are those of a channel's dataset. What is missing or forbidden is an error here; what goes
        wrong later is one where it is read.

        Each call has a process and epochs of its own. Epochs of one dataset are read one after the
        other: an iterator that begins in the middle of another's waits until that one ends.

        Args:
            uri: ``s3://bucket/prefix``, ``file:///path``, a path or a `TrainingInput`; or several,
                which are one stream in their order, and may lie in several buckets.
            record_format: As the class, and so are the others that are not named here.
            batch_size: See the class.
            drop_remainder: See the class.
            timeout: Seconds to wait for another iterator of this dataset to end: the length of an
                epoch, where iterators are to wait for each other.
            stall_timeout: See the class.
            max_record_bytes: See the class.
            max_corrupted_records_to_skip: See the class.
            strip_carriage_return: See the class.
            benchmark: See the class.
            benchmark_records_interval: See the class.
            first_epoch: See the class.
            name: See the class.
            config: The prefetcher's numbers.
            profile: A profile of the AWS configuration files.
            region: Overrides the environment's and the profile's.
            endpoint_url: Overrides AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL and the profile's.
            anonymous: Sign nothing, for public buckets.
            hosts: The names of all hosts, for inputs that are distributed over them with
                ``ShardedByS3Key``. SageMaker has them in SM_HOSTS.
            current_host: Which of them this one is; SM_CURRENT_HOST.

        Raises:
            InvalidArgumentError: An argument makes no sense, or inputs cannot be one stream.
            NotFoundError: No such bucket or path, or nothing under it.
            PermissionDeniedError: The credentials are missing or do not allow it.
            UnavailableError: S3 cannot be reached, or the process died.
            ImportError: The op was built for another TensorFlow.
        """
        options = ReaderOptions(
            record_format=record_format,
            batch_size=batch_size,
            drop_remainder=drop_remainder,
            timeout=timeout,
            stall_timeout=stall_timeout,
            max_record_bytes=max_record_bytes,
            max_corrupted_records_to_skip=max_corrupted_records_to_skip,
            strip_carriage_return=strip_carriage_return,
            benchmark=benchmark,
            benchmark_records_interval=benchmark_records_interval,
            first_epoch=first_epoch,
        )
        op_library.load()  # before there is anything to clean up
        # Not rewritten as a part of the function, if this is called in one.
        start = tf.autograph.experimental.do_not_convert(UriStream)
        stream = start(
            uri,
            config=config or PrefetchConfig(),
            s3_options=S3Options(profile, region, endpoint_url, anonymous),
            host=HostPlace.among(hosts, current_host),
        )
        dataset = cls.__new__(cls)
        dataset.config_dir = ""
        dataset._open(stream.channel, options, name, ring_address=stream.address)
        dataset._hold(stream)
        return dataset

    def _open(
        self,
        channel: str,
        options: ReaderOptions,
        name: str | None,
        *,
        pipe_dir: str = "",
        state_dir: str = "",
        **attributes: Any,
    ) -> None:
        """Makes the op, which opens nothing."""
        self.channel = channel
        self.record_format = options.record_format
        self.pipe_dir = pipe_dir
        self.state_dir = state_dir
        self._element_spec = tf.TensorSpec(options.element_shape, tf.string)
        self._name = name
        self._stream: UriStream | None = None
        interrupts.install()
        variant = op_library.load().smtf_pipe_mode_dataset(
            channel=channel,
            pipe_dir=pipe_dir,
            state_dir=state_dir,
            metadata=self._metadata.SerializeToString(),
            **options.op_arguments(),
            **attributes,
        )
        super().__init__(variant)
        # The op says the same, but is not asked while a graph is being built.
        self._options_attr: tf.data.Options = self._options_attr.merge(_unsharded())

    def _hold(self, stream: UriStream) -> None:
        """Keeps the stream's process for as long as this may be iterated over."""
        self._stream = stream
        if not tf.executing_eagerly():
            # A function's graph makes the dataset anew at each call, when this object is gone.
            graph = tf.compat.v1.get_default_graph()
            graph._smtf_streams = [*getattr(graph, "_smtf_streams", ()), stream]

    def stats(self) -> ChannelStats:
        """How a dataset of `from_uri` is doing: bytes, retries, who waited for whom.

        >>> dataset.stats().bytes_fetched, dataset.stats().retries, dataset.stats().reader_waited

        The counters are those of its prefetcher's process since that was started, all epochs and
        iterators together. Keep the dataset itself to ask it: what is derived from it has no
        counters. Takes some milliseconds; may be called from any thread, also while others read.

        Raises:
            FailedPreconditionError: This reads pipes, and the `Prefetcher` that feeds them has
                the counters (`Prefetcher.stats`); or this process is a fork of the one that made
                the dataset.
            UnavailableError: The process died; the error says how, with its last words.
            DeadlineExceededError: It does not answer, although it runs.
        """
        if self._stream is None:
            raise FailedPreconditionError(
                f"the dataset of channel {self.channel!r} reads pipes, which somebody else feeds: "
                "where that is a Prefetcher, ask its stats()"
            )
        # Not rewritten as a part of the function, if this is called in one.
        ask = tf.autograph.experimental.do_not_convert(self._stream.stats)
        answer: ChannelStats = ask()
        return answer

    @property
    def element_spec(self) -> tf.TensorSpec:
        """One ``tf.string`` tensor: ``[]``, ``[None]``, or ``[batch_size]``."""
        return self._element_spec


def _unsharded() -> tf.data.Options:
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return options


def _require_pipe_channel(config_dir: Path, channel: str) -> None:
    """Checks what the job says of the channel, so that a wrong name is not waited for."""
    if "://" in channel:
        raise InvalidArgumentError(
            f"channel {channel!r} is a URI: read it with PipeModeDataset.from_uri, or give the "
            "name of one of the job's channels"
        )
    try:
        entries = read_input_data_config(config_dir)
    except NotFoundError as error:
        raise NotFoundError(
            f"{error}; outside of a job pass **feed.dirs of a Prefetcher, or read a URI with "
            "PipeModeDataset.from_uri"
        ) from error
    if channel not in entries:
        raise PipeModeDatasetException(
            f"channel {channel!r} is not in {config_dir / FILE_NAME}, which has "
            f"{', '.join(sorted(entries)) or 'no channels'}; use one of those names, or give the "
            "job a channel of this name"
        )
    mode = entries[channel].get("TrainingInputMode")
    if str(mode).lower() != "pipe":
        raise PipeModeDatasetException(
            f"channel {channel!r} is not a Pipe mode channel: {config_dir / FILE_NAME} says "
            f"TrainingInputMode {mode!r}; give the job (or the channel) input_mode='Pipe', or read "
            "the channel's files with tf.data.TFRecordDataset"
        )


def _directory(
    given: str | os.PathLike[str] | None, variable: str, below: str, below_opt_ml: str
) -> str:
    """The directory that was given, or where the environment says it is, or SageMaker's."""
    if given is not None:
        return os.fspath(given)
    root = os.environ.get(variable)
    return os.path.normpath(Path(root) / below) if root else f"/opt/ml/{below_opt_ml}"


def _make_directory(path: str) -> None:
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PermissionDeniedError(
            f"making state_dir {path}: {error.strerror}; outside a SageMaker container pass a "
            "state_dir that can be written"
        ) from error
