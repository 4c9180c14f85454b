"""A job's script as its owner sees it: it is started, watched and ended through a `warden`."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagemaker_tensorflow.errors import InternalError, error_of_kind
from sagemaker_tensorflow.json_lines import JsonLines
from sagemaker_tensorflow.module_command import module_command
from sagemaker_tensorflow.training.descendants import MARK, kill_marked
from sagemaker_tensorflow.training.job_output import JobOutput

# What the warden may take to kill what is left and to end. It gives up on a process that cannot be
# killed after 10 s.
_END_SECONDS = 15.0


@dataclass(frozen=True)
class ScriptCommand:
    """How a script is run.

    Attributes:
        argv: The command.
        variables: Of its environment, beside those that this process has.
        cwd: Its current directory.
    """

    argv: tuple[str, ...]
    variables: Mapping[str, str]
    cwd: Path


class ScriptProcess:
    """A script, with whatever it starts. A context manager; at its end nothing of it runs.

    If this process dies instead, however, the same happens, `directory` is removed, and what is
    half uploaded is taken back.

    Args:
        directory: Of the job's files.
        output: Of the job.

    Attributes:
        life_fd: For processes of this one that write to `directory`: it is removed once nobody
            holds this file descriptor any more.
    """

    def __init__(self, directory: Path, output: JobOutput) -> None:
        self._send_lock = threading.Lock()
        self._group = 0
        self._mark = uuid.uuid4().hex
        watched_fd, self.life_fd = os.pipe()
        self._warden = subprocess.Popen(
            module_command("sagemaker_tensorflow.training.warden"),
            env={**os.environ, MARK: self._mark},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Away from the terminal's Ctrl-C.
            start_new_session=True,
            pass_fds=(watched_fd,),
        )
        os.close(watched_fd)
        assert self._warden.stdin and self._warden.stdout  # noqa: S101 - for mypy: PIPE
        self._lines = JsonLines(self._warden.stdout.fileno(), self._warden.stdin.fileno())
        left = {"directory": str(directory), "output": output.to_json(), "watched_fd": watched_fd}
        self._send(left)

    def mount(self, ml: Path, addresses: Mapping[str, str]) -> str | None:
        """Has the script find a directory at ``/opt/ml``, where the kernel allows it.

        Args:
            ml: The directory. It stays where it is, too.
            addresses: Of the job's hosts by name, for the script to find.

        Returns:
            None, or why the script does not find it there.
        """
        self._send({"request": "mount", "directory": os.fspath(ml), "addresses": dict(addresses)})
        answer = self._receive(None)
        reason: str | None = None if answer["mounted"] else answer["reason"]
        return reason

    def serve_folder(self, folder: Path, orders: str, log: Path) -> None:
        """Mounts a folder of objects, to the script's end.

        Args:
            folder: As the script finds it; there, and empty.
            orders: Of `fast_file.server`.
            log: Gets its messages.

        Raises:
            FailedPreconditionError: It cannot be mounted.
        """
        self._send(
            {
                "request": "serve",
                "folder": os.fspath(folder),
                "orders": orders,
                "log": os.fspath(log),
            }
        )
        _raise_error(self._receive(None))

    def run(self, command: ScriptCommand, log: Path) -> int:
        """Starts the script, once; its output is appended to `log`.

        Returns:
            The process's id.

        Raises:
            PipeModeDatasetException: It cannot be started.
        """
        self._send(
            {
                "request": "run",
                "argv": list(command.argv),
                "variables": dict(command.variables),
                "cwd": os.fspath(command.cwd),
                "log": os.fspath(log),
            }
        )
        answer = self._receive(None)
        _raise_error(answer)
        self._group = answer["started"]
        return self._group

    def wait(self, timeout: float) -> int | None:
        """Waits for the script's end.

        Returns:
            Its exit status, negative for a signal; None if it runs after `timeout` seconds.

        Raises:
            InternalError: The warden is gone, and the script with it.
        """
        try:
            status: int = self._receive(timeout)["exited"]
        except TimeoutError:
            return None
        return status

    def stop(self, grace_seconds: float) -> None:
        """Sends SIGTERM to the script's process group, and SIGKILL to all of it after the time.

        Only the first call counts. From any thread.
        """
        with contextlib.suppress(InternalError):  # `wait` will say it
            self._send({"request": "stop", "grace_seconds": grace_seconds})

    def kill(self) -> None:
        """Sends SIGKILL to all of it. From any thread."""
        with contextlib.suppress(InternalError):
            self._send({"request": "kill"})

    def unmount(self) -> None:
        """Kills all of it and unmounts what `serve_folder` mounted, so that it can be removed.

        Idempotent; for when `wait` is not called any more. The script's end does the same.
        """
        # A warden that is gone has taken with it what it mounted.
        with contextlib.suppress(InternalError, TimeoutError):
            self._send({"request": "unmount"})
            while "unmounted" not in self._receive(_END_SECONDS):
                pass

    def close(self) -> None:
        """Ends the script if it runs, and its warden. Idempotent."""
        assert self._warden.stdin and self._warden.stdout  # noqa: S101 - for mypy: PIPE
        if self._warden.stdin.closed:
            return
        with contextlib.suppress(InternalError):
            self._send({"request": "end"})
        os.close(self.life_fd)
        try:
            self._warden.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._warden.kill()
            self._warden.wait()
        with self._send_lock:  # others know by now that it has ended
            self._warden.stdin.close()
            self._warden.stdout.close()

    def __enter__(self) -> ScriptProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, message: dict[str, Any]) -> None:
        with self._send_lock:
            if self._warden.returncode is not None:
                return  # all has ended already
            try:
                self._lines.send(message)
            except BrokenPipeError:
                raise self._death() from None

    def _receive(self, timeout: float | None) -> dict[str, Any]:
        try:
            return self._lines.receive(timeout)
        except EOFError:
            raise self._death() from None

    def _death(self) -> InternalError:
        # The kernel has killed the script with its warden, and nothing that the script started.
        if self._group:
            with contextlib.suppress(OSError):
                os.killpg(self._group, signal.SIGKILL)
        kill_marked(self._mark, spare=self._warden.pid)  # which may live, and tidies up then
        return InternalError(
            f"the process that runs the script ({self._warden.pid}) is gone, and the script with "
            "it; did somebody, or the kernel for lack of memory, kill it?"
        )


def _raise_error(answer: dict[str, Any]) -> None:
    if "error" in answer:
        raise error_of_kind(answer["error"]["kind"], answer["error"]["message"])
