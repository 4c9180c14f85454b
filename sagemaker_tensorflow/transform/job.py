"""A transform job, from its settings to its record."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TextIO

from sagemaker_tensorflow.errors import (
    InvalidArgumentError,
    NotFoundError,
    PipeModeDatasetException,
)
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.progress import TerminalLine
from sagemaker_tensorflow.ray_cluster import RayOptions
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.transform.error_file import objects_with_error_files
from sagemaker_tensorflow.transform.input_list import InputList
from sagemaker_tensorflow.transform.input_objects import list_inputs
from sagemaker_tensorflow.transform.job_lease import job_lease
from sagemaker_tensorflow.transform.job_log import JobLog
from sagemaker_tensorflow.transform.job_progress import JobProgress, ObjectFailure, ProgressSnapshot
from sagemaker_tensorflow.transform.job_record import JobRecord, job_folder
from sagemaker_tensorflow.transform.job_stream import too_large
from sagemaker_tensorflow.transform.ledger import Ledger
from sagemaker_tensorflow.transform.metrics import MetricsServer
from sagemaker_tensorflow.transform.model_files import fetch_model
from sagemaker_tensorflow.transform.object_results import ObjectResults, Piece
from sagemaker_tensorflow.transform.opened_work import OpenedWork, open_local_work
from sagemaker_tensorflow.transform.output_keys import check_collisions
from sagemaker_tensorflow.transform.output_store import OutputStore, open_output_store
from sagemaker_tensorflow.transform.progress_line import LiveProgress
from sagemaker_tensorflow.transform.quantities import counted
from sagemaker_tensorflow.transform.records import InputObject
from sagemaker_tensorflow.transform.report import write_report
from sagemaker_tensorflow.transform.results_as_inputs import check_results_are_no_inputs
from sagemaker_tensorflow.transform.spec import TransformSpec
from sagemaker_tensorflow.transform.temporary_folders import temporary_folder
from sagemaker_tensorflow.transform.transform_request import check_spec, spec_from_request

_log = logging.getLogger(__name__)

_SHOWN_FAILURES = 5


@dataclass(frozen=True)
class JobResult:
    """What came of a job.

    Attributes:
        status: ``Completed``, ``CompletedWithErrors``, ``Failed`` or ``Stopped``.
        job_name: Of the job.
        failure_reason: Why it failed; "" if it did not.
        objects: In the input.
        objects_done: Their result was written by this run.
        objects_skipped: Their result was there already.
        objects_failed: They have none.
        records: That this run has results of, also those of objects that failed later.
        records_failed: Of this run, without one.
        seconds: From the first request for data to the last result.
        failures: Objects that failed or lack records; the first of them.
        record_uri: Of ``job.json``.
        report_uri: Of ``report.html``.
    """

    status: str
    job_name: str
    failure_reason: str
    objects: int
    objects_done: int
    objects_skipped: int
    objects_failed: int
    records: int
    records_failed: int
    seconds: float
    failures: tuple[ObjectFailure, ...]
    record_uri: str
    report_uri: str

    def summary(self) -> str:
        """A few lines for people."""
        parts = [f"{self.objects_done:,} of {counted(self.objects, 'object')}"]
        if self.objects_skipped:
            parts.append(f"{self.objects_skipped:,} finished before")
        parts.append(counted(self.records, "record"))
        if self.objects_failed:
            parts.append(f"{counted(self.objects_failed, 'object')} failed")
        if self.records_failed:
            parts.append(f"{counted(self.records_failed, 'record')} failed")
        some = self.records > 0 and self.seconds > 0
        rate = f"; {self.records / self.seconds:,.0f} records/s" if some else ""
        lines = [f"{self.job_name}: {self.status}", f"  {', '.join(parts)}{rate}"]
        lines += [f"  {_failure_words(failure)}" for failure in self.failures[:_SHOWN_FAILURES]]
        if len(self.failures) > _SHOWN_FAILURES:
            lines.append(f"  ... {self.record_uri} has the others")
        return "\n".join([*lines, f"  report: {self.report_uri}"])


class TransformJob:
    """Runs a model over the objects of an input, once.

    Args:
        spec: What to do.
        s3_options: How to reach S3.
        prefetch: The prefetcher's numbers.
        devices: TensorFlow's names of the devices to use; None for all GPUs, or the CPU.
        ray: Run on this cluster, with as many actors as the spec's `instance_count` says, each of
            which uses what it gets there. None runs on this machine.
        metrics_port: Serve Prometheus metrics on this port of the loopback; 0 for a free one.
        progress: A terminal's line for progress.
        progress_stream: Where there is no such line, gets one every 30 s.

    Raises:
        InvalidArgumentError: A value of `spec` is not allowed, or devices are named for Ray.
    """

    def __init__(
        self,
        spec: TransformSpec,
        *,
        s3_options: S3Options | None = None,
        prefetch: PrefetchConfig | None = None,
        devices: Sequence[str] | None = None,
        ray: RayOptions | None = None,
        metrics_port: int | None = None,
        progress: TerminalLine | None = None,
        progress_stream: TextIO | None = None,
    ) -> None:
        check_spec(spec)
        if ray is not None and devices is not None:
            raise InvalidArgumentError(
                f"devices={devices!r}: an actor of Ray uses the GPUs that it gets; set num_gpus"
            )
        self._spec = spec
        self._s3_options = s3_options or S3Options()
        self._prefetch = prefetch or PrefetchConfig()
        self._devices = devices
        self._ray = ray
        self._metrics_port = metrics_port
        self._line = progress
        self._stream = progress_stream

    @classmethod
    def from_request(cls, request: Mapping[str, Any], model: str, **options: Any) -> TransformJob:
        """A job of a CreateTransformJob request.

        Args:
            request: Its members, as boto3 takes them.
            model: Where the model is that ``ModelName`` stands for.
            options: As for the class.

        Raises:
            InvalidArgumentError: The service would refuse the request.
        """
        return cls(spec_from_request(request, model), **options)

    def run(self) -> JobResult:
        """Runs the job to its end.

        Returns:
            What came of it, also if objects failed.

        Raises:
            PipeModeDatasetException: It cannot begin, or cannot go on: the model or the input is
                not there, settings do not go together, results cannot be written.
            KeyboardInterrupt: It was interrupted. Run again, it goes on.
        """
        with contextlib.ExitStack() as stack:
            opened = stack.enter_context(self._open_work())
            output = opened.work.spec.output_uri
            store = open_output_store(output, self._s3_options, owner=opened.owner)
            stack.callback(store.close)
            return _Run(self, opened, store).run()

    def _open_work(self) -> AbstractContextManager[OpenedWork]:
        if self._ray is None:
            return open_local_work(self._spec, self._s3_options, self._devices)
        from sagemaker_tensorflow.transform.ray_work import open_ray_work

        return open_ray_work(self._spec, self._s3_options, self._prefetch, self._ray)


class _Run:
    """What a job has while it runs."""

    def __init__(self, job: TransformJob, opened: OpenedWork, store: OutputStore) -> None:
        self._job = job
        self._work = opened.work
        self._spec = opened.work.spec
        self._store = store
        self._progress = JobProgress()
        self._record = JobRecord(store, self._spec, opened.digest)
        self._ledger = Ledger(store, opened.digest)
        self._lacking_before = 0  # objects that an earlier run finished without all records

    def run(self) -> JobResult:
        objects = list_inputs(self._spec.input_uri, self._spec.data_type, self._job._s3_options)
        if not objects:
            raise NotFoundError(
                f"there is nothing to transform under {self._spec.input_uri}: no object was found; "
                "look at the prefix, and at data_type if it is a manifest"
            )
        check_collisions(objects, local=self._store.folder is not None)
        check_results_are_no_inputs(self._spec, objects)
        # The first things that are written: who may not write learns it before any work is done.
        with self._metrics(), job_lease(self._store, self._spec):
            self._record.write(self._progress.snapshot())
            with JobLog(self._store, self._spec.job_name):
                return self._run_logged(objects)

    def _run_logged(self, objects: InputList) -> JobResult:
        try:
            # Closed before the outcome is written, lest its thread writes an older state over it.
            with self._live():
                self._transform(objects)
        except KeyboardInterrupt:
            self._end("Stopped", "")
            raise
        except BaseException as error:
            self._end("Failed", str(error) or type(error).__name__)
            raise
        status, reason = self._outcome()
        self._end(status, reason)
        result = self._result(status, reason)
        level = {"Completed": logging.INFO, "Failed": logging.ERROR}.get(status, logging.WARNING)
        _log.log(level, "%s", result.summary())
        return result

    def _transform(self, objects: InputList) -> None:
        self._store.clean_left_overs()
        finished = {} if self._spec.overwrite else self._ledger.finished(objects)
        missing = _without(objects, finished)
        size = objects.bytes if missing is objects else sum(obj.size for obj in missing)
        self._progress.expect(len(objects), size)
        self._progress.skip_objects(len(finished))
        self._lacking_before = sum(entry.failed_records > 0 for entry in finished.values())
        to_do = counted(len(missing), "object")
        _log.info("%s to transform, %s finished before", to_do, f"{len(finished):,}")
        _log.info("records are taken as %s", self._spec.content_type)
        self._record.start()
        if not missing:
            return
        try:
            with ObjectResults(
                self._store,
                self._ledger,
                self._progress,
                keep_good=self._spec.on_error == "record",
                content_type=self._work.result_type,
                stale_errors=objects_with_error_files(self._store, missing),
            ) as results:
                left = self._without_too_large(missing, results)
                options = self._job._s3_options, self._job._prefetch
                if left:
                    self._work.transform(left, results, self._progress, *options)
        finally:
            self._ledger.close()

    def _without_too_large(
        self, objects: Sequence[InputObject], results: ObjectResults
    ) -> Sequence[InputObject]:
        refused = {o.index: why for o in objects if (why := too_large(self._spec, o)) is not None}
        if not refused:
            return objects
        for obj in objects:
            if obj.index in refused:
                results.add(obj, Piece(failures=[refused[obj.index]], ended=True))
                self._progress.add_read(obj.size)  # nobody waits for it
        return [obj for obj in objects if obj.index not in refused]

    def _outcome(self) -> tuple[str, str]:
        now = self._progress.snapshot()
        if not now.objects_with_errors and not self._lacking_before:
            return "Completed", ""
        if self._spec.on_error == "record" and now.objects_done + now.objects_skipped:
            return "CompletedWithErrors", ""
        causes = "; ".join(_failure_words(failure) for failure in now.failures[:_SHOWN_FAILURES])
        failed = counted(now.objects_failed, "object")
        return "Failed", f"{failed} of {now.objects:,} without a result: {causes}"

    def _end(self, status: str, reason: str) -> None:
        self._record.set_status(status, reason)
        now = self._progress.snapshot()
        try:
            self._record.write(now)
            write_report(self._store, self._record.describe(now))
        except PipeModeDatasetException as error:
            # The outcome counts, and what keeps the record from being written has been told.
            _log.error("cannot write the job's record: %s", error)

    @property
    def _report_name(self) -> str:
        return f"{job_folder(self._spec.job_name)}report.html"

    def _result(self, status: str, reason: str) -> JobResult:
        now = self._progress.snapshot()
        return JobResult(
            status=status,
            job_name=self._spec.job_name,
            failure_reason=reason,
            objects=now.objects or 0,
            objects_done=now.objects_done,
            objects_skipped=now.objects_skipped,
            objects_failed=now.objects_failed,
            records=now.records,
            records_failed=now.records_failed,
            seconds=now.seconds,
            failures=now.failures,
            record_uri=self._record.uri,
            report_uri=self._store.uri_of(self._report_name),
        )

    @contextlib.contextmanager
    def _metrics(self) -> Iterator[None]:
        if self._job._metrics_port is None:
            yield
            return
        with MetricsServer(self._progress, self._job._metrics_port) as server:
            _log.info("metrics are at http://127.0.0.1:%d/metrics", server.port)
            yield

    def _live(self) -> LiveProgress:
        return LiveProgress(
            self._progress,
            stream=self._job._stream,
            line=self._job._line,
            publish=self._publish,
        )

    def _publish(self, now: ProgressSnapshot) -> None:
        self._record.write(now)


def describe_model(uri: str, s3_options: S3Options | None = None) -> str:
    """All signatures of a model, for people.

    Raises:
        PipeModeDatasetException: It is not there, or cannot be loaded.
    """
    from sagemaker_tensorflow.transform.saved_models import describe_signatures

    with temporary_folder() as folder:
        return describe_signatures(fetch_model(uri, folder, s3_options).model)


def _without(objects: InputList, finished: Container[int]) -> Sequence[InputObject]:
    """Those with other indices, without making objects that nobody needs."""
    if not finished:
        return objects
    return [objects[index] for index in range(len(objects)) if index not in finished]


def _failure_words(failure: ObjectFailure) -> str:
    what = "failed" if failure.failed else f"{counted(failure.failed_records, 'record')} failed"
    return f"{failure.uri}: {what}: {failure.reasons[0] if failure.reasons else ''}"
