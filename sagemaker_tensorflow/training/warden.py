"""The process between a job and its script: ``python -m sagemaker_tensorflow.training.warden``.

It is there before anything else of a job and sees to it that nothing outlives the job: it starts
the script, is the parent of whatever the script starts, and ends all of it when the script has
ended, when it is told to, and when its owner is gone, however that went. In that case it removes
the job's files too, and what was half uploaded.

It talks JSON, a line a message. The first line on stdin is ``{"directory": ..., "output": {...},
"watched_fd": n}``: what to remove if the owner dies, once the pipe of that file descriptor is held
by no process that may write there. Then may come, in this order,

- ``{"request": "mount", "directory": ..., "addresses": {name: address}}``: see `ml_mount`. It is
  answered by ``{"mounted": true}`` or ``{"mounted": false, "reason": ...}``;
- ``{"request": "serve", "folder": ..., "orders": ..., "log": ...}`` for each FastFile channel: see
  `fast_file.server`. It is answered by ``{"served": true}``, or ``{"error": ...}`` as below;
- ``{"request": "run", "argv": [...], "variables": {...}, "cwd": ..., "log": ...}``, answered by
  ``{"started": pid}`` or ``{"error": {"kind": ..., "message": ...}}`` and, when the script has
  ended, by ``{"exited": status}``, negative for a signal;
- ``{"request": "stop", "grace_seconds": s}``; ``{"request": "kill"}``;
- ``{"request": "unmount"}``, which kills whatever runs, as nothing may use what is unmounted; it is
  answered by ``{"unmounted": true}``;
- ``{"request": "end"}``, which ends it.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from sagemaker_tensorflow.errors import PipeModeDatasetException, kind_of_error
from sagemaker_tensorflow.json_lines import JsonLines
from sagemaker_tensorflow.system_errors import translated_os_errors
from sagemaker_tensorflow.training.descendants import (
    adopt_descendants,
    die_with_parent,
    kill_descendants,
)
from sagemaker_tensorflow.training.fast_file.served_folder import ServedFolder
from sagemaker_tensorflow.training.ml_mount import MlMount

# How often it looks whether its owner lives. A dead owner's pipe ends as well, unless a process
# that it forked still holds it.
_TICK_SECONDS = 0.2
# The job's prefetcher ends by itself with the owner. A process that was forked from the owner may
# live on and hold what it holds, but has no business in the job's directory.
_OTHERS_SECONDS = 15.0


class _OwnerGone(Exception):  # noqa: N818 - not an error
    pass


class _Ended(Exception):  # noqa: N818 - not an error
    pass


class _Warden:
    def __init__(self, owner: JsonLines) -> None:
        self._owner = owner
        self._script: subprocess.Popen[bytes] | None = None
        self._status: int | None = None
        self._reported = False
        self._kill_at: float | None = None  # once it is to stop
        self._folders: list[ServedFolder] = []
        self._ending = False

    def obey(self, message: dict[str, Any]) -> None:
        """Does what the owner wants."""
        request = message["request"]
        if request == "end":
            raise _Ended
        if request == "run":
            self._run(message)
        elif request == "mount":
            self._mount(message)
        elif request == "serve":
            self._serve(message)
        elif request == "unmount":
            self.end_all()
            self._owner.send({"unmounted": True})
        elif request == "stop":
            self._stop(message["grace_seconds"])
        elif request == "kill":
            self._kill_at = time.monotonic()

    def _mount(self, message: dict[str, Any]) -> None:
        """For this process, so that the script, and whatever is started here, has it from it."""
        wanted = MlMount(Path(message["directory"]), message["addresses"])
        problem = wanted.enter()
        if problem is None:
            self._owner.send({"mounted": True})
        else:
            self._owner.send({"mounted": False, "reason": problem})

    def _serve(self, message: dict[str, Any]) -> None:
        try:
            with translated_os_errors("serving a FastFile channel"):
                folder = Path(message["folder"])
                self._folders.append(ServedFolder(folder, message["orders"], Path(message["log"])))
        except PipeModeDatasetException as error:
            self._owner.send({"error": {"kind": kind_of_error(error), "message": str(error)}})
        else:
            self._owner.send({"served": True})

    def _run(self, message: dict[str, Any]) -> None:
        try:
            with (
                translated_os_errors(f"starting {message['argv'][0]}"),
                Path(message["log"]).open("ab") as log,
            ):
                self._script = subprocess.Popen(
                    message["argv"],
                    cwd=message["cwd"],
                    env=_environment(message["variables"]),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    preexec_fn=_prepare_script,
                )
        except PipeModeDatasetException as error:
            self._owner.send({"error": {"kind": kind_of_error(error), "message": str(error)}})
        else:
            self._owner.send({"started": self._script.pid})

    def _stop(self, grace_seconds: float) -> None:
        if self._script is None or self._status is not None or self._kill_at is not None:
            return
        self._kill_at = time.monotonic() + grace_seconds
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._script.pid, signal.SIGTERM)

    def look_after(self) -> None:
        """Takes note of what has ended, and ends what has to."""
        self.reap()
        if self._script is None or self._reported:
            return
        overdue = self._kill_at is not None and time.monotonic() >= self._kill_at
        if overdue or self._status is not None:
            self.end_all()
        if self._status is not None:
            self._owner.send({"exited": self._status})
            self._reported = True

    def end_all(self) -> None:
        """Kills every process that comes from this one, and unmounts what they used."""
        self._ending = True
        kill_descendants(self.reap)
        while self._folders:
            self._folders.pop().unmount()

    def reap(self) -> None:
        """Waits for the children that have ended."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = ended
                if self._script is not None and pid == self._script.pid:
                    self._status = os.waitstatus_to_exitcode(status)
                    self._script.returncode = self._status
                for folder in self._folders:
                    if folder.server == pid and not self._ending:
                        folder.report_end(os.waitstatus_to_exitcode(status))


def main() -> int:
    """Serves one owner to the end."""
    wake_fd = _wake_on_signals()
    adopt_descendants()
    owner_pid = os.getppid()
    private = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    owner = JsonLines(sys.stdin.fileno(), private)
    warden = _Warden(owner)
    left: dict[str, Any] | None = None
    try:
        left = owner.receive()
        while True:
            _take_orders(owner, warden)
            warden.look_after()
            select.select([sys.stdin, wake_fd], [], [], _TICK_SECONDS)
            if signal.SIGTERM in _signals(wake_fd) or os.getppid() != owner_pid:
                raise _OwnerGone
    except _Ended:
        warden.end_all()
    except (_OwnerGone, EOFError, BrokenPipeError):
        warden.end_all()
        os.close(private)  # an owner that lives, after a SIGTERM for this process, learns of it
        if left is not None:
            _clean_up(left)
    return 0


def _clean_up(left: dict[str, Any]) -> None:
    select.select([left["watched_fd"]], [], [], _OTHERS_SECONDS)  # readable at its end
    shutil.rmtree(left["directory"], ignore_errors=True)
    from sagemaker_tensorflow.training.job_output import JobOutput

    with contextlib.suppress(PipeModeDatasetException):  # nobody is there to be told
        store = JobOutput.from_json(left["output"]).open()
        with contextlib.closing(store):
            store.clean_left_overs()


def _take_orders(owner: JsonLines, warden: _Warden) -> None:
    with contextlib.suppress(TimeoutError):
        while True:
            warden.obey(owner.receive(0))


def _wake_on_signals() -> int:
    """Makes a file descriptor readable when a child ends or SIGTERM comes."""
    # A terminal's Ctrl-C is the owner's to understand.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    read_fd, write_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(write_fd, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    return read_fd


def _signals(wake_fd: int) -> bytes:
    try:
        return os.read(wake_fd, 4096)
    except BlockingIOError:
        return b""


def _prepare_script() -> None:
    """In the script's process, before the script: undoes what it would inherit from here."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    die_with_parent()


def _environment(variables: dict[str, str]) -> dict[str, str]:
    """This process's, without what is left of a job around this one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SM_")}
    return {**kept, **variables}


if __name__ == "__main__":
    sys.exit(main())
