"""The formats that results are written in, by the names that Accept may have."""

from __future__ import annotations

from sagemaker_tensorflow.errors import InvalidArgumentError

JSON = "application/json"
JSON_LINES = "application/jsonlines"
CSV = "text/csv"
NPY = "application/x-npy"
TFRECORD = "application/x-tfrecord"
PARQUET = "application/x-parquet"

MEDIA_TYPES = (JSON, JSON_LINES, CSV, NPY, TFRECORD, PARQUET)

# Without an Accept the answer is JSON, as TensorFlow Serving's.
_ALIASES = {
    "": JSON,
    "*/*": JSON,
    "application/*": JSON,
    "application/jsons": JSON_LINES,
    "application/x-jsonlines": JSON_LINES,
    "application/x-ndjson": JSON_LINES,
    "application/x-tfexample": TFRECORD,
    # https://www.iana.org/assignments/media-types/application/vnd.apache.parquet
    "application/vnd.apache.parquet": PARQUET,
}


def canonical_media_type(accept: str) -> str:
    """Which of `MEDIA_TYPES` an Accept asks for; its parameters and its case do not matter.

    Raises:
        InvalidArgumentError: None of them.
    """
    name = accept.partition(";")[0].strip().lower()
    name = _ALIASES.get(name, name)
    if name not in MEDIA_TYPES:
        raise InvalidArgumentError(
            f"accept={accept!r} is no format that results can be written in; there are "
            f"{', '.join(MEDIA_TYPES)}"
        )
    return name
