"""What runs in each actor: a replica of the model, a prefetcher, and writers of results.

An actor gets objects from its driver and writes their results to the job's output itself, so that
no data passes the driver. It does with them what a job on one machine does (`work.Work`), in
sessions: one lasts as long as objects come, and has one prefetcher and one engine.

The class is a plain one: `ray_pool` makes an actor of it. Its methods are called one at a time.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from sagemaker_tensorflow.errors import (
    CancelledError,
    FailedPreconditionError,
    NotFoundError,
    PipeModeDatasetException,
)
from sagemaker_tensorflow.locations import LocalLocation, parse_location
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.ray_cluster import this_node
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.transform.coming_objects import ComingObjects, Waiting
from sagemaker_tensorflow.transform.job_lease import lease_name
from sagemaker_tensorflow.transform.job_listeners import LISTENERS
from sagemaker_tensorflow.transform.object_results import ObjectResults
from sagemaker_tensorflow.transform.opened_work import OpenedWork, open_local_work
from sagemaker_tensorflow.transform.output_store import OutputStore, open_output_store
from sagemaker_tensorflow.transform.ray_report import Failure, LogLine, Report, Reporter
from sagemaker_tensorflow.transform.records import InputObject
from sagemaker_tensorflow.transform.spec import TransformSpec

_log = logging.getLogger(__name__)

# An actor is asked again at once: this is how long it says nothing, and cannot be told anything.
_SILENT_SECONDS = 0.25
_JOIN_SECONDS = 10.0
# Objects that are begun with however long they take, besides those that `Work.held_back` needs: one
# is computed, one fetched, and two may be withheld as failures (`object_stream`).
_LEAST_AHEAD = 4
# TensorFlow's own, and what Ray sets to the CPUs of an actor, or to 1 where it was given none.
_INTRA_OP_THREADS = "TF_NUM_INTRAOP_THREADS"
_INTER_OP_THREADS = "TF_NUM_INTEROP_THREADS"
_OMP_THREADS = "OMP_NUM_THREADS"


@dataclass(frozen=True)
class ActorSettings:
    """What an actor is told when it is made.

    Attributes:
        spec: The job's.
        s3_options: How to reach S3 from its node.
        prefetch: The prefetcher's numbers.
        threads: That TensorFlow computes with; None for those of the node.
    """

    spec: TransformSpec
    s3_options: S3Options
    prefetch: PrefetchConfig
    threads: int | None


@dataclass(frozen=True)
class Opened:
    """An actor's model is loaded, or cannot be.

    Attributes:
        spec: The job's, with its defaults filled in.
        result_type: MIME type of the results.
        model_identity: Of the model's files that it found.
        failure: Why there is no model.
    """

    spec: TransformSpec
    result_type: str = ""
    model_identity: str = ""
    failure: Failure | None = None


@dataclass(frozen=True)
class HandOut:
    """What a driver gives and wants back.

    Attributes:
        objects: To transform.
        with_error_files: Those of them, by index, of which an earlier run left a file of errors.
        take_back_bytes: Objects of so many bytes go to somebody else, if they were not begun with:
            one at least. 0 takes none.
        more: The driver has others, or may get some back from another actor.
        enough_objects: While this many wait, the driver need not hear of it.
        enough_bytes: The same.
    """

    objects: Sequence[InputObject] = ()
    with_error_files: frozenset[int] = frozenset()
    take_back_bytes: int = 0
    more: bool = True
    enough_objects: int = 0
    enough_bytes: int = 0


class TransformActor:
    """Transforms objects that it is handed.

    Args:
        settings: What the driver knows.
    """

    def __init__(self, settings: ActorSettings) -> None:
        self._settings = settings
        self._stack = contextlib.ExitStack()
        self._opened: OpenedWork | None = None
        self._store: OutputStore | None = None
        self._with_error_files: set[int] = set()
        self._current: ComingObjects | None = None
        self._sessions: queue.SimpleQueue[ComingObjects | None] = queue.SimpleQueue()
        self._reporter = Reporter(self._ended)
        self._thread = threading.Thread(target=self._run, name="smtf-sessions", daemon=True)

    def node(self) -> str:
        """Where it has its place."""
        return this_node()

    def open(self) -> Opened:
        """Loads the model. To be called once, before objects are handed out."""
        settings = self._settings
        _choose_threads(settings.threads)
        listener = _Listener(self._reporter)
        LISTENERS.add(listener, logging.INFO)
        self._stack.callback(LISTENERS.remove, listener)
        try:
            self._opened = self._stack.enter_context(
                open_local_work(settings.spec, settings.s3_options)
            )
        except PipeModeDatasetException as error:
            return Opened(settings.spec, failure=Failure.of(_advised(error, settings.spec)))
        work = self._opened.work
        return Opened(work.spec, work.result_type, self._opened.model_identity)

    def exchange(self, hand_out: HandOut) -> Report:
        """Takes objects and tells what happened since; waits a moment if nothing did."""
        self._with_error_files |= hand_out.with_error_files
        self._take(hand_out)
        given_back = []
        if hand_out.take_back_bytes and self._current is not None:
            given_back = self._current.take_back(hand_out.take_back_bytes)
        hungry = hand_out.more and self._is_hungry(hand_out)
        report = self._reporter.take(0.0 if hungry or given_back else _SILENT_SECONDS)
        report.given_back = [obj.index for obj in given_back]
        report.waiting = self._waiting()
        return report

    def stop(self) -> None:
        """Takes back what is under way, and lets go of everything."""
        if self._current is not None:
            self._current.cancel(CancelledError("the job was stopped"))
        self._sessions.put(None)
        if self._thread.is_alive():
            self._thread.join(_JOIN_SECONDS)
        if self._store is not None:
            self._store.close()
        self._stack.close()

    def _take(self, hand_out: HandOut) -> None:
        taken = self._current is not None and self._current.add(hand_out.objects, hand_out.more)
        if taken or not hand_out.objects:
            return
        assert self._opened is not None  # noqa: S101 - for mypy: `open` came first
        least_ahead = _LEAST_AHEAD + self._opened.work.held_back
        self._current = ComingObjects(hand_out.objects, least_ahead)
        self._current.add((), hand_out.more)
        self._sessions.put(self._current)
        if self._thread.ident is None:
            self._thread.start()

    def _is_hungry(self, hand_out: HandOut) -> bool:
        waiting = self._waiting()
        return waiting.objects < hand_out.enough_objects and waiting.bytes < hand_out.enough_bytes

    def _waiting(self) -> Waiting:
        return Waiting() if self._current is None else self._current.waiting()

    def _ended(self, obj: InputObject) -> None:
        if self._current is not None:
            self._current.ended(obj)

    # The thread of the sessions.

    def _run(self) -> None:
        try:
            while (coming := self._sessions.get()) is not None:
                self._transform(coming)
        except PipeModeDatasetException as error:
            self._reporter.fail(Failure.of(error))
        except BaseException as error:
            _log.error("an actor cannot go on", exc_info=True)
            self._reporter.fail(Failure("Internal", f"{type(error).__name__}: {error}"))

    def _transform(self, coming: ComingObjects) -> None:
        assert self._opened is not None  # noqa: S101 - there are no objects before
        work = self._opened.work
        settings = self._settings
        with ObjectResults(
            self._open_store(self._opened),
            self._reporter,
            self._reporter,
            keep_good=work.spec.on_error == "record",
            content_type=work.result_type,
            stale_errors=self._with_error_files,
        ) as results:
            work.transform(coming, results, self._reporter, settings.s3_options, settings.prefetch)

    def _open_store(self, opened: OpenedWork) -> OutputStore:
        if self._store is None:
            spec = opened.work.spec
            store = open_output_store(
                spec.output_uri, self._settings.s3_options, owner=opened.owner
            )
            _check_folders(spec, store)
            self._store = store
        return self._store


class _Listener(logging.Handler):
    """Passes the package's log on to the driver."""

    def __init__(self, reporter: Reporter) -> None:
        super().__init__()
        self._reporter = reporter

    def emit(self, record: logging.LogRecord) -> None:
        """Notes a line, with a traceback if it has one."""
        self._reporter.log(LogLine(record.name, record.levelno, self.format(record)))


def _choose_threads(threads: int | None) -> None:
    # Ray has set this to the actor's CPUs, or to 1 where it was asked for none: then TensorFlow
    # is to find out itself (`replicas.visible_devices`).
    os.environ.pop(_OMP_THREADS, None)
    if threads is not None:
        os.environ[_INTRA_OP_THREADS] = os.environ[_INTER_OP_THREADS] = str(threads)


def _advised(error: PipeModeDatasetException, spec: TransformSpec) -> PipeModeDatasetException:
    if not isinstance(error, NotFoundError) or not _is_local(spec.model):
        return error
    return NotFoundError(f"{error}; every node has to see it there, or give an s3:// URI")


def _check_folders(spec: TransformSpec, store: OutputStore) -> None:
    """Makes sure that local folders are those of the driver.

    Raises:
        FailedPreconditionError: This node has others, or none.
    """
    advice = "of a job on several nodes is in S3, or in a folder that all of them share"
    if store.folder is not None and not store.exists(lease_name(spec)):
        raise FailedPreconditionError(
            f"output {store.uri}: what the driver has begun there is not seen here; the output "
            f"{advice}"
        )
    location = parse_location(spec.input_uri)
    if isinstance(location, LocalLocation) and not location.path.exists():
        raise FailedPreconditionError(
            f"input {spec.input_uri}: there is nothing here; the input {advice}"
        )


def _is_local(uri: str) -> bool:
    return isinstance(parse_location(uri), LocalLocation)
