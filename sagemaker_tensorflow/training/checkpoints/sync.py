"""Keeps a script's checkpoints outside the job, while it runs, and gives them to the next one.

As the service does ("Checkpoints in Amazon SageMaker AI" of its Developer Guide): what is at
``checkpoint_s3_uri`` is in the folder before the script starts; what the script writes there is
uploaded while it runs and once more at its end; what it deletes is deleted.

The job may be killed at any point, and what is stored then must be something that the script can
start from. Libraries write the files of a checkpoint first, then the one that names them, and
delete old ones last. So

- a file is uploaded when no process has it open for writing, and stored only if it did not change
  before its last byte was read; `checkpoints.folder` has the details;
- files are stored in the order in which they were completed, and one that cannot be stored holds
  up those behind it;
- a file that is gone for two looks is deleted, in a round that stored all that was to store: what
  named it may have been written anew shortly before or after;
- of a script that a signal ended, nobody knows what it was writing: what was not whole for the last
  looks before is not stored.

A folder that is completed by renaming it appears file by file.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from sagemaker_tensorflow.errors import (
    CancelledError,
    InternalError,
    InvalidArgumentError,
    PipeModeDatasetException,
    UnavailableError,
)
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.training.checkpoints.folder import FileVersion, FolderWatch
from sagemaker_tensorflow.training.checkpoints.restore import CheckpointRestore
from sagemaker_tensorflow.training.checkpoints.uploads import CheckpointUploads, HeldFile

_log = logging.getLogger(__name__)

# Between two looks.
LOOK_SECONDS = 1.0
# A look takes some 10 us for each file; of many files it may take so much of one core.
_MOST_LOOKING = 0.05
# After failures, at most.
_MOST_WAIT_SECONDS = 60.0
# For how long the last upload is tried anew. botocore has retried each request by itself by then.
FINAL_SECONDS = 60.0
# Open files at a time; a process may have 1024 on most systems.
_MOST_HELD = 256
_MOST_NAMED = 5
# What a shell makes of a signal that ended its child: 128 and its number.
_SHELL_SIGNALS = 128


@dataclass(frozen=True)
class CheckpointPlaces:
    """Where one host's checkpoints are.

    Attributes:
        uri: Where they are kept: ``s3://bucket/prefix``, which means a folder, or a local folder.
        folder: Where the script has them.
        rescue: Where they are put if they cannot be stored at the end; not there yet.
        first_host: Of the hosts that share `uri` this one deletes what was there before the job;
            the others delete what they uploaded.
    """

    uri: str
    folder: Path
    rescue: Path
    first_host: bool = True


class CheckpointSync:
    """The checkpoints of one host. `start` and `finish` are for one thread, the others for any.

    Args:
        places: Where they are.
        s3_options: How to reach S3.
        prefetch: The prefetcher's numbers.
        look_seconds: Between two looks at the folder.
        final_seconds: For how long `finish` tries.
    """

    def __init__(
        self,
        places: CheckpointPlaces,
        *,
        s3_options: S3Options,
        prefetch: PrefetchConfig,
        look_seconds: float = LOOK_SECONDS,
        final_seconds: float = FINAL_SECONDS,
    ) -> None:
        self._places = places
        self._s3_options = s3_options
        self._look_seconds = look_seconds
        self._final_seconds = final_seconds
        self._restore = CheckpointRestore(
            places.uri, places.folder, s3_options=s3_options, prefetch=prefetch
        )
        self._watch = FolderWatch(places.folder)
        self._uploads: CheckpointUploads | None = None
        self._thread: threading.Thread | None = None
        # What is stored, by the version of the file that it was read from or written to.
        self._stored: dict[str, FileVersion] = {}
        self._not_ours: set[str] = set()  # to delete
        self._refused: dict[str, str] = {}  # and why
        self._warned_of: set[str] = set()
        self._looked_at = 0.0
        self._pause = look_seconds
        self._failures = 0
        self._script_ended = threading.Event()
        self._cancelled = threading.Event()

    def start(self) -> None:
        """Downloads what there is, and begins to look after the folder.

        Raises:
            CancelledError: `cancel_start` was called.
            PipeModeDatasetException: It cannot be had.
        """
        self._uploads = CheckpointUploads(self._places.folder, self._places.uri, self._s3_options)
        self._restore.run()
        if self._places.first_host:
            self._uploads.clean_up()
        self._watch.probe()
        self._watch.look({})
        self._stored = self._watch.versions()
        if not self._places.first_host:
            self._not_ours = set(self._stored)
        self._thread = threading.Thread(
            target=self._keep_up, args=(self._uploads,), name="smtf-checkpoints", daemon=True
        )
        self._thread.start()

    def cancel_start(self) -> None:
        """Breaks off the download of `start`; does nothing later."""
        self._restore.cancel()

    def give_up(self) -> None:
        """Breaks off all uploads, those of `finish` too, which says what is not stored then."""
        self._cancelled.set()

    def script_ended(self) -> None:
        """Says that the script has ended, at once: what is seen later says nothing about it."""
        self._script_ended.set()

    def finish(self, exit_status: int | None, through_shell: bool = False) -> None:
        """Uploads what is left, when nothing of the script runs any more.

        Only the first call does anything.

        Args:
            exit_status: Of the script, negative for a signal; None if it was not started.
            through_shell: The script is a shell's, whose status of 128 and above may be that of a
                command that a signal ended.

        Raises:
            PipeModeDatasetException: Something that the script saved is not stored; says what, why,
                and where on this machine it is now.
        """
        self.script_ended()
        uploads, self._uploads = self._uploads, None
        if uploads is None:
            return
        try:
            if self._thread is not None:
                self._thread.join()
            if exit_status is not None:
                by_signal = exit_status < 0 or (through_shell and exit_status > _SHELL_SIGNALS)
                self._finish(uploads, by_signal)
        finally:
            uploads.close()

    def _finish(self, uploads: CheckpointUploads, by_signal: bool) -> None:
        deadline = time.monotonic() + self._final_seconds
        wait = self._look_seconds
        looked = False
        doubtful: set[str] = set()
        while True:
            try:
                if not looked:
                    doubtful = self._last_look(by_signal)
                    looked = True
                self._last_round(uploads, doubtful)
            except PipeModeDatasetException as error:
                hopeless = not isinstance(error, UnavailableError | InternalError)
                late = time.monotonic() + wait > deadline
                if hopeless or late or self._cancelled.wait(wait):
                    raise self._rescued(error) from error
                wait *= 2
            else:
                return

    def _last_look(self, by_signal: bool) -> set[str]:
        """Returns the files that may be half written."""
        self._watch.look(self._stored)
        # The look was at what the script left, and would call any file whole.
        doubtful = {
            name for name, _ in self._pending() if by_signal and not self._watch.is_settled(name)
        }
        if doubtful:
            _log.warning(
                "a signal ended the script while it may have been writing %s: not stored in %s, "
                "which has what was whole before",
                _listed(doubtful),
                self._places.uri,
            )
        return doubtful

    def _last_round(self, uploads: CheckpointUploads, doubtful: set[str]) -> None:
        for name, version in self._pending():
            if name in doubtful:
                continue
            file = uploads.hold(name, version)
            with contextlib.nullcontext() if file is None else file.file:
                if file is None or not self._upload(uploads, file):
                    raise InternalError(f"{name} changes after the script's end")
        if self._refused:
            raise InvalidArgumentError("; ".join(self._refused.values()))
        if doubtful:
            return  # which may have been the reason to delete others
        try:
            self._delete(uploads, set(self._stored) - set(self._watch.versions()))
        except PipeModeDatasetException as error:
            _log.warning("what the script deleted is still in %s: %s", uploads.uri, error)

    def _keep_up(self, uploads: CheckpointUploads) -> None:
        """The thread's."""
        try_at = 0.0
        while not self._script_ended.wait(self._pause):
            try:
                self._look()
                if time.monotonic() >= try_at:
                    self._round(uploads)
                    self._note_success()
            except CancelledError:
                return
            except PipeModeDatasetException as error:
                try_at = time.monotonic() + self._note_failure(error)
            except Exception as error:  # a bug; `finish` stores what is missing, or says so
                _log.exception("checkpoints")
                try_at = time.monotonic() + self._note_failure(InternalError(repr(error)))

    def _round(self, uploads: CheckpointUploads) -> None:
        gone = {name for name in self._stored if self._watch.is_gone(name)}
        with contextlib.ExitStack() as held:
            files, is_all = self._hold(uploads, held)
            for file in files:
                if self._script_ended.is_set() or not self._upload(uploads, file):
                    return
        if is_all:  # by now some may have been made again
            self._delete(uploads, {name for name in gone if self._watch.is_gone(name)})

    def _hold(
        self, uploads: CheckpointUploads, held: contextlib.ExitStack
    ) -> tuple[list[HeldFile], bool]:
        """What may be stored now, in the order in which it has to be; and whether that is all.

        It is held as it is, as the script may have deleted it when its turn comes.
        """
        files: list[HeldFile] = []
        for name, version in self._pending():
            if self._watch.is_open(name):
                continue  # nothing that is complete needs it
            if not self._watch.is_still(name) or len(files) == _MOST_HELD:
                return files, False
            file = uploads.hold(name, version)
            if file is None:
                return files, False
            held.enter_context(file.file)
            files.append(file)
        return files, True

    def _pending(self) -> list[tuple[str, FileVersion]]:
        """What is not stored as it is, in the order in which it was completed."""

        def order(item: tuple[str, FileVersion]) -> tuple[int | bool | str, ...]:
            name, version = item
            # Clocks of file systems tick every few milliseconds. Within a tick, what names other
            # files is guessed to be what is written again and again, and small; TensorFlow's is
            # called "checkpoint".
            names_others = name.rpartition("/")[2] == "checkpoint"
            return version.changed_ns, name in self._stored, names_others, -version.size, name

        new = [item for item in self._watch.versions().items() if self._is_new(*item)]
        return sorted(new, key=order)

    def _is_new(self, name: str, version: FileVersion) -> bool:
        return self._stored.get(name) != version and name not in self._refused

    def _upload(self, uploads: CheckpointUploads, file: HeldFile) -> bool:
        """Whether nothing has to wait for this file any more."""
        try:
            if not uploads.upload(file, self._tick):
                return False
        except InvalidArgumentError as error:  # a key that is too long: waiting does not help
            _log.warning("checkpoint %s: %s", file.name, error)
            self._refused[file.name] = str(error)
            return True
        self._stored[file.name] = file.version
        self._not_ours.discard(file.name)
        return True

    def _delete(self, uploads: CheckpointUploads, names: set[str]) -> None:
        for name in sorted(names - self._not_ours):
            self._tick()
            uploads.remove(name)
            del self._stored[name]

    def _look(self) -> None:
        begin = time.monotonic()
        self._watch.look(self._stored)
        self._looked_at = time.monotonic()
        self._pause = max(self._look_seconds, (self._looked_at - begin) / _MOST_LOOKING)
        for name in self._watch.skipped - self._warned_of:
            _log.warning("checkpoint %s is not stored: its name is no UTF-8", name)
        self._warned_of |= self._watch.skipped

    def _tick(self) -> None:
        """Within a long upload: looks on, so that it is known what was whole when."""
        if self._cancelled.is_set():
            raise CancelledError(f"stopped uploading checkpoints to {self._places.uri}")
        due = time.monotonic() >= self._looked_at + self._pause
        if due and not self._script_ended.is_set():
            self._look()

    def _note_failure(self, error: PipeModeDatasetException) -> float:
        """Returns how long to wait, in seconds."""
        if not self._failures:
            _log.warning("checkpoints are not stored now, and tried again: %s", error)
        self._failures += 1
        return min(_MOST_WAIT_SECONDS, self._look_seconds * 2.0**self._failures)

    def _note_success(self) -> None:
        if self._failures:
            _log.warning("checkpoints are stored again, in %s", self._places.uri)
        self._failures = 0

    def _rescued(self, error: PipeModeDatasetException) -> PipeModeDatasetException:
        """Puts the folder where it outlives the job, and says so."""
        missing = {name for name, _ in self._pending()} | set(self._refused)
        try:
            shutil.move(self._places.folder, self._places.rescue)
            kept = f"all that the script saved is in {self._places.rescue}"
        except OSError as refused:
            kept = f"and they cannot be kept in {self._places.rescue}: {refused}"
        message = (
            f"checkpoints cannot be stored in {self._places.uri}: {error}; missing there: "
            f"{_listed(missing)}; {kept}"
        )
        _log.error("%s", message)
        return type(error)(message)


def _listed(names: set[str]) -> str:
    """Some of the names."""
    some = ", ".join(sorted(names)[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    return f"{some} and {more} more" if more > 0 else some
