"""A folder of objects, for as long as a script runs: the mount, and the process that serves it."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

from sagemaker_tensorflow.module_command import module_command
from sagemaker_tensorflow.training.descendants import die_with_parent
from sagemaker_tensorflow.training.fast_file.fuse_mount import FuseMount

_SERVER = "sagemaker_tensorflow.training.fast_file.server"


class ServedFolder:
    """Mounted and served when it is made; its process is a child of this one.

    Args:
        folder: There, and empty.
        orders: Of `fast_file.server`.
        log: Gets its messages.

    Raises:
        FailedPreconditionError: It cannot be mounted; says what is missing.
        OSError: Its process cannot be started.
    """

    def __init__(self, folder: Path, orders: str, log: Path) -> None:
        self._folder = folder
        self._log = log
        self._mount = FuseMount(folder)
        fd = self._mount.fd
        try:
            with log.open("ab") as messages:
                # Kept, so that nothing is said of a process that is waited for elsewhere.
                self._server = subprocess.Popen(
                    module_command(_SERVER, str(fd), orders),
                    stdin=subprocess.DEVNULL,
                    stdout=messages,
                    stderr=messages,
                    start_new_session=True,
                    pass_fds=(fd,),
                    preexec_fn=die_with_parent,
                )
        except OSError:
            self._mount.unmount()
            raise
        finally:
            os.close(fd)

    @property
    def server(self) -> int:
        """The process's id."""
        return self._server.pid

    def report_end(self, status: int) -> None:
        """Says in the log that the process has ended, which it should not."""
        line = (
            f"smtf: the process that serves {self._folder} is gone (status {status}; -9 may be the "
            "kernel's, for lack of memory), and nothing can be read there any more\n"
        )
        with contextlib.suppress(OSError), self._log.open("a", encoding="utf-8") as log:
            log.write(line)

    def unmount(self) -> None:
        """For when its process has been killed. Never raises."""
        self._server.returncode = 0  # it was waited for with all others
        self._mount.unmount()
