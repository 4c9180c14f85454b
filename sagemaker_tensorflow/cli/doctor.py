"""``smtf doctor``: what is wrong here, or how fast it can go.

Exit status: 0 when there is no problem, warnings or not; 1 when there is one.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.cli.number_flags import seconds_up_to
from sagemaker_tensorflow.cli.s3_flags import add_s3_flags

if TYPE_CHECKING:
    from sagemaker_tensorflow.doctor.check import Check, Section
    from sagemaker_tensorflow.locations import S3Location

_MOST_SECONDS = 3600
# Of the screen: beyond, lines are hard to read.
_MOST_COLUMNS = 132
_LEAST_COLUMNS = 60


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Adds the command's syntax."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "doctor",
        help="say what is wrong here, or how fast it can go",
        description="Check versions, machine, credentials, endpoint and the dataset op; with a URI "
        "also whether it can be listed and read, and how fast it streams through a named pipe.",
    )
    add = parser.add_argument
    add("uri", nargs="?", type=_s3_location, metavar="s3://BUCKET/PREFIX", help="what to try")
    add(
        "--seconds",
        type=seconds_up_to(_MOST_SECONDS),
        default=3.0,
        metavar="N",
        help="how long to measure the rate (default 3)",
    )
    add("--json", action="store_true", help="print the findings as JSON")
    add_s3_flags(parser)
    return parser


def _s3_location(text: str) -> S3Location:
    from sagemaker_tensorflow.locations import S3Location, parse_location

    try:
        location = parse_location(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not isinstance(location, S3Location):
        raise argparse.ArgumentTypeError(f"{text!r} is not in S3: give s3://bucket/prefix")
    return location


def run(args: argparse.Namespace) -> int:
    """Examines and prints."""
    from contextlib import closing

    from sagemaker_tensorflow.doctor.examination import Examination
    from sagemaker_tensorflow.s3_options import S3Options

    options = S3Options(args.profile, args.region, args.endpoint_url, args.anonymous)
    with closing(Examination(options, args.uri, args.seconds).sections()) as sections:
        done = list(sections) if args.json else list(_shown(sections))
    problems, warnings = (
        sum(check.status == status for section in done for check in section.checks)
        for status in ("problem", "warning")
    )
    if args.json:
        _print_json(args.uri, done, problems, warnings)
    else:
        print(f"problems: {problems}, warnings: {warnings}")
    return 1 if problems else 0


def _print_json(
    uri: S3Location | None, sections: list[Section], problems: int, warnings: int
) -> None:
    import json

    report = {
        "uri": None if uri is None else str(uri),
        "problems": problems,
        "warnings": warnings,
        "sections": [section.to_json() for section in sections],
    }
    print(json.dumps(report, indent=2))


def _shown(sections: Iterable[Section]) -> Iterator[Section]:
    """Prints each section when it is there, as a few of them take their time."""
    for section in sections:
        print(section.title)
        for check in section.checks:
            print("\n".join(_lines(check)), flush=True)
        yield section


def _lines(check: Check) -> Iterator[str]:
    import shutil
    import textwrap

    head = f"  {check.status:<8} {check.name:<13}"
    columns = shutil.get_terminal_size((_MOST_COLUMNS, 0)).columns
    width = max(_LEAST_COLUMNS, min(columns, _MOST_COLUMNS)) - len(head)
    texts = [check.found] + ([f"-> {check.advice}"] if check.advice else [])
    for text in texts:
        for line in textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False):
            yield head + line
            head = " " * len(head)
