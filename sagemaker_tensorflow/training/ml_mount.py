"""Puts a job's directory at the literal ``/opt/ml``, for one process and those that it starts.

Scripts for SageMaker's containers have that path written in them. Several jobs run on one machine,
and none of them may touch what the machine has there, so it is done in a mount namespace: nobody
else sees it, nothing is made on a disk, and the kernel takes it back with its last process. The
hosts' names are made to resolve in the same way, by an ``/etc/hosts`` of the job's own.

Privileged processes make the namespace as they are. Others make it in a user namespace, in which
they remain who they are. That may be forbidden: by Docker's seccomp profile, by AppArmor (Ubuntu
from 24.04 on), by user.max_user_namespaces. As unshare(2) cannot be undone, all of it is tried in a
child first; where that fails, nothing has changed here.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from sagemaker_tensorflow.training.mount_calls import (
    CLONE_NEWNS,
    CLONE_NEWUSER,
    MS_NODEV,
    MS_NOSUID,
    MS_REC,
    MS_SLAVE,
    bind,
    map_ids,
    mount,
    unshare,
)

ML_PATH = Path("/opt/ml")
_HOSTS_FILE = Path("/etc/hosts")
_LOOPBACK = IPv4Address("127.0.0.0")
_PACKAGE = Path(__file__).parent.parent
_WORKED = "worked"


@dataclass(frozen=True)
class MlMount:
    """What is to be seen where.

    Attributes:
        directory: Of the job, to be seen at ``/opt/ml``.
        addresses: Of the hosts, by name; what else ``/etc/hosts`` says stays.
    """

    directory: Path
    addresses: Mapping[str, str]

    def enter(self) -> str | None:
        """Does it for this process, which must have one thread.

        Returns:
            None, or why it cannot be.
        """
        problem = self.problem()
        # What a child could do a moment ago may still fail here, and leave half of it.
        return problem if problem is not None else self.change_view()

    def problem(self) -> str | None:
        """Why it cannot be; None if it can."""
        return self._hidden() or _failure_in_child(self)

    def change_view(self) -> str | None:
        """Does it, or as much of it as goes: `enter` without trying it first."""
        try:
            self._mount_all()
        except OSError as error:
            where = "" if error.filename is None else f" ({error.filename})"
            return f"{error.strerror or error}{where}"
        return None

    def _mount_all(self) -> None:
        _make_namespace()
        place = Path(os.path.realpath(ML_PATH))
        _make_place(place)
        bind(self.directory, place)
        if self.addresses and _HOSTS_FILE.exists():
            self._name_hosts()

    def _hidden(self) -> str | None:
        """What the job needs and would not find any more, because it lies where this goes."""
        covered = Path(os.path.realpath(ML_PATH))
        for path in (self.directory, Path(sys.prefix), Path(sys.base_prefix), _PACKAGE):
            if Path(os.path.realpath(path)).is_relative_to(covered):
                return f"{path} lies there, and would be hidden"
        return None

    def _name_hosts(self) -> None:
        """The first line with a name counts, so the job's come first."""
        own = "".join(f"{address}\t{name}\n" for name, address in self.addresses.items())
        copy = self.directory / ".smtf-hosts"
        copy.write_bytes(own.encode() + _HOSTS_FILE.read_bytes())
        try:
            copy.chmod(0o644)
            bind(copy, _HOSTS_FILE)
        finally:
            copy.unlink()  # what is mounted stays


def loopback_addresses(hosts: Sequence[str]) -> dict[str, str]:
    """127.0.0.1 for the first, 127.0.0.2 for the second, ...: Linux answers to all of 127/8."""
    return {name: str(_LOOPBACK + number) for number, name in enumerate(hosts, start=1)}


def _failure_in_child(wanted: MlMount) -> str | None:
    read_fd, write_fd = os.pipe()
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            answer = wanted.change_view() or _WORKED
            os.write(write_fd, answer.encode("utf-8", "surrogateescape"))
        os._exit(0)
    os.close(write_fd)
    with os.fdopen(read_fd, "rb") as answers:
        said = answers.read().decode("utf-8", "surrogateescape")
    os.waitpid(pid, 0)
    return None if said == _WORKED else said or "trying it killed the process that did"


def _make_namespace() -> None:
    try:
        unshare(CLONE_NEWNS)
    except PermissionError:
        uid, gid = os.geteuid(), os.getegid()
        unshare(CLONE_NEWUSER | CLONE_NEWNS)
        map_ids(uid, gid)
    # What is mounted on the machine meanwhile is mounted here too, and nothing from here there.
    mount("none", "/", flags=MS_REC | MS_SLAVE)


def _make_place(place: Path) -> None:
    """Makes a folder to mount on, without making it on a disk.

    The folder that it would be in is covered by one in memory, in which everything that it holds is
    mounted again.
    """
    if place.is_dir():
        return
    parent = place.parent
    covered = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        mode = os.fstat(covered).st_mode & 0o7777
        mount("tmpfs", parent, "tmpfs", MS_NOSUID | MS_NODEV, f"mode={mode:o}")
        with os.scandir(covered) as entries:
            for entry in entries:
                _show_again(entry, Path(f"/proc/self/fd/{covered}", entry.name), parent)
    finally:
        os.close(covered)
    place.mkdir()


def _show_again(entry: os.DirEntry[str], source: Path, parent: Path) -> None:
    target = parent / entry.name
    if entry.is_symlink():
        target.symlink_to(source.readlink())
        return
    if entry.is_dir():
        target.mkdir()
    else:
        target.touch()
    bind(source, target)
