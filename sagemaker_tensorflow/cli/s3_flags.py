"""The options that say how to reach S3, which are the same for every command."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sagemaker_tensorflow.s3_options import S3Options


def add_s3_flags(parser: argparse.ArgumentParser) -> None:
    """Adds ``--profile``, ``--region``, ``--endpoint-url`` and ``--anonymous``."""
    add = parser.add_argument
    add("--profile", help="of the AWS configuration")
    add("--region", help="instead of the configured one")
    add("--endpoint-url", metavar="URL", help="of an S3-compatible store")
    add("--anonymous", action="store_true", help="sign nothing, for public buckets")


def given_s3_options(args: argparse.Namespace) -> S3Options:
    """What these flags say."""
    from sagemaker_tensorflow.s3_options import S3Options

    return S3Options(args.profile, args.region, args.endpoint_url, args.anonymous)
