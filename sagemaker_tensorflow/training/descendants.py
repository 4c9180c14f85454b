"""All processes that come from one, also those that have cut themselves loose (Linux).

A process that is its descendants' subreaper gets those whose own parent has ended, whatever
sessions and groups they made: prctl(2), PR_SET_CHILD_SUBREAPER. So they can be found, and ended.

Once that process is gone nobody has them. What it had in its environment, they still have.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

# A variable whose value is that of one process, and of those that come from it.
MARK = "SAGEMAKER_TENSORFLOW_MARK"

# linux/prctl.h
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

_AGAIN_SECONDS = 0.005
# Killed processes are gone in milliseconds, unless they wait for a disk or network drive.
_MOST_SECONDS = 10.0

_libc = ctypes.CDLL(None, use_errno=True)


def adopt_descendants() -> None:
    """Makes this process the parent of all descendants whose own parent ends."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Has this process killed when the thread that started it ends; for a fresh child."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def descendants() -> list[int]:
    """The ids of all that live, children and children's children."""
    children = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (parent := _living_parent(entry)):
            children[parent].append(int(entry.name))
    found = list(children[os.getpid()])
    for pid in found:  # grows while it is walked
        found += children[pid]
    return found


def _living_parent(entry: Path) -> int:
    """The parent's id; 0 of a process that has ended."""
    try:
        # proc(5): pid (name) state ppid ..., where the name may hold anything.
        fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in (b"Z", b"X") else int(fields[1])


def kill_descendants(reap: Callable[[], None]) -> None:
    """Kills them until none is left, also those that are started meanwhile.

    Args:
        reap: Waits for the children that have ended, without blocking.
    """
    deadline = time.monotonic() + _MOST_SECONDS
    while (left := descendants()) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_AGAIN_SECONDS)
        reap()
    reap()


def kill_marked(value: str, spare: int) -> None:
    """Kills processes by the value of `MARK` that they began with, until none is left.

    Args:
        value: Of theirs; no other run of anything has the same.
        spare: Not this one.
    """
    deadline = time.monotonic() + _MOST_SECONDS
    looks = 0  # without finding one: a process that is about to run a program has no environment
    while looks < 2 and time.monotonic() < deadline:
        found = [pid for pid in _marked(f"{MARK}={value}".encode()) if pid != spare]
        looks = 0 if found else looks + 1
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_AGAIN_SECONDS)


def _marked(variable: bytes) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            if variable in path.read_bytes().split(b"\0"):
                yield int(path.parent.name)
