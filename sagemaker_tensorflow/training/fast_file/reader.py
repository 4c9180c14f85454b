"""Reads files in FastFile mode: what is asked for, and more where a file is read from front to end.

Every place of a file that is being read is a stream: ranges of the object, one behind the other,
some of them ahead of the reader. A stream begins with one short range, and looks ahead by twice
what was read of it, so that a reader who jumps costs little, and one who does not finds everything
ready. What was read is left to the kernel's page cache.
"""

from __future__ import annotations

import errno
import itertools
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from sagemaker_tensorflow.errors import PermissionDeniedError, PipeModeDatasetException
from sagemaker_tensorflow.training.fast_file.fetches import Range
from sagemaker_tensorflow.training.fast_file.fuse_session import ReadAnswer
from sagemaker_tensorflow.training.fast_file.tree import FileObject, FileTree

_KIB, _MIB = 1 << 10, 1 << 20
# A range as small as this takes little longer than its first byte.
_FIRST_BYTES = 256 * _KIB
_MOST_RANGE_BYTES = 8 * _MIB
# One for each of the 16 connections that there are at most: half a second of 85 MB/s from each.
_MOST_AHEAD_BYTES = 128 * _MIB
# Objects of this size are read as a whole, and so are verified.
_WHOLE_BYTES = _MIB
# The kernel reads 128 KiB ahead by itself, so reads of a file that is read in order come out of
# order by less than this.
_BEHIND_BYTES = 256 * _KIB
_MOST_STREAMS = 4  # of an open file, which threads or a memory map may read in several places
# After an error the kernel asks again, page by page.
_FAILURE_SECONDS = 5.0


class RangeFetches(Protocol):
    """Where ranges are asked for: `Fetches`."""

    def ask(self, file_object: FileObject, wanted: Range, awaited: bool) -> None:
        """Has a range fetched, and says so when it is done. Does not block."""


class _Stream:
    """One place of an open file that is being read."""

    def __init__(self, begin: int) -> None:
        self.begin = begin
        self.end = begin
        self.ranges: deque[Range] = deque()

    def holds(self, offset: int) -> bool:
        first = self.ranges[0].begin if self.ranges else self.end
        return first <= offset <= self.end


class _OpenFile:
    def __init__(self, file_object: FileObject) -> None:
        self.object = file_object
        self.streams: list[_Stream] = []  # the one that was read longest ago first


class _Read(NamedTuple):
    handle: int
    offset: int
    size: int
    answer: ReadAnswer


class FastFileReader:
    """Gives a `FuseSession` the bytes of a tree's files.

    What is fetched and was not read yet takes no more than a bound, but for ranges that somebody
    waits for.

    Attributes:
        used_bytes: In ranges that are here or on their way.

    Args:
        tree: The files.
        fetches: Makes what fetches; is given what is to be called with each range when it is done,
            from any thread but not by `ask`.
        memory_bytes: The bound.
        report: Is told of every object that cannot be read, once for each thing it suffers from.
    """

    def __init__(
        self,
        tree: FileTree,
        fetches: Callable[[Callable[[Range], None]], RangeFetches],
        memory_bytes: int,
        report: Callable[[str], None],
    ) -> None:
        self._tree = tree
        self._memory_bytes = memory_bytes
        self._report = report
        self._fetches = fetches(self._on_done)
        self._handles = itertools.count(1)
        self._lock = threading.Lock()
        self._files: dict[int, _OpenFile] = {}
        self.used_bytes = 0
        # The one that was read longest ago first.
        self._streams: OrderedDict[_Stream, _OpenFile] = OrderedDict()
        self._awaited: dict[Range, list[_Read]] = {}
        self._failures: dict[str, tuple[float, int]] = {}
        self._reported: set[tuple[str, type[Exception]]] = set()

    def open(self, node: int) -> int:
        """Begins to read a file; fetches nothing yet."""
        handle = next(self._handles)
        with self._lock:
            self._files[handle] = _OpenFile(self._tree.object(node))
        return handle

    def close(self, handle: int) -> None:
        """Gives up what was fetched ahead."""
        with self._lock:
            for stream in list(self._files.pop(handle).streams):
                self._give_up(stream)

    def read(self, handle: int, offset: int, size: int, answer: ReadAnswer) -> None:
        """Answers at once if the bytes are there, otherwise when they come."""
        with self._lock:
            found = self._find(_Read(handle, offset, size, answer))
        if found is not None:
            answer(found)

    def _find(self, read: _Read) -> list[memoryview] | int | None:
        """The bytes, or an error; None if they are awaited now."""
        file = self._files[read.handle]
        end = min(read.offset + read.size, file.object.size)
        if read.offset >= end:
            return []
        until, number = self._failures.get(file.object.name, (0.0, 0))
        if time.monotonic() < until:
            return number
        stream = self._stream_at(file, read.offset)
        while stream.end < end:
            self._extend(stream, file.object, awaited=True)
        wanted = [r for r in stream.ranges if r.begin < end and r.end > read.offset]
        for one in wanted:
            if one.error is not None:
                return self._fail(file, stream, one.error)
            if not one.done:
                self._awaited.setdefault(one, []).append(read)
                return None
        pieces = [
            memoryview(one.data)[max(read.offset - one.begin, 0) : end - one.begin]
            for one in wanted
            if one.data is not None
        ]
        self._forget_before(stream, read.offset - _BEHIND_BYTES)
        self._look_ahead(stream, file.object, end)
        return pieces

    def _stream_at(self, file: _OpenFile, offset: int) -> _Stream:
        for stream in file.streams:
            if stream.holds(offset):
                file.streams.remove(stream)
                file.streams.append(stream)
                self._streams.move_to_end(stream)
                return stream
        if len(file.streams) >= _MOST_STREAMS:
            idle = [s for s in file.streams if not self._is_awaited(s)]
            if idle:
                self._give_up(idle[0])
        stream = _Stream(offset)
        file.streams.append(stream)
        self._streams[stream] = file
        return stream

    def _extend(self, stream: _Stream, file_object: FileObject, awaited: bool) -> bool:
        """Adds a range at the stream's end; False if there is no room, and nobody waits for it."""
        size = _FIRST_BYTES
        if stream.ranges:
            last = stream.ranges[-1]
            most = min(_MOST_RANGE_BYTES, max(self._share() // 2, _FIRST_BYTES))
            size = min(2 * (last.end - last.begin), most)
        if stream.end == 0 and file_object.size <= _WHOLE_BYTES:
            size = _WHOLE_BYTES
        size = min(size, file_object.size - stream.end)
        if not self._make_room(size, stream) and not awaited:
            return False
        added = Range(stream.end, stream.end + size)
        stream.ranges.append(added)
        stream.end = added.end
        self.used_bytes += size
        self._fetches.ask(file_object, added, awaited)
        return True

    def _look_ahead(self, stream: _Stream, file_object: FileObject, position: int) -> None:
        consumed = position - stream.begin
        if consumed <= _FIRST_BYTES:
            return
        ahead = min(2 * consumed, _MOST_AHEAD_BYTES, self._share())
        target = min(position + ahead, file_object.size)
        while stream.end < target and self._extend(stream, file_object, awaited=False):
            pass

    def _share(self) -> int:
        """How far ahead each stream may look, so that none takes what another has fetched.

        A range is half of that at most; one may be behind the reader, one where he reads, and one
        stick out ahead.
        """
        memory = self._memory_bytes // len(self._streams)
        return max(memory // 4, memory - 3 * _MOST_RANGE_BYTES)

    def _make_room(self, size: int, keep: _Stream) -> bool:
        if self.used_bytes + size <= self._memory_bytes:
            return True
        for stream in list(self._streams):
            if stream is not keep and not self._is_awaited(stream):
                self._give_up(stream)
            if self.used_bytes + size <= self._memory_bytes:
                return True
        return False

    def _is_awaited(self, stream: _Stream) -> bool:
        return any(one in self._awaited for one in stream.ranges)

    def _forget_before(self, stream: _Stream, offset: int) -> None:
        while stream.ranges and stream.ranges[0].end <= offset:
            self._drop(stream.ranges.popleft())

    def _give_up(self, stream: _Stream) -> None:
        for one in stream.ranges:
            self._drop(one)
        self._streams.pop(stream).streams.remove(stream)

    def _drop(self, one: Range) -> None:
        one.wanted = False
        if one.settled:  # otherwise its memory is in use until it is
            self.used_bytes -= one.end - one.begin

    def _on_done(self, one: Range) -> None:
        with self._lock:
            one.settled = True
            if not one.wanted:
                self.used_bytes -= one.end - one.begin
            reads = self._awaited.pop(one, [])
        for read in reads:
            self.read(*read)

    def _fail(self, file: _OpenFile, stream: _Stream, error: PipeModeDatasetException) -> int:
        number = errno.EACCES if isinstance(error, PermissionDeniedError) else errno.EIO
        self._give_up(stream)
        self._failures[file.object.name] = (time.monotonic() + _FAILURE_SECONDS, number)
        trouble = (file.object.name, type(error))
        if trouble not in self._reported:
            self._reported.add(trouble)
            self._report(str(error))
        return number
