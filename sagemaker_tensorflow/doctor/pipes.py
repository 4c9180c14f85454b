"""How much a pipe holds here, which decides how fast a named pipe is."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from sagemaker_tensorflow.doctor.check import Check, ok, warning
from sagemaker_tensorflow.doctor.units import binary_size

# Linux's default for /proc/sys/fs/pipe-max-size.
_USUAL_BYTES = 1 << 20
_SETTINGS = Path("/proc/sys/fs")


def check_pipes() -> Check:
    """Asks for a pipe as large as the limit says, as both ends of the prefetcher's pipes do."""
    largest = _setting("pipe-max-size") or _USUAL_BYTES
    soft_pages = _setting("pipe-user-pages-soft")
    return judge_pipes(_granted(largest), largest, soft_pages)


def judge_pipes(granted: int, largest: int, soft_pages: int | None) -> Check:
    """Whether pipes are as large as they may be.

    Args:
        granted: What a pipe got, in bytes.
        largest: /proc/sys/fs/pipe-max-size, in bytes.
        soft_pages: /proc/sys/fs/pipe-user-pages-soft; 0 is no limit.
    """
    found = f"{binary_size(granted)} each; pipe-max-size {binary_size(largest)}"
    if soft_pages is not None:
        found += f", pipe-user-pages-soft {soft_pages or 'unlimited'}"
    numbers = {"pipe_bytes": granted}
    if granted >= min(largest, _USUAL_BYTES) and largest >= _USUAL_BYTES:
        return ok("pipes", found, **numbers)
    if granted >= largest:
        advice = f"raise the limit: sysctl fs.pipe-max-size={_USUAL_BYTES}"
    else:
        advice = (
            "this user's other pipes use up fs.pipe-user-pages-soft: close some, or raise it with "
            "sysctl"
        )
    return warning("pipes", f"{found}: small pipes are slow", advice, **numbers)


def _setting(name: str) -> int | None:
    try:
        return int((_SETTINGS / name).read_text())
    except (OSError, ValueError):
        return None


def _granted(largest: int) -> int:
    """Halves its wish until it is granted, as csrc/pipe/pipe_size.cc does."""
    reader, writer = os.pipe()
    try:
        size = fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)
        wanted = largest
        while wanted > size:
            try:
                return fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, wanted)
            except OSError:
                wanted //= 2
        return size
    finally:
        os.close(reader)
        os.close(writer)
