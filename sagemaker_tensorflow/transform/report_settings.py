"""The settings of a job as a report shows them: names of the request, values in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

# What stands in the record for a choice that was left to the job.
_LEFT_TO_THE_JOB: Mapping[tuple[str, Any], str] = {
    ("MaxPayloadInMB", 0): "no bound",
    ("MaxConcurrentTransforms", 0): "default",
    ("ContentType", ""): "not given",
    ("Accept", ""): "not given",
    ("batch_size", 0): "found at run time",
}


def settings_rows(job: Mapping[str, Any]) -> list[list[str]]:
    """Name and value of each setting, both texts.

    Args:
        job: The content of ``job.json``.

    Raises:
        KeyError: It is no such content.
    """
    shown = {
        "BatchStrategy": job["BatchStrategy"],
        "MaxPayloadInMB": job["MaxPayloadInMB"],
        "MaxConcurrentTransforms": job["MaxConcurrentTransforms"],
        **job["ModelClientConfig"],
        **job["TransformInput"]["DataSource"]["S3DataSource"],
        **{name: value for name, value in job["TransformInput"].items() if name != "DataSource"},
        **job["TransformOutput"],
        **job["DataProcessing"],
        **job["Settings"],
        "SettingsDigest": job["SettingsDigest"],
    }
    return [[name, _words(name, value)] for name, value in shown.items()]


def _words(name: str, value: Any) -> str:
    if isinstance(value, bool):  # before numbers, as False == 0
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # 600.0 seconds
    return _LEFT_TO_THE_JOB.get((name, value)) or (
        value if isinstance(value, str) else json.dumps(value)
    )
