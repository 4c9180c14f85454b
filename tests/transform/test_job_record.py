from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import boto3
import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.histogram import HistogramCounts
from sagemaker_tensorflow.transform.job_progress import JobProgress
from sagemaker_tensorflow.transform.job_record import JobRecord
from sagemaker_tensorflow.transform.output_store import OutputStore
from tests.transform.jobs import SPEC, some_progress

NAME = ".smtf-transform/nightly-1/job.json"


def read(store: OutputStore) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(store.read_small(NAME))
    return record


def test_what_is_written(store: OutputStore) -> None:
    record = JobRecord(store, SPEC, "digest")
    assert record.uri == store.uri_of(NAME)
    record.start()
    record.set_status("CompletedWithErrors", "1 of 4 objects has no result")
    record.write(some_progress())
    job = read(store)
    assert job["TransformJobName"] == "nightly-1"
    assert job["TransformJobStatus"] == "CompletedWithErrors"
    assert job["FailureReason"] == "1 of 4 objects has no result"
    assert job["MaxPayloadInMB"] == 2
    assert job["Environment"] == {"KEY": "value"}
    assert job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] == "s3://in/data/"
    assert job["Progress"]["Objects"] == {
        "Total": 4,
        "Done": 1,
        "Skipped": 1,
        "Failed": 1,
        "WithErrors": 1,
    }
    assert job["Progress"]["Records"] == {"Done": 1860, "Failed": 1}
    assert job["Progress"]["Bytes"] == {"Expected": 10_000, "In": 6000, "Out": 10_800}
    assert job["Progress"]["Failures"][0]["reasons"][0] == "row 3 has 2 columns instead of 4"
    assert HistogramCounts.from_json(job["Progress"]["BatchSizes"]).count == 12
    times = [job[f"{name}Time"] for name in ("Creation", "TransformStart", "TransformEnd")]
    assert times == sorted(times)
    assert all(datetime.fromisoformat(time).tzinfo for time in times)


def test_fields_are_those_of_the_service(store: OutputStore, aws: str) -> None:
    """By name, by the service model that botocore ships."""
    shape = boto3.client("sagemaker").meta.service_model.operation_model("DescribeTransformJob")
    output = shape.output_shape
    record = JobRecord(store, SPEC)
    record.start()
    record.set_status("Failed", "because")
    job = record.describe(some_progress())
    ours = {"SettingsDigest", "Settings", "Progress"}
    assert set(job) - ours <= set(output.members)
    for name in ("TransformInput", "TransformOutput", "DataProcessing", "ModelClientConfig"):
        assert set(job[name]) <= set(output.members[name].members)
    required = set(output.required_members) - {"TransformJobArn", "TransformResources"}
    assert required <= set(job)


def test_a_job_that_runs_has_not_ended(store: OutputStore) -> None:
    record = JobRecord(store, SPEC)
    record.write(JobProgress().snapshot())
    job = read(store)
    assert job["TransformJobStatus"] == record.status == "InProgress"
    assert not {"FailureReason", "TransformEndTime", "TransformStartTime"} & set(job)
    assert job["Progress"]["Objects"]["Total"] is None


@pytest.mark.parametrize("letters", [1023, 1024, 1025, 5000])
def test_reasons_are_as_long_as_the_service_has_them(store: OutputStore, letters: int) -> None:
    record = JobRecord(store, SPEC)
    record.set_status("Failed", "ä" * letters)
    reason = record.describe(some_progress())["FailureReason"]
    assert len(reason) == min(letters, 1024)
    assert reason.endswith("...") == (letters > 1024)


def test_unknown_status(store: OutputStore) -> None:
    with pytest.raises(InvalidArgumentError, match="'Done' is no status: InProgress"):
        JobRecord(store, SPEC).set_status("Done")


def test_job_without_a_name(store: OutputStore) -> None:
    with pytest.raises(InvalidArgumentError, match="name"):
        JobRecord(store, replace(SPEC, job_name=""))


def test_infinity_is_no_json(store: OutputStore) -> None:
    progress = JobProgress()
    progress.add_stage("infer", float("inf"))
    JobRecord(store, SPEC).write(progress.snapshot())
    assert read(store)["Progress"]["StageSeconds"]["infer"] is None
