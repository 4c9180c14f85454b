"""A channel whose objects are known by name, size and ETag: a list of them in a local file.

The file passes a list of any length from the process that has it to the prefetcher's, which begins
to stream while the list is still written. Each line is a JSON array of ``[name, size, etag]``; the
first lines are short, and the last is an empty array. The prefetcher removes the file once it has
opened it.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from sagemaker_tensorflow.errors import CancelledError, InternalError
from sagemaker_tensorflow.growing_pages import growing_pages
from sagemaker_tensorflow.listing import ListedObject
from sagemaker_tensorflow.system_errors import translated_os_errors
from sagemaker_tensorflow.training_input import ShuffleConfig

_END: Sequence[ListedObject] = ()
# How often a reader that is ahead of the writer looks again.
_POLL_SECONDS = 0.005


@dataclass(frozen=True)
class ListedObjects:
    """What such a channel streams, once: every object, and where it ends.

    For this package's own use; the reader of its pipe is `_core.ObjectRecords`.

    Attributes:
        list_path: Of the file; see `ObjectListWriter`.
        bucket: Of all objects; None when they are local files.
        gunzip: Decompress each object.
    """

    list_path: str
    bucket: str | None
    gunzip: bool = False

    # What a TrainingInput may have, and these channels have not.
    distribution: ClassVar[str | None] = "FullyReplicated"
    record_wrapping: ClassVar[str | None] = None
    content_type: ClassVar[str | None] = None
    input_mode: ClassVar[str | None] = None
    shuffle_config: ClassVar[ShuffleConfig | None] = None
    attributes: ClassVar[tuple[str, ...]] = ()
    sharded: ClassVar[bool] = False
    pipes_per_channel: ClassVar[int] = 1
    frame_objects: ClassVar[bool] = True

    @property
    def compression(self) -> str | None:
        """As a TrainingInput says it."""
        return "Gzip" if self.gunzip else None

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every attribute."""
        return asdict(self)

    @classmethod
    def from_json(cls, attributes: Mapping[str, Any]) -> ListedObjects:
        """The reverse."""
        return cls(**attributes)


class ObjectListWriter:
    """Writes a list into a temporary file of mode 0600, while it is being read.

    The first line is there when this returns, the others are written by a thread. If that fails
    the list never ends; its reader's owner is told.

    Args:
        objects: What to list; one or more.
        on_failure: Called by the thread with what kept it from writing all of it.
        as_they_come: Write each object as soon as it is there, for iterables that wait for them,
            instead of many at a time.

    Raises:
        PipeModeDatasetException: The file cannot be made, or what iterating raised.
    """

    def __init__(
        self,
        objects: Iterable[ListedObject],
        on_failure: Callable[[Exception], None],
        as_they_come: bool = False,
    ) -> None:
        self._on_failure = on_failure
        self._closed = threading.Event()
        with translated_os_errors("writing a list of objects"):
            descriptor, name = tempfile.mkstemp(prefix="smtf-objects-", suffix=".jsonl")
        self.path = Path(name)
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._pages = ([obj] for obj in objects) if as_they_come else growing_pages(objects)
        self._thread = threading.Thread(target=self._write_rest, name="smtf-list", daemon=True)
        try:
            self._write(next(self._pages))
            self._thread.start()
        except BaseException:
            self._file.close()
            self.path.unlink(missing_ok=True)
            raise

    def close(self) -> None:
        """Stops writing and removes the file. Idempotent."""
        self._closed.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()
        self.path.unlink(missing_ok=True)

    def _write_rest(self) -> None:
        try:
            with self._file:
                for page in self._pages:
                    if self._closed.is_set():
                        return
                    self._write(page)
                self._write(_END)
        except Exception as error:
            self._on_failure(error)

    def _write(self, page: Sequence[ListedObject]) -> None:
        line = memoryview(json.dumps(page, separators=(",", ":")).encode("ascii") + b"\n")
        with translated_os_errors(f"writing {self.path}"):
            while line:
                line = line[self._file.write(line) :]


def read_object_list(path: str, stopped: threading.Event) -> Iterator[list[ListedObject]]:
    """Yields the file's lines, none of them empty, as they come; removes the file at the first.

    Raises:
        CancelledError: `stopped` was set before the list's end.
        PipeModeDatasetException: It cannot be read.
    """
    with translated_os_errors(f"reading {path}"):
        opened = Path(path).open("rb")  # noqa: SIM115 - closed below
        Path(path).unlink()
    with opened as file:
        while page := _parsed(_read_line(file, path, stopped), path):
            yield [(name, size, etag) for name, size, etag in page]


def _read_line(file: BinaryIO, path: str, stopped: threading.Event) -> bytes:
    line = b""
    while True:
        with translated_os_errors(f"reading {path}"):
            line += file.readline()
        if line.endswith(b"\n"):
            return line
        if stopped.wait(_POLL_SECONDS):
            raise CancelledError(f"stopped reading {path}")


def _parsed(line: bytes, path: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise InternalError(f"{path} is not a list of objects: {error}") from error
