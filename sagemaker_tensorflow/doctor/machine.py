"""The machine: cores, memory, pipes, the temporary directory, open files."""

from __future__ import annotations

import os
import re
import resource
import shutil
import tempfile
from pathlib import Path

from sagemaker_tensorflow.doctor.check import Check, ok, problem, warning
from sagemaker_tensorflow.doctor.units import binary_size
from sagemaker_tensorflow.prefetch_config import PrefetchConfig

# What the engine may find at run time (csrc/prefetch/transfer_tuner.h), with two sockets each
# while one is closed and its successor opened, and room for Python, boto3 and the pipes.
_MOST_CONNECTIONS = 64
_OPEN_FILES = 2 * _MOST_CONNECTIONS + 64
# Pipes, outcomes and state take kilobytes.
_TEMPORARY_BYTES = 1 << 20
# The two versions of control groups.
_MEMORY_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def check_machine() -> list[Check]:
    """All of it but the pipes."""
    return [_check_cores(), _check_memory(), _check_temporary_directory(), check_open_files()]


def _check_cores() -> Check:
    usable, present = len(os.sched_getaffinity(0)), os.cpu_count() or 1
    found = f"{usable}" if usable == present else f"{usable} of {present}"
    return ok("cores", f"{found}, load {os.getloadavg()[0]:.1f}", cores=usable)


def _check_memory() -> Check:
    meminfo = Path("/proc/meminfo").read_text()
    total, available = (_kilobytes(meminfo, name) for name in ("MemTotal", "MemAvailable"))
    limit = _control_group_limit()
    budget = PrefetchConfig().memory_bytes
    return judge_memory(total, available, limit, budget)


def judge_memory(total: int, available: int, limit: int | None, budget: int) -> Check:
    """Whether the prefetcher's default budget fits; all in bytes.

    Args:
        total: Of the machine.
        available: Of that, without swapping.
        limit: Of the container, if it has one.
        budget: What part buffers may take.
    """
    found = f"{binary_size(available)} available of {binary_size(total)}"
    if limit is not None and limit < total:
        found += f", the container's limit is {binary_size(limit)}"
        available = min(available, limit)
    found += f"; the prefetcher's buffers take up to {binary_size(budget)}"
    numbers = {"available_bytes": available, "budget_bytes": budget}
    # TensorFlow and the training data need some, too.
    if available < 2 * budget:
        return warning("memory", found, "lower memory_bytes (--memory-bytes)", **numbers)
    return ok("memory", found, **numbers)


def _kilobytes(meminfo: str, name: str) -> int:
    match = re.search(rf"^{name}:\s+(\d+) kB", meminfo, re.MULTILINE)
    return int(match[1]) * 1024 if match else 0


def _control_group_limit() -> int | None:
    for path in _MEMORY_LIMITS:
        try:
            return int(path.read_text())
        except (OSError, ValueError):  # not there; "max"
            continue
    return None


def _check_temporary_directory() -> Check:
    """Makes a FIFO there, as not every file system has them."""
    name = "temporary"
    advice = "point TMPDIR at a local directory that may be written, or pass pipe_dir (--pipe-dir)"
    try:
        with tempfile.TemporaryDirectory(prefix="smtf-doctor-") as directory:
            os.mkfifo(Path(directory, "fifo"), 0o600)
            free = shutil.disk_usage(directory).free
            place = Path(directory).parent
    except OSError as error:
        return problem(name, f"no named pipe can be made: {error}", advice)
    found = f"named pipes can be made in {place}, {binary_size(free)} free"
    if free < _TEMPORARY_BYTES:
        return problem(name, found, advice, free_bytes=free)
    return ok(name, found, free_bytes=free)


def check_open_files() -> Check:
    """Whether the limit on open files leaves room for the connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    found = f"{_limit(soft)} (hard limit {_limit(hard)}); up to {_MOST_CONNECTIONS} connections"
    if soft != resource.RLIM_INFINITY and soft < _OPEN_FILES:
        return warning(
            "open files",
            found,
            f"raise it to {_OPEN_FILES} or more with ulimit -n, or lower connections",
        )
    return ok("open files", found)


def _limit(value: int) -> str:
    return "unlimited" if value == resource.RLIM_INFINITY else str(value)
