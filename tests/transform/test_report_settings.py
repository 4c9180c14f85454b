from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sagemaker_tensorflow.transform.job_progress import JobProgress
from sagemaker_tensorflow.transform.job_record import JobRecord
from sagemaker_tensorflow.transform.output_store import open_output_store
from sagemaker_tensorflow.transform.report_settings import settings_rows
from sagemaker_tensorflow.transform.spec import UNBOUNDED_PAYLOAD, TransformSpec
from tests.transform.jobs import SPEC


def shown(spec: TransformSpec) -> dict[str, str]:
    described = JobRecord(open_output_store("/nowhere"), spec).describe(JobProgress().snapshot())
    return dict(settings_rows(json.loads(json.dumps(described))))


def test_what_was_set() -> None:
    told = shown(replace(SPEC, batch_size=8, jit_compile=True))
    assert told["ContentType"] == "text/csv"
    assert told["S3Uri"] == "s3://in/data/"
    assert told["MaxPayloadInMB"] == "2"
    assert told["InvocationsTimeoutInSeconds"] == "600"
    assert (told["batch_size"], told["jit_compile"], told["mixed_precision"]) == ("8", "yes", "no")


def test_what_was_left_to_the_job() -> None:
    told = shown(replace(SPEC, max_payload_bytes=UNBOUNDED_PAYLOAD, accept=""))
    assert told["MaxPayloadInMB"] == "no bound"
    assert told["MaxConcurrentTransforms"] == "default"
    assert told["batch_size"] == "found at run time"
    assert told["Accept"] == "not given"


def test_what_is_no_record() -> None:
    with pytest.raises(KeyError):
        settings_rows({})
