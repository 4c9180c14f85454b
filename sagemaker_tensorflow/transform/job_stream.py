"""The records of a job's objects and the payloads that they make, as its settings say."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.process_handle import ProcessHandle
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.transform.job_progress import JobProgress
from sagemaker_tensorflow.transform.object_stream import ObjectStream
from sagemaker_tensorflow.transform.payloads import PayloadMaker
from sagemaker_tensorflow.transform.records import InputObject, RecordChunk, RecordFailure
from sagemaker_tensorflow.transform.spec import TransformSpec
from sagemaker_tensorflow.transform.steps import StepMaker

# A record over the bound on payloads fails by itself; the reader's own bound only keeps a broken
# header from taking all of the memory.
_MOST_RECORD_BYTES = 1 << 30


def open_stream(
    spec: TransformSpec,
    objects: Sequence[InputObject],
    s3_options: S3Options,
    prefetch: PrefetchConfig,
    packed: bool = False,
    process: ProcessHandle | None = None,
) -> ObjectStream:
    """The records of a job's objects; for `packed` and `process` see `ObjectStream`."""
    return ObjectStream(
        objects,
        split_type=spec.split_type,
        gunzip=spec.compression == "Gzip",
        max_record_bytes=_most_record_bytes(spec),
        config=prefetch,
        s3_options=s3_options,
        packed=packed,
        process=process,
    )


def payload_steps(
    spec: TransformSpec, chunks: Iterable[RecordChunk], progress: JobProgress
) -> StepMaker:
    """The payloads of what `open_stream` gives, a list of steps for each chunk."""
    make_payloads = functools.partial(
        PayloadMaker, spec.strategy, spec.split_type, spec.max_payload_bytes
    )
    return StepMaker(chunks, make_payloads, progress, spec.compression != "None")


def too_large(spec: TransformSpec, source: InputObject) -> RecordFailure | None:
    """Why an object need not be fetched: it is one record, and its size says that it is too long.

    Compressed, only reading it tells.
    """
    most = _most_record_bytes(spec)
    if spec.split_type != "None" or spec.compression != "None" or source.size <= most:
        return None
    raising = "raise max_payload, or " if most < _MOST_RECORD_BYTES else ""
    return RecordFailure(
        0,
        0,
        f"the object's {source.size} bytes are one record, which may have {most}; "
        f"{raising}set split_type if it holds several (max_payload is {spec.max_payload_bytes})",
    )


def _most_record_bytes(spec: TransformSpec) -> int:
    if spec.split_type != "None":
        return _MOST_RECORD_BYTES
    return min(spec.max_payload_bytes, _MOST_RECORD_BYTES)
