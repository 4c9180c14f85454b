"""What the kernel and a FUSE server say to each other: linux/fuse.h, protocol 7.31 (Linux 5.2).

Numbers are in the machine's byte order. Only what a file system needs that is read and never
written.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

MAJOR, MINOR = 7, 31
ROOT_NODE = 1

# enum fuse_opcode
LOOKUP = 1
FORGET = 2
GETATTR = 3
OPEN = 14
READ = 15
STATFS = 17
RELEASE = 18
INIT = 26
DESTROY = 38
BATCH_FORGET = 42
READDIRPLUS = 44

# Of INIT.
ASYNC_READ = 1 << 0
DO_READDIRPLUS = 1 << 13
PARALLEL_DIROPS = 1 << 18
MAX_PAGES = 1 << 22
NO_OPENDIR_SUPPORT = 1 << 24
# Of OPEN: what the kernel remembers of the file is still good.
FOPEN_KEEP_CACHE = 1 << 1

# struct fuse_in_header: len, opcode, unique, nodeid, uid, gid, pid, padding
IN_HEADER = struct.Struct("=IIQQIIII")
# struct fuse_out_header: len, error, unique
OUT_HEADER = struct.Struct("=IiQ")
# struct fuse_init_in: major, minor, max_readahead, flags; more follows.
INIT_IN = struct.Struct("=IIII")
# struct fuse_init_out: major, minor, max_readahead, flags, max_background, congestion_threshold,
# max_write, time_gran, max_pages, and 34 bytes that are not used here.
INIT_OUT = struct.Struct("=IIIIHHIIH34x")
# struct fuse_attr: ino, size, blocks, atime, mtime, ctime, their nanoseconds, mode, nlink, uid,
# gid, rdev, blksize, flags
ATTR = struct.Struct("=QQQQQQIIIIIIIIII")
# struct fuse_entry_out before its fuse_attr: nodeid, generation, entry_valid, attr_valid, their
# nanoseconds
ENTRY = struct.Struct("=QQQQII")
# struct fuse_attr_out before its fuse_attr: attr_valid, its nanoseconds, padding
ATTR_OUT = struct.Struct("=QII")
# struct fuse_open_out: fh, open_flags, padding
OPEN_OUT = struct.Struct("=QII")
# struct fuse_read_in: fh, offset, size; more follows. RELEASE begins with fh too.
READ_IN = struct.Struct("=QQI")
FH_IN = struct.Struct("=Q")
# struct fuse_dirent before the name: ino, off, namelen, type
DIRENT = struct.Struct("=QQII")
# struct fuse_kstatfs: blocks, bfree, bavail, files, ffree, bsize, namelen, frsize, padding
STATFS_OUT = struct.Struct("=QQQQQIIII24x")


@dataclass(frozen=True)
class Request:
    """What the kernel wants.

    Attributes:
        opcode: Of `enum fuse_opcode`.
        unique: Which request the answer is of.
        node: Of the file or folder.
        body: What follows the header.
    """

    opcode: int
    unique: int
    node: int
    body: memoryview


def parse_request(message: memoryview) -> Request:
    """Takes a message apart."""
    length, opcode, unique, node, *_ = IN_HEADER.unpack_from(message)
    return Request(opcode, unique, node, message[IN_HEADER.size : length])


def directory_entry(entry: bytes, node: int, following: int, kind: int, name: bytes) -> bytes:
    """A struct fuse_direntplus.

    Args:
        entry: The struct fuse_entry_out of the file.
        node: Its number.
        following: Where a listing goes on after it.
        kind: The file type bits of its mode, as in readdir(3): `stat.S_IFMT(mode) >> 12`.
        name: Of the file.
    """
    padding = -len(name) % 8
    return entry + DIRENT.pack(node, following, len(name), kind) + name + bytes(padding)
