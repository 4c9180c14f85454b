"""Of real files that are not what the job takes them for."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pytest

from sagemaker_tensorflow.errors import CorruptRecordError, DataLossError
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.transform.input_objects import list_inputs
from sagemaker_tensorflow.transform.job_progress import JobProgress
from sagemaker_tensorflow.transform.job_stream import open_stream, payload_steps
from sagemaker_tensorflow.transform.object_failures import _IN_A_JOB, in_words_of_a_job
from sagemaker_tensorflow.transform.spec import TransformSpec
from tests.transform.inputs import make_object


@pytest.mark.parametrize(
    ("data", "settings", "words"),
    [
        (b"1,2\n" * 9, {"split_type": "TFRecord"}, "or is not TFRecord: check split_type"),
        (b"1,2\n" * 9, {"split_type": "RecordIO"}, "or is not RecordIO: check split_type"),
        (b"1,2\n", {"split_type": "TFRecord"}, "the object ends after 4 of a header's 12 bytes"),
        (b"1,2\n", {"split_type": "RecordIO"}, "was appended to it; check split_type"),
        (b"1,2\n", {"compression": "Gzip"}, "this is not a gzip file: "),
        (
            gzip.compress(bytes(5000)),
            {"compression": "Gzip", "max_payload_bytes": 4096},
            "it is one record of more than 4096 bytes; raise max_payload, or set split_type",
        ),
    ],
)
def test_names_are_those_of_settings(
    data: bytes, settings: dict[str, str], words: str, tmp_path: Path
) -> None:
    (tmp_path / "data").write_bytes(data)
    spec = TransformSpec("m", str(tmp_path / "data"), "out", **settings)  # type: ignore[arg-type]
    objects = list_inputs(spec.input_uri, "S3Prefix", S3Options())
    with open_stream(spec, objects, S3Options(), PrefetchConfig()) as stream:
        steps = [step for few in payload_steps(spec, stream, JobProgress()) for step in few]
    failure = steps[-1].failure
    assert isinstance(failure, DataLossError)
    assert getattr(failure, "byte_offset", 0) == 0
    told = str(failure)
    assert words in told
    theirs = ("record_format", "max_record_bytes", "channel", "stream", str(tmp_path))
    assert not [name for name in theirs if name in told]


@pytest.mark.parametrize(
    ("later", "seen"),
    [
        (b"longer\n", "bytes 0-1: the file has 7 bytes and had 2 when it was listed"),
        (b"2\n", "bytes 0-1: the file was written to after it was listed"),
    ],
)
def test_an_object_that_changed_is_named_beside_its_failure(
    later: bytes, seen: str, tmp_path: Path
) -> None:
    (tmp_path / "data").write_bytes(b"1\n")
    spec = TransformSpec("m", str(tmp_path / "data"), "out", split_type="Line")
    objects = list_inputs(spec.input_uri, "S3Prefix", S3Options())
    (tmp_path / "data").write_bytes(later)
    os.utime(tmp_path / "data", ns=(0, 1))  # clocks of files may stand still for some ms
    with open_stream(spec, objects, S3Options(), PrefetchConfig()) as stream:
        steps = [step for few in payload_steps(spec, stream, JobProgress()) for step in few]
    assert str(steps[-1].failure) == (
        f"{seen}; do not write to a job's input while it runs, and run it again"
    )


def test_a_record_that_is_too_long() -> None:
    """As csrc/framing/stream_reader.cc says it; it takes a gibibyte to see."""
    source = make_object("a")
    told = in_words_of_a_job(
        CorruptRecordError(
            f"{source.uri}: record 0 at byte 0: it has 9 bytes or more, and max_record_bytes is 8; "
            "raise max_record_bytes if records may be that long, and check that record_format is "
            "the format of this data"
        ),
        source,
    )
    assert str(told) == (
        "record 0 at byte 0: it has 9 bytes or more, and a record may have 8; check that split_type"
        " is the format of this data"
    )


def test_every_phrase_is_one_of_the_readers_and_the_prefetcher() -> None:
    """Else somebody has changed an error's words there, and users of jobs read channels' again."""
    sources = Path(__file__).parents[2] / "csrc"
    folders = ("framing", "prefetch", "s3", "encoding")
    code = "\n".join(path.read_text() for name in folders for path in (sources / name).glob("*.cc"))
    literals = re.sub(r'"\s*\n\s*"', "", code)  # adjacent ones are one
    assert [theirs for theirs, _ in _IN_A_JOB if theirs not in literals] == []
