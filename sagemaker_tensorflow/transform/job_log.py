"""A log file of each job, beside its record: ``job.log``.

A line in a local output is there at once; to S3 the file is uploaded when the job ends, because
objects cannot be appended to. Earlier runs of the same name are overwritten. What a killed process
did not upload goes with the next job on its machine (`temporary_folders`).
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from pathlib import Path
from types import TracebackType

from sagemaker_tensorflow.errors import PipeModeDatasetException
from sagemaker_tensorflow.system_errors import make_directory, translated_os_errors
from sagemaker_tensorflow.transform.job_listeners import LISTENERS
from sagemaker_tensorflow.transform.job_record import job_folder
from sagemaker_tensorflow.transform.output_store import OutputStore
from sagemaker_tensorflow.transform.temporary_folders import temporary_folder

_log = logging.getLogger(__name__)

_FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(threadName)s %(name)s: %(message)s"
_COPY_BYTES = 1 << 20


class JobLog:
    """Keeps what this package logs as long as it is open. A context manager.

    Who else listens to the package's loggers gets what he got before. Jobs that run at a time in
    one process have each other's lines in their logs.

    Args:
        store: The job's output.
        job_name: Of the job.
        level: Less important lines are left out.

    Raises:
        PipeModeDatasetException: On entering: the file cannot be made.
    """

    def __init__(self, store: OutputStore, job_name: str, level: int = logging.INFO) -> None:
        self._store = store
        self._name = f"{job_folder(job_name)}job.log"
        self._level = level
        self._stack = contextlib.ExitStack()
        self._temporary: Path | None = None
        self._handler: logging.FileHandler | None = None

    @property
    def uri(self) -> str:
        """Where the log is, or will be."""
        return self._store.uri_of(self._name)

    def __enter__(self) -> JobLog:
        with contextlib.ExitStack() as stack:
            path = self._local_path(stack)
            with translated_os_errors("beginning the job's log"):
                handler = logging.FileHandler(
                    path, mode="w", encoding="utf-8", errors="backslashreplace"
                )
            self._stack = stack.pop_all()
        formatter = logging.Formatter(_FORMAT, "%Y-%m-%dT%H:%M:%S")
        formatter.converter = time.gmtime
        handler.setFormatter(formatter)
        handler.setLevel(self._level)
        self._handler = handler
        LISTENERS.add(handler, self._level)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._stack:
            if self._handler is not None:
                if error is not None:
                    self._handler.handle(_record_of(error))
                LISTENERS.remove(self._handler)
                self._handler.close()
            if self._temporary is not None:
                self._upload(self._temporary)

    def _local_path(self, stack: contextlib.ExitStack) -> Path:
        if self._store.folder is not None:
            path = self._store.folder / self._name
            make_directory(path.parent)
            return path
        self._temporary = stack.enter_context(temporary_folder()) / "job.log"
        return self._temporary

    def _upload(self, path: Path) -> None:
        writer = self._store.writer(self._name, "text/plain; charset=utf-8")
        try:
            with path.open("rb") as file:
                while data := file.read(_COPY_BYTES):
                    writer.write(data)
            writer.commit()
        except (PipeModeDatasetException, OSError) as error:
            # The job's own outcome counts.
            _log.warning("cannot upload the job's log, which is left in %s: %s", _kept(path), error)
            writer.abort()


def _kept(path: Path) -> Path:
    """Where the log is now: in a folder of a name that other jobs do not remove."""
    folder = path.parent
    return folder.rename(folder.with_name(f"smtf-log-{secrets.token_hex(4)}")) / path.name


def _record_of(error: BaseException) -> logging.LogRecord:
    """Of what ended the job, for the file alone: the caller gets the error itself."""
    told = (type(error), error, error.__traceback__)
    text = "the job ends with an error"
    return _log.makeRecord(_log.name, logging.ERROR, __file__, 0, text, (), told)
