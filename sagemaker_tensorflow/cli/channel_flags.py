"""``--channel NAME=URI``, and the flags that say more about the channel before them.

``--channel train=s3://b/train/ --compression Gzip --channel test=s3://b/test/`` decompresses train
only. No syntax within NAME=URI, as keys may have any character.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sagemaker_tensorflow.channels import Channel

_DEST = "channels"


class _Begin(argparse.Action):
    """Begins a channel."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, *_: Any
    ) -> None:
        given = getattr(namespace, _DEST) or []
        setattr(namespace, _DEST, [*given, (values, {})])


class _Describe(argparse.Action):
    """Adds to the channel that was begun last; `dest` is the argument's name in TrainingInput."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, *_: Any
    ) -> None:
        given = getattr(namespace, _DEST)
        flag = self.option_strings[0]
        if not given:
            parser.error(f"{flag} stands behind the --channel that it is about")
        text, options = given[-1]
        if self.dest in options:
            parser.error(f"{flag} is given twice for --channel {text}")
        options[self.dest] = values


def add_channel_flags(
    parser: argparse.ArgumentParser,
    *,
    required: bool = True,
    job_help: str = "the InputDataConfig of a CreateTrainingJob request",
    input_modes: bool = False,
) -> None:
    """Adds ``--channel`` or ``--job``, and what describes a channel.

    Args:
        parser: Gets the flags.
        required: One of the two is needed.
        job_help: What is read of the job.
        input_modes: Add ``--channel-input-mode``, too.
    """
    what = parser.add_mutually_exclusive_group(required=required)
    what.add_argument(
        "--channel",
        action=_Begin,
        dest=_DEST,
        metavar="NAME=URI",
        help="what to stream: s3://bucket/prefix, file:///path or a path; may be repeated",
    )
    what.add_argument("--job", metavar="FILE.json", help=job_help)
    group = parser.add_argument_group(
        "channel options", "Each is about the --channel before it. Values are SageMaker's."
    )

    def add(flag: str, metavar: str, help_text: str, **options: Any) -> None:
        dest = options.pop("dest", flag.removeprefix("--").replace("-", "_"))
        group.add_argument(
            flag,
            action=_Describe,
            dest=dest,
            default=argparse.SUPPRESS,
            metavar=metavar,
            help=help_text,
            **options,
        )

    if input_modes:
        add("--channel-input-mode", "MODE", "File, Pipe or FastFile", dest="input_mode")
    add("--s3-data-type", "TYPE", "S3Prefix, ManifestFile or AugmentedManifestFile")
    add("--distribution", "D", "FullyReplicated, or ShardedByS3Key over --hosts")
    add("--compression", "C", "None, or Gzip to decompress each object")
    add("--record-wrapping", "W", "None, or RecordIO to make each object a record")
    add("--content-type", "TYPE", "for inputdataconfig.json")
    add("--attribute-names", "NAME", "of an augmented manifest, in their order", nargs="+")
    add("--shuffle-seed", "N", "shuffle in each epoch", type=int, dest="shuffle_config")
    add("--pipes-per-channel", "K", "spread the channel over K pipes", type=int)


def channels_from_flags(args: argparse.Namespace) -> tuple[Channel, ...]:
    """Makes the channels that the flags describe.

    Raises:
        InvalidArgumentError: They make no sense; or the job's file does not.
        NotFoundError: There is no such file.
    """
    from pathlib import Path

    from sagemaker_tensorflow.channels import as_channels
    from sagemaker_tensorflow.job_description import channels_from_file

    if args.job is not None:
        return channels_from_file(Path(args.job))
    return as_channels(given_channels(args))


def given_channels(args: argparse.Namespace) -> tuple[Channel, ...]:
    """The channels of ``--channel``, if there are any."""
    return tuple(_channel(text, options) for text, options in args.channels or ())


def _channel(text: str, options: dict[str, Any]) -> Channel:
    from sagemaker_tensorflow.channels import Channel
    from sagemaker_tensorflow.training_input import ShuffleConfig

    if "shuffle_config" in options:
        options = {**options, "shuffle_config": ShuffleConfig(options["shuffle_config"])}
    return Channel.parse(text, **options)


def describe_channels(args: argparse.Namespace) -> str:
    """The channels in a few words."""
    given: Sequence[tuple[str, Any]] = args.channels or [(args.job, None)]
    return ", ".join(text for text, _ in given)
