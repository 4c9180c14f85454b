"""One mounted FUSE file system, served from its /dev/fuse descriptor.

Without libfuse: a file system that is only read needs nine of the protocol's requests, and the
mount is made by who starts the server (see `fuse_mount`).
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from sagemaker_tensorflow.training.fast_file import fuse_wire as wire
from sagemaker_tensorflow.training.fast_file.tree import FileTree

# Nothing changes while it is mounted, so what the kernel knows of names and sizes stays good.
_VALID_SECONDS = 1 << 30
_BLOCK_BYTES = 4096
# More than a request can have: names of 255 bytes, and as we never take a write, 4 KiB of that.
_REQUEST_BYTES = 64 << 10
_MOST_PAGES = 256
# Reads ahead that the kernel has under way at a time, of all files together.
_MOST_READS_AHEAD = 64
_FLAGS = (
    wire.ASYNC_READ
    | wire.DO_READDIRPLUS
    | wire.PARALLEL_DIROPS
    | wire.MAX_PAGES
    | wire.NO_OPENDIR_SUPPORT
)

# Gets the bytes, in pieces, or the number of an error.
ReadAnswer = Callable[[Sequence[memoryview] | int], None]


class FileReader(Protocol):
    """What gives the files' bytes. `read` is called by one thread; `answer` by any, once."""

    def open(self, node: int) -> int:
        """Begins to read a file; returns a number for it."""

    def read(self, handle: int, offset: int, size: int, answer: ReadAnswer) -> None:
        """Asks for bytes of a file, of which there are fewer at its end. Does not block."""

    def close(self, handle: int) -> None:
        """The file is not read any more."""


class FuseSession:
    """Answers the kernel.

    Args:
        fuse_fd: Of a mount.
        tree: Which files there are.
        reader: Gives their bytes.
    """

    def __init__(self, fuse_fd: int, tree: FileTree, reader: FileReader) -> None:
        self._fd = fuse_fd
        self._tree = tree
        self._reader = reader
        self._owner = (os.geteuid(), os.getegid())
        self._mounted_at = int(time.time())
        self._handlers: dict[int, Callable[[wire.Request], bytes | None]] = {
            wire.INIT: self._init,
            wire.LOOKUP: self._lookup,
            wire.GETATTR: self._getattr,
            wire.READDIRPLUS: self._readdirplus,
            wire.OPEN: self._open,
            wire.READ: self._read,
            wire.RELEASE: self._release,
            wire.STATFS: self._statfs,
            # Nodes are never given up, so it does not matter which the kernel still knows.
            wire.FORGET: lambda _: None,
            wire.BATCH_FORGET: lambda _: None,
        }

    def serve(self) -> None:
        """Returns when it is unmounted."""
        buffer = bytearray(_REQUEST_BYTES)
        while True:
            try:
                count = os.readv(self._fd, [buffer])
            except OSError as error:
                if error.errno == errno.ENODEV:
                    return
                if error.errno == errno.ENOENT:  # who asked was killed
                    continue
                raise
            self._serve_request(wire.parse_request(memoryview(buffer)[:count]))

    def _serve_request(self, request: wire.Request) -> None:
        handler = self._handlers.get(request.opcode)
        if handler is None:
            # Of most requests the kernel understands that it need not send another. Of an
            # INTERRUPT too: reads are waited for as those of a disk are.
            self._answer(request.unique, errno.ENOSYS)
            return
        try:
            body = handler(request)
        except OSError as error:
            self._answer(request.unique, error.errno or errno.EIO)
            return
        if body is not None:
            self._answer(request.unique, [memoryview(body)])

    def _answer(self, unique: int, answer: Sequence[memoryview] | int) -> None:
        pieces: list[bytes | memoryview]
        if isinstance(answer, int):
            pieces = [wire.OUT_HEADER.pack(wire.OUT_HEADER.size, -answer, unique)]
        else:
            size = wire.OUT_HEADER.size + sum(map(len, answer))
            pieces = [wire.OUT_HEADER.pack(size, 0, unique), *answer]
        try:
            os.writev(self._fd, pieces)
        except OSError as error:
            # Nobody waits any more, or it is unmounted.
            if error.errno not in (errno.ENOENT, errno.ENODEV):
                raise

    def _init(self, request: wire.Request) -> bytes:
        _, _, max_readahead, offered = wire.INIT_IN.unpack_from(request.body)
        return wire.INIT_OUT.pack(
            wire.MAJOR,
            wire.MINOR,
            max_readahead,
            offered & _FLAGS,
            _MOST_READS_AHEAD,
            _MOST_READS_AHEAD,
            _BLOCK_BYTES,  # the least that a write may have; there are none
            1,
            _MOST_PAGES,
        )

    def _lookup(self, request: wire.Request) -> bytes:
        name = bytes(request.body).rstrip(b"\0")
        node = self._tree.find(request.node, name)
        if node is None:  # which the kernel may remember too
            return wire.ENTRY.pack(0, 0, _VALID_SECONDS, 0, 0, 0) + bytes(wire.ATTR.size)
        return self._entry(node)

    def _entry(self, node: int) -> bytes:
        return wire.ENTRY.pack(node, 0, _VALID_SECONDS, _VALID_SECONDS, 0, 0) + self._attr(node)

    def _attr(self, node: int) -> bytes:
        folder = self._tree.is_folder(node)
        size = 0 if folder else self._tree.object(node).size
        at = self._mounted_at
        mode = stat.S_IFDIR | 0o555 if folder else stat.S_IFREG | 0o444
        blocks = -(-size // 512)
        times = (at, at, at, 0, 0, 0)
        links = 1  # of folders too: 2 would say that there is no folder in it
        return wire.ATTR.pack(
            node, size, blocks, *times, mode, links, *self._owner, 0, _BLOCK_BYTES, 0
        )

    def _getattr(self, request: wire.Request) -> bytes:
        return wire.ATTR_OUT.pack(_VALID_SECONDS, 0, 0) + self._attr(request.node)

    def _readdirplus(self, request: wire.Request) -> bytes:
        _, offset, most = wire.READ_IN.unpack_from(request.body)
        entries = bytearray()
        for following, name in self._tree.names(request.node, offset):
            node = self._tree.find(request.node, name)
            assert node is not None  # noqa: S101 - for mypy
            kind = (stat.S_IFDIR if self._tree.is_folder(node) else stat.S_IFREG) >> 12
            entry = wire.directory_entry(self._entry(node), node, following, kind, name)
            if len(entries) + len(entry) > most:
                break
            entries += entry
        return bytes(entries)

    def _open(self, request: wire.Request) -> bytes:
        handle = self._reader.open(request.node)
        return wire.OPEN_OUT.pack(handle, wire.FOPEN_KEEP_CACHE, 0)

    def _read(self, request: wire.Request) -> None:
        handle, offset, size = wire.READ_IN.unpack_from(request.body)
        unique = request.unique
        self._reader.read(handle, offset, size, lambda answer: self._answer(unique, answer))

    def _release(self, request: wire.Request) -> bytes:
        (handle,) = wire.FH_IN.unpack_from(request.body)
        self._reader.close(handle)
        return b""

    def _statfs(self, _: wire.Request) -> bytes:
        blocks = -(-self._tree.total_bytes // _BLOCK_BYTES)
        files = len(self._tree)
        return wire.STATFS_OUT.pack(blocks, 0, 0, files, 0, _BLOCK_BYTES, 255, _BLOCK_BYTES, 0)
