"""The GPUs of this machine, and how hosts that share it share them."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Sequence

# What CUDA reads ("CUDA C++ Programming Guide", CUDA Environment Variables).
VISIBLE_DEVICES = "CUDA_VISIBLE_DEVICES"
_NVIDIA_SECONDS = 20.0


def visible_gpus() -> tuple[str, ...]:
    """The ids of those that CUDA shows to this process and its children."""
    found = _gpu_count()
    visible = os.environ.get(VISIBLE_DEVICES)
    if visible is None:
        return tuple(map(str, range(found)))
    ids = [each.strip() for each in visible.split(",")]
    # An invalid id hides those behind it.
    return tuple(itertools.takewhile(lambda each: each not in ("", "-1"), ids))[:found]


def shares_of_gpus(gpus: Sequence[str], hosts: int) -> list[tuple[str, ...] | None]:
    """Deals GPUs out to hosts.

    Processes that compute on one GPU take each other's memory, and NCCL refuses them.

    Args:
        gpus: Their ids.
        hosts: How many hosts there are.

    Returns:
        The ids of each; None for all where there are fewer GPUs than hosts, or one host.
    """
    if hosts == 1 or len(gpus) < hosts:
        return [None] * hosts
    return [tuple(gpus[index::hosts]) for index in range(hosts)]


def _gpu_count() -> int:
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--list-gpus"],
            capture_output=True,
            text=True,
            timeout=_NVIDIA_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())
