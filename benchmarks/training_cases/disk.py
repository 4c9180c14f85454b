"""A disk of a given rate: a file system on a loop device that the kernel holds to it.

The block layer holds the device (cgroup v1, blkio.throttle, in the root group, where the kernel's
own write-back is counted), and the page cache stays before it. So a job finds what an instance
with an EBS volume has: writes return at once until the kernel has too much that is not written,
and what was written lately is read from memory.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CGROUP = Path("/sys/fs/cgroup/blkio")
_LIMITS = ("write", "read")
# Of a file system, beside the files.
_OVERHEAD_BYTES = 1 << 30
_PROBE_BYTES = 512 << 20


@dataclass(frozen=True)
class Disk:
    """Where jobs put their files.

    Attributes:
        path: A folder.
        mb_per_second: What it is held to; None if it is not held.
        why_not: It is not held, as the reason says.
    """

    path: Path
    mb_per_second: float | None = None
    why_not: str = ""

    def described(self) -> dict[str, Any]:
        """As JSON, with the rate at which 512 MiB were written past the page cache just now."""
        return {
            "held_to_mb_per_second": self.mb_per_second,
            **({"why_not": self.why_not} if self.why_not else {}),
            "written_mb_per_second": self._written_mb_per_second(),
        }

    def flush(self) -> None:
        """Waits until nothing is left to be written: the next job begins with an idle disk."""
        subprocess.run(["sync", "--file-system", self.path], check=True)

    def _written_mb_per_second(self) -> float:
        probe = self.path / "probe"
        block = mmap.mmap(-1, 1 << 20)  # as O_DIRECT wants it: at the beginning of a page
        file = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_DIRECT)
        begin = time.monotonic()
        for _ in range(_PROBE_BYTES // len(block)):
            os.write(file, block)
        seconds = time.monotonic() - begin
        os.close(file)
        probe.unlink()
        return _PROBE_BYTES / 1e6 / seconds


@contextlib.contextmanager
def disk_of(mb_per_second: float, size: int) -> Iterator[Disk]:
    """A disk for the block: one that is held where this machine can do that, a plain folder else.

    Args:
        mb_per_second: Of writes, and of reads; 1e6 bytes. 0 holds nothing.
        size: Of all files on it, in bytes.
    """
    why_not = _why_not(mb_per_second)
    directory = Path(tempfile.mkdtemp(prefix="smtf-bench-disk-"))
    try:
        free = shutil.disk_usage(directory).free
        if free < size + 2 * _OVERHEAD_BYTES:
            raise OSError(
                f"{directory.parent} has {free / 1e9:.1f} GB, {size / 1e9:.1f} are needed"
            )
        if why_not:
            yield Disk(directory, why_not=why_not)
        else:
            with _mounted(directory, mb_per_second, size + _OVERHEAD_BYTES) as path:
                yield Disk(path, mb_per_second)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _why_not(mb_per_second: float) -> str:
    if not mb_per_second:
        return "nobody asked for it"
    if os.geteuid() != 0:
        return "loop devices and limits of disks need root"
    if not all((_CGROUP / f"blkio.throttle.{name}_bps_device").exists() for name in _LIMITS):
        return f"there is no {_CGROUP}/blkio.throttle.*: the kernel has no blkio of cgroup v1"
    return ""


@contextlib.contextmanager
def _mounted(directory: Path, mb_per_second: float, size: int) -> Iterator[Path]:
    image, path = directory / "image", directory / "disk"
    path.mkdir()
    with image.open("wb") as file:
        file.truncate(size)
    with contextlib.ExitStack() as stack:
        # Past the page cache of the image: there is only one of a real disk.
        device = _run("losetup", "--find", "--show", "--direct-io=on", image)
        stack.callback(_run, "losetup", "--detach", device)
        _run("mkfs.ext4", "-q", "-m", "0", "-T", "largefile4", "-E", "nodiscard", device)
        number = Path(f"/sys/block/{Path(device).name}/dev").read_text().strip()
        stack.callback(_limit, number, 0)
        _limit(number, round(mb_per_second * 1e6))
        _run("mount", "-o", "noatime", device, path)
        # Lazy, as a job that was broken off may still be cleaning up.
        stack.callback(_run, "umount", "--lazy", path)
        yield path


def _limit(number: str, bytes_per_second: int) -> None:
    """0 takes the limits away."""
    for name in _LIMITS:
        limit = _CGROUP / f"blkio.throttle.{name}_bps_device"
        limit.write_text(f"{number} {bytes_per_second}")


def _run(*command: str | os.PathLike[str]) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
