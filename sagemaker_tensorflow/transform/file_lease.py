"""The lease of a job whose results go to a folder: a file that its process holds locked.

The kernel lets go of the lock when the process ends, whatever it died of, so that nothing has to be
renewed and nobody ever has to wait.
"""

from __future__ import annotations

import fcntl
import logging
import os
from pathlib import Path
from types import TracebackType

from sagemaker_tensorflow.system_errors import make_directory, translated_os_errors
from sagemaker_tensorflow.transform.job_lease import runs_already
from sagemaker_tensorflow.transform.lease_holder import LeaseHolder

_log = logging.getLogger(__name__)

_MODE = 0o644


class FileLease:
    """A locked file. A context manager.

    Args:
        path: Of the file; folders are made.
        holder: This run.

    Raises:
        FailedPreconditionError: On entering: another run holds it.
        PipeModeDatasetException: On entering: the file cannot be made.
    """

    def __init__(self, path: Path, holder: LeaseHolder) -> None:
        self._path = path
        self._holder = holder
        self._fd = -1

    def __enter__(self) -> FileLease:
        make_directory(self._path.parent)
        with translated_os_errors(f"taking the job's lease {self._path}"):
            self._fd = self._locked()
            try:
                os.ftruncate(self._fd, 0)
                os.pwrite(self._fd, self._holder.to_json(), 0)
            except BaseException:
                self._release()
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._release()

    def _locked(self) -> int:
        while True:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
            try:
                self._lock(fd)
                if self._is_still(fd):
                    return fd
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)

    def _lock(self, fd: int) -> None:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise runs_already(
                str(self._path), LeaseHolder.from_json(os.pread(fd, 1 << 16, 0))
            ) from None
        except OSError as error:
            _log.warning(
                "%s cannot be locked (%s): nothing keeps a second run of this job away",
                self._path,
                error.strerror,
            )

    def _is_still(self, fd: int) -> bool:
        """Whether the file that is locked is the one of this name: its last holder removes it."""
        try:
            return os.path.samestat(self._path.stat(), os.fstat(fd))
        except FileNotFoundError:
            return False

    def _release(self) -> None:
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:  # a file that nobody holds stands in nobody's way
            _log.warning("%s cannot be removed: %s", self._path, error.strerror)
        finally:
            os.close(self._fd)
