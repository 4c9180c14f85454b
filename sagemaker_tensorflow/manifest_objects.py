"""What the channels with a manifest stream.

Sizes and ETags of the objects that a manifest names come from HEAD requests. A listing has a
thousand of them in one answer, but it may go through any number of keys that the manifest does not
name, and it needs a right that reading the objects does not. The requests are made in pages that
grow, so that the first record does not wait for those of a million objects.
"""

from __future__ import annotations

import itertools
import stat
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sagemaker_tensorflow import _prefetch
from sagemaker_tensorflow.augmented_manifests import MAX_LINE_BYTES, AugmentedLine, parse_lines
from sagemaker_tensorflow.errors import NotFoundError
from sagemaker_tensorflow.growing_pages import growing_pages
from sagemaker_tensorflow.locations import Location, S3Location
from sagemaker_tensorflow.manifests import NAMED_MISSING, missing_error, parse_manifest
from sagemaker_tensorflow.object_text import open_s3_text, read_local_text, split_lines
from sagemaker_tensorflow.source_pool import Bucket, SourcePool
from sagemaker_tensorflow.system_errors import translated_os_errors

if TYPE_CHECKING:
    from sagemaker_tensorflow._prefetch import ObjectStat, Source

# Of HEAD requests. A HEAD is latency and hardly any bytes, so more of them than of GETs.
_STAT_CONNECTIONS = 32
# How far is looked for missing objects after the first.
_SEARCHED_MISSING = 10_000


class ManifestObjects:
    """The objects that a ManifestFile names, in its order and as often as it does."""

    def __init__(self, pool: SourcePool, location: Location) -> None:
        self._where = str(location)
        if isinstance(location, S3Location):
            text = open_s3_text(pool.session, location)
            pool.bucket(location.bucket, text.address)
            self._manifest = parse_manifest(b"".join(text.chunks), self._where)
        else:
            data = b"".join(read_local_text(location))
            self._manifest = parse_manifest(data, self._where, location.path.parent)
        self.source: Source = _prefetch.FileSource()
        self._s3: _prefetch.S3Source | None = None
        name = self._manifest.bucket
        if name is not None:
            bucket = pool.bucket_of(S3Location(name, self._manifest.names[0]))
            self.source, self._s3 = bucket.source, bucket.s3
        self._stopped = threading.Event()

    def fill(self, objects: _prefetch.ObjectList, source_index: int = 0) -> Iterator[int]:
        """Asks for the objects page by page."""
        pages = growing_pages(self._manifest.names)
        for page in pages:
            found = list(zip(page, self._stat(page), strict=True))
            missing = [name for name, (size, _) in found if size < 0]
            if missing:
                raise self._missing(missing, pages)
            objects.add([(name, size, etag) for name, (size, etag) in found], source_index)
            yield len(page)

    def _stat(self, names: Sequence[str]) -> list[ObjectStat]:
        if self._s3 is None:
            return stat_files(names)
        return self._s3.stat(names, connections=_STAT_CONNECTIONS)

    def _missing(self, missing: list[str], others: Iterator[list[str]]) -> NotFoundError:
        searched = 0
        for page in others:
            if self._stopped.is_set() or searched > _SEARCHED_MISSING:
                break
            if len(missing) > NAMED_MISSING:
                break
            searched += len(page)
            stats = self._stat(page)
            missing += [name for name, (size, _) in zip(page, stats, strict=True) if size < 0]
        else:
            return missing_error(self._where, missing, all_known=True)
        return missing_error(self._where, missing, all_known=False)

    def stop(self) -> None:
        """Ends the search for what else is missing. A page takes its time."""
        self._stopped.set()


class AugmentedManifestObjects:
    """The attributes of an AugmentedManifestFile's lines: objects of any bucket, and JSON texts."""

    def __init__(self, pool: SourcePool, location: Location, attributes: Sequence[str]) -> None:
        self._pool = pool
        self._where = str(location)
        # Of each of the source's parts; a bucket's name, or None for local files.
        self._indices: dict[str | None, int] = {_home(location): 0}
        self._buckets: dict[str, Bucket] = {}
        folder = None
        if isinstance(location, S3Location):
            text = open_s3_text(pool.session, location)
            bucket = pool.bucket(location.bucket, text.address)
            self._buckets[location.bucket] = bucket
            self.source = _prefetch.MultiSource([bucket.source])
            chunks = text.chunks
        else:
            self.source = _prefetch.MultiSource([_prefetch.FileSource()])
            chunks = read_local_text(location)
            folder = location.path.parent
        self._lines = parse_lines(
            split_lines(chunks, MAX_LINE_BYTES), attributes, self._where, folder
        )

    def fill(self, objects: _prefetch.ObjectList, source_index: int = 0) -> Iterator[int]:
        """Reads the manifest and asks for what it refers to, page by page."""
        del source_index  # never one of several: its source is several itself
        found = False
        for lines in growing_pages(self._lines):
            stats = self._stat(lines)
            for entry in itertools.chain.from_iterable(line.entries for line in lines):
                if isinstance(entry, bytes):
                    objects.add_inline(entry)
                else:
                    size, etag = stats[entry]
                    objects.add([(_name(entry), size, etag)], self._indices[_home(entry)])
            found = True
            yield sum(len(line.entries) for line in lines)
        if not found:
            raise NotFoundError(f"{self._where} is empty: no line names anything to stream")

    def _stat(self, lines: Iterable[AugmentedLine]) -> dict[Location, ObjectStat]:
        """Sizes and ETags of all that the lines refer to."""
        # A dict for a set with an order: the first line that refers to an object is named.
        numbers: dict[Location, int] = {}
        for line in lines:
            for entry in line.entries:
                if not isinstance(entry, bytes):
                    numbers.setdefault(entry, line.number)
        stats: dict[Location, ObjectStat] = {}
        for home, group in itertools.groupby(sorted(numbers, key=_order), _home):
            members = list(group)
            stats.update(zip(members, self._stat_at(home, members), strict=True))
        missing = [
            f"line {number}: {location}"
            for location, number in numbers.items()
            if stats[location][0] < 0
        ]
        if missing:
            raise missing_error(self._where, missing, all_known=False)
        return stats

    def _stat_at(self, home: str | None, members: list[Location]) -> list[ObjectStat]:
        names = [_name(location) for location in members]
        if home is None:
            if home not in self._indices:
                self._indices[home] = self.source.add(_prefetch.FileSource())
            return stat_files(names)
        if home not in self._buckets:
            self._buckets[home] = self._pool.bucket_of(S3Location(home, names[0]))
        if home not in self._indices:
            self._indices[home] = self.source.add(self._buckets[home].source)
        return self._buckets[home].s3.stat(names, connections=_STAT_CONNECTIONS)

    def stop(self) -> None:
        """Nothing to do: after each page the caller looks whether it is to go on."""


def stat_files(paths: Iterable[str]) -> list[ObjectStat]:
    """What `S3Source.stat` says of S3 objects: size -1 where there is no regular file.

    Raises:
        PermissionDeniedError: A folder above may not be searched.
    """
    return [(_file_size(path), "") for path in paths]


def _file_size(path: str) -> int:
    with translated_os_errors("looking for a manifest's file"):
        try:
            status = Path(path).stat()
        except (FileNotFoundError, NotADirectoryError):
            return -1
    return status.st_size if stat.S_ISREG(status.st_mode) else -1


def _home(location: Location) -> str | None:
    return location.bucket if isinstance(location, S3Location) else None


def _name(location: Location) -> str:
    return location.prefix if isinstance(location, S3Location) else str(location)


def _order(location: Location) -> str:
    return _home(location) or ""
