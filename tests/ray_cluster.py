"""A Ray cluster on this machine whose nodes can be killed, as a test holds it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator

from tests.pipes import PATIENCE_SECONDS


class RayCluster:
    """ray_nodes.py, in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._orders, self._answers = process.stdin, process.stdout
        self.address = self._answers.readline().strip()
        assert self.address, "the cluster did not start"

    def kill_a_node(self, ids: Iterable[str] = ()) -> None:
        """Any but the head, or one whose id begins with one of these."""
        self._orders.write(f"{' '.join(ids)}\n")
        self._orders.flush()
        assert self._answers.readline() == "killed\n"


@contextlib.contextmanager
def ray_cluster(nodes: int) -> Iterator[RayCluster]:
    """Its nodes have this process's environment: find its S3, and its temporary directory."""
    command = [sys.executable, "-m", "tests.ray_nodes", str(nodes)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    # Ray's own files have to have short names, as sockets are among them.
    env = {**os.environ, "RAY_TMPDIR": "/tmp"}
    with subprocess.Popen(command, text=True, env=env, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield RayCluster(process)
        finally:
            process.communicate(timeout=PATIENCE_SECONDS)
