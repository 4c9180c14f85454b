"""``smtf stream``: the prefetcher in the foreground.

Exit status: 0 when it was stopped by SIGINT or SIGTERM, as it has no other end and has done its
work; 1 when it could not start. A second signal, while it stops, ends it at once. An object that
cannot be read is an error of its epoch: it is logged here, raised in the reader, and streaming goes
on with the next epoch.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.cli.byte_counts import byte_count, byte_count_or_auto, count_or_auto
from sagemaker_tensorflow.cli.channel_flags import (
    add_channel_flags,
    channels_from_flags,
    describe_channels,
)
from sagemaker_tensorflow.cli.loudness_flags import add_loudness_flags
from sagemaker_tensorflow.cli.s3_flags import add_s3_flags, given_s3_options

if TYPE_CHECKING:
    from sagemaker_tensorflow.feeder import Feeder


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Adds the command's syntax."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "stream",
        help="stream channels into named pipes until stopped",
        description="Stream S3 prefixes, folders or files into named pipes, epoch after epoch, "
        "until SIGINT or SIGTERM. PipeModeDataset reads the pipes.",
    )
    add_channel_flags(parser)
    add = parser.add_argument
    add("--pipe-dir", required=True, metavar="DIR", help="where the pipes go")
    add("--config-dir", required=True, metavar="DIR", help="where inputdataconfig.json goes")
    add("--hosts", type=_names, metavar="A,B,...", help="all hosts of the job, for ShardedByS3Key")
    add("--current-host", metavar="A", help="which of them this one is")
    add(
        "--connections",
        type=count_or_auto,
        metavar="N",
        help="fetches at a time, per pipe (default auto)",
    )
    add(
        "--part-bytes",
        type=byte_count_or_auto,
        metavar="SIZE",
        help="of a ranged request, such as 8MiB (default auto)",
    )
    add(
        "--memory-bytes",
        type=byte_count,
        metavar="SIZE",
        help="bound on buffers, all pipes together (default 512MiB)",
    )
    add("--retry-seconds", type=float, metavar="S", help="how long a part is retried")
    add("--no-hedging", action="store_true", help="never fetch a slow part a second time")
    add("--no-checksums", action="store_true", help="do not verify S3's checksums")
    add("--cache-dir", metavar="DIR", help="keep what was fetched from S3 for later epochs")
    add("--cache-bytes", type=byte_count, metavar="SIZE", help="bound on the cache (default 10GiB)")
    add_s3_flags(parser)
    add_loudness_flags(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Streams until stopped."""
    import signal

    # Before anything starts a thread; see feeder.serve.
    stop_signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)
    from sagemaker_tensorflow.cli.logging_setup import set_up_logging

    progress = set_up_logging(args)
    # Only now, as it loads boto3 and the engine.
    from sagemaker_tensorflow.feeder import serve

    feeder = _make_feeder(args)
    tick = (lambda: progress.update(feeder.stats())) if progress else (lambda: None)
    try:
        serve(feeder, stop_signals, on_started=lambda: _say_started(args), tick=tick)
    finally:
        if progress:
            progress.clear()
    return 0


def _make_feeder(args: argparse.Namespace) -> Feeder:
    from pathlib import Path

    from sagemaker_tensorflow.feeder import Feeder
    from sagemaker_tensorflow.hosts import HostPlace
    from sagemaker_tensorflow.outlets import PipeOutlet
    from sagemaker_tensorflow.prefetch_config import PrefetchConfig

    names = ("connections", "part_bytes", "memory_bytes", "retry_seconds", "cache_dir")
    numbers = {name: getattr(args, name) for name in (*names, "cache_bytes")}
    given = {name: value for name, value in numbers.items() if value is not None}
    return Feeder(
        channels_from_flags(args),
        outlet=PipeOutlet(Path(args.pipe_dir), Path(args.config_dir)),
        config=PrefetchConfig(
            hedging=not args.no_hedging, checksums=not args.no_checksums, **given
        ),
        s3_options=given_s3_options(args),
        host=HostPlace.among(args.hosts, args.current_host),
    )


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _say_started(args: argparse.Namespace) -> None:
    import logging

    logging.getLogger(__name__).info("streaming %s into %s", describe_channels(args), args.pipe_dir)
