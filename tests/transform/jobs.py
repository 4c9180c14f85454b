"""Jobs that have run, for tests of what is written about them."""

from __future__ import annotations

from sagemaker_tensorflow.transform.job_progress import JobProgress, ProgressSnapshot
from sagemaker_tensorflow.transform.spec import TransformSpec
from tests.transform.inputs import make_object

SPEC = TransformSpec(
    "s3://models/m.tar.gz",
    "s3://in/data/",
    "s3://out/results",
    job_name="nightly-1",
    content_type="text/csv",
    split_type="Line",
    accept="application/jsonlines",
    assemble_with="Line",
    max_payload_bytes=(1 << 20) + 1,
    environment=(("KEY", "value"),),
)


def some_progress(reason: str = "row 3 has 2 columns instead of 4") -> ProgressSnapshot:
    """Of twelve seconds, with one object done, one skipped, one failed."""
    seconds = 0.0
    progress = JobProgress(lambda: seconds)
    progress.expect(4, 10_000)
    progress.skip_objects(1)
    for step in range(12):
        seconds = step + 1.0
        progress.add_read(500)
        progress.add_records(make_object("good"), 100 + 10 * step)
        progress.add_written(make_object("good"), 900)
        progress.add_batch(32 << step % 3, 0.004 * (step + 1))
        progress.add_stage("infer", 0.7)
        progress.add_stage("read", 0.2)
        progress.sample()
    progress.object_done(make_object("good", 0))
    progress.record_failed(make_object("bad", 1), reason)
    progress.object_failed(make_object("bad", 1), "no result")
    return progress.snapshot()
