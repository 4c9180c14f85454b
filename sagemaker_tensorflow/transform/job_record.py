"""``job.json``: what a transform job is, did and met with, for people and for programs.

It lies at ``<output>/.smtf-transform/<job name>/job.json``: under the job's name, because several
jobs may write to one output path, and those with equal settings share their ledger, which therefore
lies elsewhere. Written anew, atomically, while the job runs and when it ends.

The upper half are the fields of DescribeTransformJob, with the names and the types that boto3 gives
them, but for times, which are ISO 8601 texts in UTC
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTransformJob.html). Under
``Progress`` follows what the service does not tell.
"""

from __future__ import annotations

import json
import math
import threading
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.job_progress import ProgressSnapshot
from sagemaker_tensorflow.transform.output_keys import BOOKKEEPING_FOLDER
from sagemaker_tensorflow.transform.output_store import OutputStore
from sagemaker_tensorflow.transform.spec import UNBOUNDED_PAYLOAD, TransformSpec

# The service's, and one of ours, for jobs that keep the good records of objects with bad ones.
STATUSES = (
    "InProgress",
    "Completed",
    "CompletedWithErrors",
    "Failed",
    "Stopping",
    "Stopped",
)
_ENDED = ("Completed", "CompletedWithErrors", "Failed", "Stopped")
# FailureReason, API_DescribeTransformJob.html.
_MOST_REASON_LETTERS = 1024
_MEBIBYTE = 1 << 20


def job_folder(job_name: str) -> str:
    """Where a job's record, log and report lie, relative to the output path; ends in ``/``."""
    return f"{BOOKKEEPING_FOLDER}/{job_name}/"


class JobRecord:
    """A job's record. Thread-safe.

    Args:
        store: The job's output.
        spec: With a `job_name`.
        digest: `settings_digest`.

    Raises:
        InvalidArgumentError: The job has no name.
    """

    def __init__(self, store: OutputStore, spec: TransformSpec, digest: str = "") -> None:
        if not spec.job_name:
            raise InvalidArgumentError("a transform job needs a name for its record")
        self._store = store
        self._name = f"{job_folder(spec.job_name)}job.json"
        self._lock = threading.Lock()
        self._fields = {
            **_request_fields(spec),
            "TransformJobStatus": "InProgress",
            "CreationTime": _now(),
            "SettingsDigest": digest,
        }

    @property
    def uri(self) -> str:
        """Of ``job.json``."""
        return self._store.uri_of(self._name)

    @property
    def status(self) -> str:
        """One of `STATUSES`."""
        with self._lock:
            return str(self._fields["TransformJobStatus"])

    def start(self) -> None:
        """The model is loaded, the input is listed: transforming begins."""
        with self._lock:
            self._fields.setdefault("TransformStartTime", _now())

    def set_status(self, status: str, reason: str = "") -> None:
        """Says how it goes; the times of starting and ending follow from that.

        Args:
            status: One of `STATUSES`.
            reason: Why it failed; cut to the 1,024 characters that the service gives.

        Raises:
            InvalidArgumentError: There is no such status.
        """
        if status not in STATUSES:
            raise InvalidArgumentError(f"{status!r} is no status: {', '.join(STATUSES)}")
        with self._lock:
            self._fields["TransformJobStatus"] = status
            if reason:
                self._fields["FailureReason"] = _cut(reason)
            if status in _ENDED:
                self._fields["TransformEndTime"] = _now()

    def describe(self, now: ProgressSnapshot) -> dict[str, Any]:
        """The whole record, as it is written."""
        with self._lock:
            fields = dict(self._fields)
        return {**fields, "Progress": _progress_fields(now)}

    def write(self, now: ProgressSnapshot) -> None:
        """Replaces ``job.json``.

        Raises:
            PipeModeDatasetException: It cannot be written.
        """
        text = json.dumps(_finite(self.describe(now)), indent=2, allow_nan=False)
        self._store.write_small(self._name, text.encode() + b"\n")


def _request_fields(spec: TransformSpec) -> dict[str, Any]:
    """A CreateTransformJob request that asks for this job, as far as it can be said in one."""
    processing = spec.data_processing
    payload_bytes = 0 if spec.max_payload_bytes == UNBOUNDED_PAYLOAD else spec.max_payload_bytes
    fields: dict[str, Any] = {
        "TransformJobName": spec.job_name,
        "ModelName": spec.model,
        "MaxConcurrentTransforms": spec.max_concurrent_transforms,
        "MaxPayloadInMB": math.ceil(payload_bytes / _MEBIBYTE),
        "BatchStrategy": spec.strategy,
        "ModelClientConfig": {
            "InvocationsTimeoutInSeconds": spec.timeout_seconds,
            "InvocationsMaxRetries": spec.max_retries,
        },
        "Environment": dict(spec.environment),
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": spec.data_type, "S3Uri": spec.input_uri}},
            "ContentType": spec.content_type,
            "CompressionType": spec.compression,
            "SplitType": spec.split_type,
        },
        "TransformOutput": {
            "S3OutputPath": spec.output_uri,
            "Accept": spec.accept,
            "AssembleWith": spec.assemble_with,
        },
        "DataProcessing": {
            "InputFilter": processing.input_filter,
            "OutputFilter": processing.output_filter,
            "JoinSource": processing.join_source,
        },
    }
    settings = ("signature", "on_error", "batch_size", "jit_compile", "mixed_precision")
    return {**fields, "Settings": {name: getattr(spec, name) for name in settings}}


def _progress_fields(now: ProgressSnapshot) -> dict[str, Any]:
    return {
        "Seconds": now.seconds,
        "Objects": {
            "Total": now.objects,
            "Done": now.objects_done,
            "Skipped": now.objects_skipped,
            "Failed": now.objects_failed,
            "WithErrors": now.objects_with_errors,
        },
        "Records": {"Done": now.records, "Failed": now.records_failed},
        "Bytes": {"Expected": now.bytes_expected, "In": now.bytes_in, "Out": now.bytes_out},
        "Retries": now.retries,
        "StageSeconds": now.stage_seconds,
        "BatchSizes": now.batch_sizes.to_json(),
        "BatchSeconds": now.batch_seconds.to_json(),
        "Samples": [asdict(sample) for sample in now.samples],
        "Failures": [asdict(failure) for failure in now.failures],
    }


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def _cut(reason: str) -> str:
    if len(reason) <= _MOST_REASON_LETTERS:
        return reason
    return reason[: _MOST_REASON_LETTERS - 3] + "..."


def _finite(value: Any) -> Any:
    """JSON has no infinity and no NaN; readers get null for one."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
