"""``smtf inspect``: what records a file, folder or S3 prefix holds, and whether all are whole.

Every object is a stream of its own: a record does not go on in the next object. An object that is
broken is reported with what was fine before it, and the next one is looked at. Exit status: 0 when
everything was whole, 1 when something was not or could not be read.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from sagemaker_tensorflow.cli.number_flags import whole_number
from sagemaker_tensorflow.cli.s3_flags import add_s3_flags
from sagemaker_tensorflow.errors import CorruptRecordError, DataLossError, PipeModeDatasetException

if TYPE_CHECKING:
    from sagemaker_tensorflow._core import RecordReader, Source
    from sagemaker_tensorflow.locations import LocalLocation, S3Location

    # A name to print, and what opens it.
    Stream: TypeAlias = tuple[str, AbstractContextManager[Source]]

_PREVIEW_BYTES = 48


@dataclass
class Preview:
    """One of the first records: its beginning as ``text`` or, if not printable, as ``hex``."""

    object: str
    index: int
    offset: int
    bytes: int
    text: str | None
    hex: str | None


@dataclass
class Failure:
    """What is wrong with an object, and how many of its records were fine before that."""

    object: str
    message: str
    records_before: int
    byte_offset: int | None


@dataclass
class Report:
    """What was found. Sizes are those of the records' payloads, in bytes."""

    format: str
    objects: int = 0
    records: int = 0
    min_bytes: int | None = None
    max_bytes: int | None = None
    total_bytes: int = 0
    stopped_early: bool = False
    first: list[Preview] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def count(self, size: int) -> None:
        """Adds a record."""
        self.records += 1
        self.total_bytes += size
        self.min_bytes = size if self.min_bytes is None else min(self.min_bytes, size)
        self.max_bytes = size if self.max_bytes is None else max(self.max_bytes, size)

    @property
    def mean_bytes(self) -> float | None:
        """None without records."""
        return self.total_bytes / self.records if self.records else None


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Adds the command's syntax."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "inspect",
        help="count records, verify them, show the first few",
        description="Read every record of a file, a folder, an S3 prefix or standard input, "
        "verify its framing and CRCs, and say how many there are and how large.",
    )
    add = parser.add_argument
    add("source", metavar="URI|PATH", help="s3://bucket/prefix, file:///path, a path, or - (stdin)")
    add("--format", required=True, choices=("RecordIO", "TFRecord", "TextLine"))
    add("--compression", choices=("None", "Gzip"), default="None", help="of each object")
    add(
        "--first", type=whole_number(0), default=3, metavar="N", help="how many to show (default 3)"
    )
    add("--max-records", type=whole_number(0), metavar="N", help="stop after so many")
    add(
        "--max-record-bytes",
        type=whole_number(1),
        default=1 << 30,
        metavar="N",
        help="bound on one record",
    )
    add("--json", action="store_true", help="print the report as JSON")
    add_s3_flags(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Inspects everything under the source."""
    report = Report(format=args.format)
    for name, opening in _streams(args):
        report.objects += 1
        _inspect(name, opening, args, report)
        if report.stopped_early:
            break
    _print_json(report) if args.json else _print_text(args.source, report)
    for failure in report.failures:
        good = f"records that were fine before it: {failure.records_before}"
        print(f"smtf: error: {failure.message} ({good})", file=sys.stderr)
    return 1 if report.failures else 0


def _inspect(
    name: str, opening: AbstractContextManager[Source], args: argparse.Namespace, report: Report
) -> None:
    from sagemaker_tensorflow.records import open_records
    from sagemaker_tensorflow.s3_errors import translated_s3_errors

    before = report.records
    try:
        with (
            translated_s3_errors(f"reading {name}"),
            opening as source,
            open_records(
                _Gunzipped(name, source) if args.compression == "Gzip" else source,
                args.format,
                max_record_bytes=args.max_record_bytes,
            ) as records,
        ):
            _read(name, records, args, report)
    except PipeModeDatasetException as error:
        offset = error.byte_offset if isinstance(error, CorruptRecordError) else None
        message = str(error) if name in str(error) else f"{name}: {error}"
        report.failures.append(Failure(name, message, report.records - before, offset))


def _read(name: str, records: RecordReader, args: argparse.Namespace, report: Report) -> None:
    while args.max_records is None or report.records < args.max_records:
        index, offset = records.record_index, records.byte_offset
        record = next(records, None)
        if record is None:
            return
        if len(report.first) < args.first:
            report.first.append(_preview(name, index, offset, record))
        report.count(len(record))
    report.stopped_early = True


def _preview(name: str, index: int, offset: int, record: bytes) -> Preview:
    beginning = record[:_PREVIEW_BYTES]
    text = _printable(beginning, cut=len(record) > len(beginning))
    return Preview(
        name, index, offset, len(record), text, None if text is not None else beginning.hex(" ")
    )


def _printable(data: bytes, cut: bool) -> str | None:
    """The text that `data` is, or None. A character that the cut went through is left out."""
    for end in range(len(data), len(data) - (4 if cut else 1), -1):
        try:
            text = data[: max(end, 0)].decode()
        except UnicodeDecodeError:
            continue
        return text if text.replace("\t", " ").isprintable() else None
    return None


def _streams(args: argparse.Namespace) -> Iterator[Stream]:
    from sagemaker_tensorflow.locations import S3Location, parse_location

    if args.source == "-":
        yield "standard input", nullcontext(sys.stdin.buffer)
        return
    location = parse_location(args.source)
    if isinstance(location, S3Location):
        yield from _s3_streams(location, args)
    else:
        yield from _local_streams(location)


def _local_streams(location: LocalLocation) -> Iterator[Stream]:
    from sagemaker_tensorflow.listing import list_local_objects

    if not location.path.is_dir():  # whatever it is: a file, a FIFO, nothing at all
        yield str(location.path), nullcontext(location.path)
        return
    for page in list_local_objects(location):
        for path, _, _ in page:
            yield path, nullcontext(path)


def _s3_streams(location: S3Location, args: argparse.Namespace) -> Iterator[Stream]:
    from sagemaker_tensorflow.listing import list_s3_objects
    from sagemaker_tensorflow.s3_session import S3Session

    session = S3Session.from_environment(
        args.profile, args.region, args.endpoint_url, args.anonymous
    )
    for page in list_s3_objects(session.client, location):
        for key, _, etag in page:
            yield f"s3://{location.bucket}/{key}", _S3Object(session, location.bucket, key, etag)


class _Named:
    """A binary file, with the name that messages are to call it by."""

    def __init__(self, name: str, file: Any) -> None:
        self.name = name
        self.read = file.read


class _Gunzipped:
    """The decompressed bytes of a path or a binary file."""

    def __init__(self, name: str, source: Any) -> None:
        import gzip

        from sagemaker_tensorflow.system_errors import translated_os_errors

        self.name = name
        with translated_os_errors(f"opening {name}"):
            self._file = gzip.open(source)  # noqa: SIM115 - it owns nothing but a descriptor

    def read(self, size: int) -> bytes:
        """Reads at most so many bytes.

        Raises:
            DataLossError: They are no gzip file, or a damaged one.
        """
        import gzip
        import zlib

        try:
            return self._file.read(size)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DataLossError(f"decompressing {self.name}: {error}") from error


class _S3Object(AbstractContextManager["Source"]):
    """An object's body, asked for when it is entered; an object that was replaced is an error."""

    def __init__(self, session: Any, bucket: str, key: str, etag: str) -> None:
        self._session = session
        self._request = {"Bucket": bucket, "Key": key, "IfMatch": etag}
        self._body: Any = None

    def __enter__(self) -> Source:
        self._body = closing(self._session.client.get_object(**self._request)["Body"])
        return _Named("s3://{Bucket}/{Key}".format_map(self._request), self._body.__enter__())

    def __exit__(self, *raised: Any) -> None:
        self._body.__exit__(*raised)


def _print_json(report: Report) -> None:
    import json

    print(json.dumps({**dataclasses.asdict(report), "mean_bytes": report.mean_bytes}, indent=2))


def _print_text(source: str, report: Report) -> None:
    plural = "" if report.objects == 1 else "s"
    print(f"{source}: {report.records} {report.format} records in {report.objects} object{plural}")
    if report.stopped_early:
        print("  stopped at --max-records, there may be more")
    if report.mean_bytes is not None:
        print(
            f"  bytes: min {report.min_bytes}, mean {report.mean_bytes:.1f}, "
            f"max {report.max_bytes}, total {report.total_bytes}"
        )
    for record in report.first:
        where = f"record {record.index} at byte {record.offset}"
        if report.objects > 1:
            where = f"{record.object} {where}"
        shown = repr(record.text) if record.text is not None else record.hex
        more = " ..." if record.bytes > _PREVIEW_BYTES else ""
        print(f"  {where}, {record.bytes} bytes: {shown}{more}")
