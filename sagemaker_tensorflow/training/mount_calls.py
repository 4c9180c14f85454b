"""Linux's calls for a process's own view of the file system: unshare(2), mount(2), umount2(2).

Through ctypes, as in `descendants`: Python has `os.unshare` from 3.12 on, and never had a mount.
The commands of util-linux would not do: a namespace is entered by the process that asks for it, and
here that is one which is running already.
"""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

# linux/sched.h
CLONE_NEWNS = 0x0002_0000
CLONE_NEWUSER = 0x1000_0000
# linux/mount.h
MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_BIND = 0x1000
MS_REC = 0x4000
MS_SLAVE = 0x8_0000
_MNT_DETACH = 2

_libc = ctypes.CDLL(None, use_errno=True)
# The defaults of ctypes would cut the flags to an int.
_libc.mount.argtypes = (
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_ulong,
    ctypes.c_char_p,
)


def unshare(flags: int) -> None:
    """Gives this process namespaces of its own. It must have one thread.

    Raises:
        OSError: The kernel, or what guards it, does not allow it.
    """
    try:
        _check(_libc.unshare(flags), "unshare")
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        limits = "a limit of namespaces(7) in /proc/sys/user is reached"
        raise OSError(errno.ENOSPC, f"unshare: {limits}") from None


def map_ids(uid: int, gid: int) -> None:
    """In a new user namespace: who this process was outside, it is here. Nobody else is known.

    user_namespaces(7): an unprivileged process may map one user and one group, its own, and the
    group only once it has given up setgroups(2).

    Args:
        uid: As it was before; until this is called, getuid(2) does not know.
        gid: The same of its group.
    """
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        Path("/proc/self", name).write_text(text)


def mount(
    source: str | Path, target: str | Path, kind: str = "none", flags: int = 0, options: str = ""
) -> None:
    """Mounts a file system.

    Raises:
        OSError: It cannot be; names the target.
    """
    status = _libc.mount(
        os.fsencode(source), os.fsencode(target), kind.encode(), flags, options.encode()
    )
    _check(status, f"mount {kind}" if kind != "none" else "mount", target)


def bind(source: str | Path, target: str | Path) -> None:
    """Shows a file or folder, with what is mounted in it, at another place too."""
    mount(source, target, flags=MS_BIND | MS_REC)


def detach(target: str | Path) -> None:
    """Unmounts, for everybody who does not use it any more."""
    _check(_libc.umount2(os.fsencode(target), _MNT_DETACH), "umount", target)


def _check(status: int, call: str, path: str | Path | None = None) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}", None if path is None else str(path))
