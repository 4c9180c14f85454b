from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from sagemaker_tensorflow.transform.settings_digest import settings_digest
from sagemaker_tensorflow.transform.spec import DataProcessing, TransformSpec

SPEC = TransformSpec("model", "s3://in/data", "s3://out/results", job_name="job")
SAME_RESULTS: dict[str, Any] = {
    "model": "elsewhere",
    "input_uri": "s3://in/other",
    "output_uri": "s3://out/other",
    "job_name": "again",
    "data_type": "ManifestFile",
    "max_concurrent_transforms": 3,
    "timeout_seconds": 1,
    "max_retries": 0,
    "instance_count": 3,
    "batch_size": 12,
    "overwrite": True,
    "jit_compile": True,
}
OTHER_RESULTS: dict[str, Any] = {
    "signature": "other",
    "content_type": "text/csv",
    "compression": "Gzip",
    "split_type": "Line",
    "strategy": "SingleRecord",
    "max_payload_bytes": 1 << 20,
    "accept": "text/csv",
    "assemble_with": "Line",
    "data_processing": DataProcessing(output_filter="$[0]"),
    "on_error": "record",
    "mixed_precision": True,
    "environment": (("A", "1"),),
}


def test_each_setting_is_one_or_the_other() -> None:
    names = {field.name for field in fields(TransformSpec)}
    assert names == {*SAME_RESULTS, *OTHER_RESULTS}


@pytest.mark.parametrize("name", SAME_RESULTS)
def test_settings_that_change_nothing(name: str) -> None:
    changed = replace(SPEC, **{name: SAME_RESULTS[name]})
    assert settings_digest(changed, "m") == settings_digest(SPEC, "m")


@pytest.mark.parametrize("name", OTHER_RESULTS)
def test_settings_that_change_results(name: str) -> None:
    changed = replace(SPEC, **{name: OTHER_RESULTS[name]})
    assert settings_digest(changed, "m") != settings_digest(SPEC, "m")


def test_the_model_counts() -> None:
    assert settings_digest(SPEC, "m") != settings_digest(SPEC, "n")


def test_the_order_of_variables_does_not() -> None:
    one, other = (("A", "1"), ("B", "2")), (("B", "2"), ("A", "1"))
    digests = {settings_digest(replace(SPEC, environment=e), "m") for e in (one, other)}
    assert len(digests) == 1


def test_the_digest_stays_from_version_to_version() -> None:
    """If this fails on purpose, every job that is under way anywhere begins anew."""
    assert (
        settings_digest(SPEC, "m")
        == "90dcb3c275afb927d611cbf92439f43e664934c3dac204f930608ea9a0a9b0e6"
    )
