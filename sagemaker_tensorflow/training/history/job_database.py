"""The file in which jobs are recorded: SQLite, opened for each use.

Several processes write to it at once, and any of them may be killed at any moment. It keeps
SQLite's rollback journal: a write-ahead log needs memory that all of its users share, so it does
not work on the network file systems that home directories are often on
(https://www.sqlite.org/wal.html). Jobs write a few short transactions a second at most, for which
others can wait. A journal that a killed process left is rolled back by whoever comes next.

A connection lives for one transaction, so that none is carried over a fork or into another thread.
With that, a job's update took 12 ms on a disk where it took 30 ms with a write-ahead log.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from sagemaker_tensorflow.errors import (
    DataLossError,
    FailedPreconditionError,
    InternalError,
    PermissionDeniedError,
    PipeModeDatasetException,
    UnavailableError,
)
from sagemaker_tensorflow.system_errors import make_directory, translated_os_errors

# What a transaction may wait for others. Each takes milliseconds, or a few disk syncs.
_BUSY_SECONDS = 30.0
# Requests and texts that scripts printed are in it.
_MODE = 0o600
# The file's PRAGMA user_version; raised with each change that older programs cannot read.
_VERSION = 1
_SCHEMA = (
    # description: the members of DescribeTrainingJob's answer as JSON. owner: ProcessIdentity as
    # JSON. Times are seconds since 1970-01-01 UTC.
    """
    CREATE TABLE jobs (
        name TEXT PRIMARY KEY,
        created REAL NOT NULL,
        status TEXT NOT NULL,
        description TEXT NOT NULL,
        directory TEXT NOT NULL,
        owner TEXT NOT NULL,
        stop_requested REAL
    )
    """,
    "CREATE INDEX jobs_by_time ON jobs (created)",
    """
    CREATE TABLE metrics (
        job TEXT NOT NULL REFERENCES jobs (name) ON DELETE CASCADE,
        name TEXT NOT NULL,
        time REAL NOT NULL,
        value REAL NOT NULL,
        host TEXT NOT NULL
    )
    """,
    "CREATE INDEX metrics_by_job ON metrics (job, name, time)",
)
# Of the making of files in this process: SQLite's locks on a file are lost when any file descriptor
# of it is closed (https://www.sqlite.org/howtocorrupt.html, 2.2), so the one that makes a file must
# be closed before another thread can have it open.
_making = threading.Lock()


class JobDatabase:
    """The file. From any thread and process.

    Args:
        path: Of the file; it and its directory are made by the first `writing`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        """Whether something was ever written."""
        return self.path.exists()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction, which is committed at the block's end, or rolled back on an exception.

        Raises:
            FailedPreconditionError: A newer version of this package made the file, or another
                program did.
            UnavailableError: Others held it locked for 30 s.
            PermissionDeniedError: It may not be made or written.
            DataLossError: It is damaged.
        """
        self._make()
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction that sees one state of the file, which is there.

        Raises:
            PipeModeDatasetException: As for `writing`.
        """
        with self._transaction("BEGIN") as connection:
            yield connection

    def _make(self) -> None:
        if self.path.exists():
            return
        make_directory(self.path.parent)
        with (
            _making,
            translated_os_errors("making the record of jobs"),
            contextlib.suppress(FileExistsError),
        ):
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, _MODE))

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._translated(), contextlib.closing(self._connect()) as connection:
            connection.execute(begin)
            yield connection
            connection.execute("COMMIT")  # without it, closing rolls back

    def _connect(self) -> sqlite3.Connection:
        uri = f"{self.path.absolute().as_uri()}?mode=rw"
        with _making:
            connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            if _version(connection) != _VERSION:
                self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Makes the tables of a new file, or refuses one that is not ours."""
        connection.execute("BEGIN IMMEDIATE")
        version = _version(connection)
        if version > _VERSION:
            raise FailedPreconditionError(
                f"{self.path} has version {version} of the record of jobs, and this program knows "
                f"{_VERSION}: a newer sagemaker-tensorflow has written it. Use that one, or "
                "another directory for jobs"
            )
        if version == 0:
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise FailedPreconditionError(
                    f"{self.path} is a database of another program; use another directory for jobs"
                )
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_VERSION}")
        connection.execute("COMMIT")

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._error(error) from error

    def _error(self, error: sqlite3.Error) -> PipeModeDatasetException:
        # By SQLite's words (sqlite3_errstr), as exceptions have no codes before Python 3.11.
        words = str(error)
        if "locked" in words:
            return UnavailableError(
                f"{self.path}: {words} for {_BUSY_SECONDS:.0f} s by other processes; try again, or "
                "look which one hangs (fuser)"
            )
        if "unable to open" in words or "readonly" in words:
            return PermissionDeniedError(
                f"{self.path}: {words}; it and its directory have to be writable"
            )
        if "malformed" in words or "not a database" in words:
            return DataLossError(
                f"{self.path}: {words}; move it away, and a new one is begun. Logs of jobs are "
                "files of their own"
            )
        return InternalError(f"{self.path}: {words}")


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version
