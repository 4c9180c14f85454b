"""What keeps an object from being read to its end, in the words of a job's settings.

Readers and prefetcher (`object_stream`) say which object they mean and name the arguments that they
were given: ``s3://b/k: record 3 at byte 40: ... check record_format``. Whoever runs a job set a
SplitType and a MaxPayloadInMB, knows of no channels, and reads the object's name beside the
message.
"""

from __future__ import annotations

from sagemaker_tensorflow.errors import CorruptRecordError, PipeModeDatasetException
from sagemaker_tensorflow.transform.records import InputObject

_DO_NOT_WRITE = "do not write to a job's input while it runs, and run it again"
# csrc/framing: stream_reader.cc, tfrecord_reader.cc, recordio_reader.cc, object_record_reader.cc;
# csrc/prefetch/file_object_source.cc, csrc/s3/s3_error.cc, csrc/encoding/gzip_inflater.cc.
_IN_A_JOB = (
    ("the stream", "the object"),
    ("do not write to a channel's files while they are streamed", _DO_NOT_WRITE),
    ("do not write to files while they are streamed", _DO_NOT_WRITE),
    ("do not write to a channel while it is streamed", _DO_NOT_WRITE),
    ("set the channel's compression", "set compression"),
    ("check record_format", "check split_type"),
    ("and max_record_bytes is", "and a record may have"),
    (
        "raise max_record_bytes if records may be that long, and check that record_format is",
        "check that split_type is",
    ),
    ("of more than max_record_bytes =", "of more than"),
    (
        "raise the bound, or split the object into records",
        "raise max_payload, or set split_type if it holds several",
    ),
)


def in_words_of_a_job(failure: Exception, source: InputObject) -> Exception:
    """The same failure, told without the object's name in front and with the names of settings."""
    if not isinstance(failure, PipeModeDatasetException):
        return failure
    text = str(failure)
    for name in (source.uri, source.name):  # of objects in S3, and of files
        text = text.removeprefix(f"{name}: ").removeprefix(f"{name} ")
    for theirs, ours in _IN_A_JOB:
        text = text.replace(theirs, ours)
    if isinstance(failure, CorruptRecordError) and vars(failure).get("record_index") == 0:
        text = _with_advice(text)
    told = type(failure)(text)
    vars(told).update(vars(failure))  # a corrupt record's number and offset
    return told


def _with_advice(text: str) -> str:
    """Where even the first record is none, the object may well be of another format."""
    return text if "split_type" in text else f"{text}; check split_type"
