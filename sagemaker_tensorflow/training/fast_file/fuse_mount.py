"""Mounts a FUSE file system that is only read, and unmounts it.

mount(2) does it for who may mount: root, and in a namespace of one's own everybody (Linux 4.18).
Otherwise the program fusermount3 of Debian's package fuse3 does, which is setuid root.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from pathlib import Path

from sagemaker_tensorflow.errors import FailedPreconditionError
from sagemaker_tensorflow.training.mount_calls import MS_NODEV, MS_NOSUID, MS_RDONLY, detach, mount

_DEVICE = Path("/dev/fuse")
_HELPER = "fusermount3"
_HELPER_SECONDS = 10.0
_ADVICE = (
    "FastFile mode mounts the objects with FUSE. Load its module (modprobe fuse); in a container, "
    "allow it (docker run --device /dev/fuse --cap-add SYS_ADMIN, and --security-opt "
    "apparmor=unconfined where AppArmor is); elsewhere install fuse3. Or use input_mode='File' or "
    "'Pipe'"
)


class FuseMount:
    """A mount at a folder; its server answers at `fd`.

    Raises:
        FailedPreconditionError: It cannot be mounted here; says what is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._by_helper = False
        problems = []
        for how in (self._mount, self._ask_helper):
            try:
                self.fd = how()
            except OSError as error:
                problems.append(error.strerror or str(error))
            else:
                return
        raise FailedPreconditionError(f"mounting {folder}: {'; '.join(problems)}. {_ADVICE}")

    def unmount(self) -> None:
        """Whoever uses it gets errors once its server has ended. Never raises."""
        if self._by_helper:
            command = [_HELPER, "-u", "-z", str(self._folder)]
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(command, capture_output=True, timeout=_HELPER_SECONDS)
        else:
            with contextlib.suppress(OSError):
                detach(self._folder)

    def _mount(self) -> int:
        try:
            fd = os.open(_DEVICE, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise OSError(error.errno, f"{_DEVICE}: {error.strerror}") from None
        options = (
            f"fd={fd},rootmode=40000,user_id={os.geteuid()},group_id={os.getegid()},"
            "default_permissions,allow_other"
        )
        try:
            mount("fastfile", self._folder, "fuse", MS_RDONLY | MS_NOSUID | MS_NODEV, options)
        except OSError:
            os.close(fd)
            raise
        return fd

    def _ask_helper(self) -> int:
        """The descriptor comes through the socket whose number is in _FUSE_COMMFD."""
        if shutil.which(_HELPER) is None:
            raise FileNotFoundError(f"there is no {_HELPER}")
        ours, theirs = socket.socketpair()
        with ours, theirs:
            options = "ro,nosuid,nodev,default_permissions,fsname=fastfile"
            asked = subprocess.run(
                [_HELPER, "-o", options, "--", str(self._folder)],
                env={**os.environ, "_FUSE_COMMFD": str(theirs.fileno())},
                pass_fds=(theirs.fileno(),),
                capture_output=True,
                text=True,
                timeout=_HELPER_SECONDS,
            )
            if asked.returncode != 0:
                raise OSError(asked.stderr.strip() or f"{_HELPER} ended with {asked.returncode}")
            _, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
        self._by_helper = True
        os.set_inheritable(descriptors[0], False)
        return descriptors[0]
