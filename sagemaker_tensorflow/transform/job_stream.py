"""The records of a job's objects, as its settings say."""

from __future__ import annotations

from collections.abc import Sequence

from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.transform.object_stream import ObjectStream
from sagemaker_tensorflow.transform.records import InputObject
from sagemaker_tensorflow.transform.spec import TransformSpec

# A record over the bound on payloads fails by itself; the reader's own bound only keeps a broken
# header from taking all of the memory.
_MOST_RECORD_BYTES = 1 << 30


def open_stream(
    spec: TransformSpec,
    objects: Sequence[InputObject],
    s3_options: S3Options,
    prefetch: PrefetchConfig,
) -> ObjectStream:
    """The records of a job's objects."""
    whole = spec.split_type == "None"
    return ObjectStream(
        objects,
        split_type=spec.split_type,
        gunzip=spec.compression == "Gzip",
        max_record_bytes=min(spec.max_payload_bytes, _MOST_RECORD_BYTES)
        if whole
        else _MOST_RECORD_BYTES,
        config=prefetch,
        s3_options=s3_options,
    )
