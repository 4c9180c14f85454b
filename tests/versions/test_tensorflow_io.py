"""tensorflow-io's s3:// files and our pipes, side by side in one process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PutObjects
from tests.record_samples import encode, some_records
from tests.versions.conftest import TENSORFLOW

pytestmark = pytest.mark.skipif(
    TENSORFLOW != (2, 16), reason="tensorflow-io's last release is for TensorFlow 2.16"
)

SCRIPT = Path(__file__).with_name("tensorflow_io_script.py")
RECORDS = some_records("TFRecord")
KEYS = ("a", "b/c", "d")


@pytest.fixture
def uri(put_objects: PutObjects, aws: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket of TFRecord files, which both find."""
    # With its scheme: without, 0.37.1 speaks TLS to it whatever S3_USE_HTTPS says.
    monkeypatch.setenv("S3_ENDPOINT", aws)
    monkeypatch.setenv("S3_USE_HTTPS", "0")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return put_objects({key: encode("TFRecord", RECORDS) for key in KEYS})


def run(mode: str, uri: str) -> tuple[dict[str, Any], int, str]:
    """What the script printed, its exit status, and what it wrote to stderr."""
    done = subprocess.run(
        [sys.executable, SCRIPT, mode, uri.removeprefix("s3://"), *KEYS],
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done.returncode, done.stderr


@pytest.mark.parametrize("mode", ["alone", "beside"])
def test_the_same_records_and_the_same_end(mode: str, uri: str) -> None:
    found, status, stderr = run(mode, uri)
    assert found == {"records": len(RECORDS) * len(KEYS), "different": []}
    # tensorflow-io 0.37.1 aborts when the interpreter has ended, whether we are there or not.
    assert status == -signal.SIGABRT, stderr
    assert "pure virtual method called" in stderr
