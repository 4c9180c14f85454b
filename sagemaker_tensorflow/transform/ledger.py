"""Which objects are finished, so that a job that was killed goes on where it stopped.

Beside the results, under ``.smtf-transform/<settings digest>/finished/``, lie segments: JSON lines,
one for each finished object, written as a whole and never changed. A segment is written for every
thousand objects, or when ten seconds have passed, and when the job ends; 100,000 objects cost a
hundred requests of S3.

Why nothing is lost and nothing is there twice, wherever a SIGKILL falls:

- A result is written under a name that only the input decides, and becomes visible as a whole, or
  replaces the one before. Making it again gives the same object: it can never be there twice.
- An entry is added after its result was committed. So an entry never speaks of a result that is not
  there, and a result without an entry (its segment was not written yet) is only made again.
- A segment is one atomic write. Were it cut short all the same, by a store that is not atomic, the
  lines that are whole count, and the others' objects are made again.
- Segments are joined at the next start: first the joined one is written, then the others are
  removed. In between an entry is there twice, which means the same as once.

An object counts as finished when an entry has its URI, name, ETag and size, *and* the result is
there with the size and the ETag that were noted. So a result that somebody removed, or another job
with other settings replaced, is made again, and so is the result of an input that has changed. An
input whose store gives no ETag is never finished.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from operator import attrgetter, itemgetter
from typing import Any

from sagemaker_tensorflow.errors import PipeModeDatasetException
from sagemaker_tensorflow.transform.output_keys import BOOKKEEPING_FOLDER, output_name
from sagemaker_tensorflow.transform.output_store import OutputStore, StoredObject
from sagemaker_tensorflow.transform.records import InputObject

_log = logging.getLogger(__name__)

_SEGMENT_ENTRIES = 1000
_SEGMENT_SECONDS = 10.0
# One GET takes some 20 ms; a job of a day leaves 8,000 segments.
_READERS = 16
# Joining costs a request for each segment, reading them at every start too.
_MOST_SEGMENTS = 64
_JOINED_ENTRIES = 100_000
# Lines that are parsed by one call: each holds a kilobyte of Python's values until it is an entry.
_PARSED_LINES = 1000


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A finished object.

    Attributes:
        name: `InputObject.relative`.
        uri: Of the input.
        etag: Of the input.
        size: Of the input, in bytes.
        output_etag: Of the result.
        output_size: In bytes.
        records: Of the input.
        failed_records: Of them.
    """

    name: str
    uri: str
    etag: str
    size: int
    output_etag: str
    output_size: int
    records: int
    failed_records: int

    @classmethod
    def of(
        cls, obj: InputObject, result: StoredObject, records: int, failed_records: int
    ) -> LedgerEntry:
        """Of an object whose result was committed."""
        return cls(
            name=obj.relative,
            uri=obj.uri,
            etag=obj.etag,
            size=obj.size,
            output_etag=result.etag,
            output_size=result.size,
            records=records,
            failed_records=failed_records,
        )


_FIELDS = tuple(field.name for field in fields(LedgerEntry))
_attributes = attrgetter(*_FIELDS)
_items = itemgetter(*_FIELDS)
_to_json = json.JSONEncoder(separators=(",", ":")).encode


class Ledger:
    """The finished objects of jobs with one settings digest. Thread-safe.

    What it cannot write costs the next run time and this one nothing: it says so in the log and
    tries again with the next segment.

    Args:
        store: Where the results are.
        digest: `settings_digest`.
        segment_entries: Write a segment when so many objects are finished.
        segment_seconds: Or when the oldest of them has waited so long.
    """

    def __init__(
        self,
        store: OutputStore,
        digest: str,
        segment_entries: int = _SEGMENT_ENTRIES,
        segment_seconds: float = _SEGMENT_SECONDS,
    ) -> None:
        self._store = store
        self._folder = f"{BOOKKEEPING_FOLDER}/{digest}/finished/"
        self._segment_entries = segment_entries
        self._segment_seconds = segment_seconds
        self._pending: list[LedgerEntry] = []
        self._closed = False
        self._changed = threading.Condition()  # guards the two above and the thread
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None

    def finished(self, objects: Sequence[InputObject]) -> dict[int, LedgerEntry]:
        """Which of the objects have nothing left to do; by index, with their entries.

        Raises:
            PipeModeDatasetException: Ledger or results cannot be listed or read.
        """
        entries = self._read()
        if not entries:
            return {}
        known: dict[str, tuple[int, LedgerEntry]] = {}  # by the result's name
        for obj in objects:
            entry = entries.get(obj.uri)
            if entry is not None and _is_of(entry, obj):
                known[output_name(obj)] = obj.index, entry
        return dict(self._with_results(known)) if known else {}

    def _with_results(
        self, known: Mapping[str, tuple[int, LedgerEntry]]
    ) -> Iterator[tuple[int, LedgerEntry]]:
        """Those whose result is what it was."""
        prefix = os.path.commonprefix([*known])  # noqa: RUF071 - it may end in a name
        for stored in self._store.list_stored(prefix):
            index, entry = known.get(stored.name, (-1, None))
            if entry is not None and _is_result_of(stored, entry):
                yield index, entry

    def add(self, entry: LedgerEntry) -> None:
        """Notes a finished object: its result must be committed."""
        with self._changed:
            self._pending.append(entry)
            if self._is_full():
                self._changed.notify()
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="smtf-ledger", daemon=True)
                self._thread.start()

    def flush(self) -> bool:
        """Writes what has been noted; whether nothing is left to write."""
        with self._writing:
            with self._changed:
                entries, self._pending = self._pending, []
            try:
                if entries:
                    self._write(entries)
            except PipeModeDatasetException as error:
                with self._changed:
                    self._pending = entries + self._pending
                _log.warning(
                    "%d finished objects are not in the ledger yet, and would be done again if the "
                    "job was killed now: %s",
                    len(entries),
                    error,
                )
                return False
            return True

    def close(self) -> bool:
        """Writes the last segment; whether all of them could be written. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        return self.flush()

    def _run(self) -> None:
        written = True
        while self._is_open_after_wait(retry=not written):
            written = self.flush()

    def _is_open_after_wait(self, retry: bool) -> bool:
        """Waits for a full segment, for the time of one, or for `close`."""
        with self._changed:
            # What could not be written is full already: no warning for each finished object.
            self._changed.wait_for(
                lambda: self._closed or (self._is_full() and not retry), self._segment_seconds
            )
            return not self._closed

    def _is_full(self) -> bool:
        return len(self._pending) >= self._segment_entries

    def _write(self, entries: Sequence[LedgerEntry]) -> None:
        # In the order of time, so that the latest word on an object is read last. Random, so that
        # two segments never have one name, whoever writes them.
        name = f"{self._folder}{time.time_ns():020d}-{secrets.token_hex(8)}.jsonl"
        lines = (_to_json(dict(zip(_FIELDS, _attributes(entry), strict=True))) for entry in entries)
        self._store.write_small(name, "".join(f"{line}\n" for line in lines).encode())

    def _read(self) -> dict[str, LedgerEntry]:
        """All entries, by the input's URI: of several with one URI the latest segment's."""
        names = sorted(n for n in self._store.list_names(self._folder) if n.endswith(".jsonl"))
        with ThreadPoolExecutor(_READERS, thread_name_prefix="smtf-ledger") as readers:
            segments = readers.map(self._store.read_small, names)
            entries = {e.uri: e for data in segments for e in _entries(data)}
        if len(names) > _MOST_SEGMENTS:
            self._join(names, list(entries.values()))
        return entries

    def _join(self, names: Iterable[str], entries: Sequence[LedgerEntry]) -> None:
        try:
            for begin in range(0, len(entries), _JOINED_ENTRIES):
                self._write(entries[begin : begin + _JOINED_ENTRIES])
            for name in names:
                self._store.delete(name)
        except PipeModeDatasetException as error:
            _log.warning("the ledger's segments cannot be joined, which only costs time: %s", error)


def _entries(segment: bytes) -> Iterator[LedgerEntry]:
    lines = segment.splitlines()
    for begin in range(0, len(lines), _PARSED_LINES):
        for value in _values(lines[begin : begin + _PARSED_LINES]):
            entry = _entry(value)
            if entry is not None:
                yield entry


def _values(lines: Sequence[bytes]) -> list[Any]:
    """What lines hold, all of them parsed at once, unless one of them is not whole."""
    try:
        return list(json.loads(b"[%s]" % b",".join(lines)))
    except ValueError:
        return [value for line in lines for value in _value(line)]


def _value(line: bytes) -> list[Any]:
    try:
        return [json.loads(line)]
    except ValueError:
        return []


def _entry(value: Any) -> LedgerEntry | None:
    """None for what a later version wrote."""
    try:
        return LedgerEntry(*_items(value))
    except (KeyError, TypeError):
        return None


def _is_of(entry: LedgerEntry, obj: InputObject) -> bool:
    seen = (entry.name, entry.etag, entry.size)
    return bool(obj.etag) and seen == (obj.relative, obj.etag, obj.size)


def _is_result_of(stored: StoredObject, entry: LedgerEntry) -> bool:
    if stored.size != entry.output_size:
        return False
    # Not every store puts the same quotes around it in each kind of answer.
    return stored.etag.strip('"') == entry.output_etag.strip('"')
