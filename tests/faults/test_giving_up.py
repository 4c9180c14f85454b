"""Trouble that stays: the epoch's error says what was seen, where, how often and how long."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sagemaker_tensorflow.errors import UnavailableError
from sagemaker_tensorflow.locations import S3Location
from sagemaker_tensorflow.prefetcher import Prefetcher
from sagemaker_tensorflow.s3_session import S3Session
from tests.faults.epochs import PART, SIZES, check_epoch, fail_epoch, small_parts
from tests.faulty_s3 import Fault, FaultyS3

pytestmark = pytest.mark.timeout(60)

# The object that is in trouble, from its second part on, and what is asked of it then.
KEY, BEGIN = "data/d", PART
RANGE = re.escape(f"s3://faulty/{KEY} bytes {BEGIN}-{2 * PART - 1}: ")
FIRST_RANGE = re.escape(f"s3://faulty/{KEY} bytes 0-{PART - 1}: ")
EFFORT = r" after \d+ tries in \d+\.\d s"

# A kind of fault, the kind of error, and what the message says between range and advice.
RETRIED = [
    (Fault("slow_down"), "Unavailable", "503 SlowDown .*" + EFFORT),
    (Fault("slow_down", retry_after=1), "Unavailable", "503 SlowDown .*" + EFFORT),
    (Fault("internal_error"), "Unavailable", "500 InternalError .*" + EFFORT),
    (Fault("reset"), "Unavailable", ".*" + EFFORT),
    (Fault("reset_in_body", at=0), "Unavailable", ".*" + EFFORT),
    (Fault("cut", at=0), "Unavailable|DataLoss", ".*" + EFFORT),
    (Fault("stall"), "Unavailable", "no byte for 1 s" + EFFORT),
    (Fault("stall_in_body", at=0), "Unavailable", "no byte for 1 s" + EFFORT),
    (Fault("wrong_range"), "DataLoss", ".*not asked for.*" + EFFORT),
    (Fault("no_content_range"), "DataLoss", ".*without .*" + EFFORT),
]
# Asking again would not help.
AT_ONCE = [
    (Fault("access_denied"), "PermissionDenied", "403 AccessDenied"),
    (Fault("expired_token"), "PermissionDenied", "403 ExpiredToken"),
    (Fault("delete"), "NotFound", "404 NoSuchKey"),
    (Fault("replace"), "FailedPrecondition", "412 PreconditionFailed"),
]


@pytest.mark.parametrize(("fault", "kind", "says"), RETRIED, ids=lambda v: getattr(v, "kind", ""))
def test_given_up_after_tries(s3: FaultyS3, fault: Fault, kind: str, says: str) -> None:
    s3.add(SIZES)
    s3.set_faults(replace(fault, keys=KEY, from_offset=BEGIN))
    config = small_parts(retry_tries=3, retry_seconds=20)
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=config) as feed:
        failed = fail_epoch(feed, s3)
        assert re.fullmatch(kind, failed.kind)
        assert re.match(RANGE + says, failed.message), failed.message
        assert len(failed.data) == sum(SIZES[f"data/{k}"] for k in "abc") + BEGIN
        tries = [r for r in s3.requests(key=KEY) if r.begin == BEGIN]
        # libcurl itself asks again when a kept-alive connection is reset before any answer.
        assert 3 <= len(tries) <= 6 if fault.kind == "reset" else len(tries) == 3
        # What was over before the reader came is forgotten.
        s3.set_faults()
        check_epoch(feed, s3, 1)


@pytest.mark.parametrize(("fault", "kind", "says"), AT_ONCE, ids=lambda v: getattr(v, "kind", ""))
def test_given_up_at_once(s3: FaultyS3, fault: Fault, kind: str, says: str) -> None:
    s3.add(SIZES)
    s3.set_faults(replace(fault, keys=KEY, from_offset=BEGIN))
    # One connection, so that the first part is there before the second one is asked for.
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts(connections=1)) as feed:
        failed = fail_epoch(feed, s3)
    assert failed.kind == kind
    # An object that is gone, or another, misses its first part too, if all was over before the
    # reader came, and is fetched anew for it.
    either = f"({RANGE}|{FIRST_RANGE})" if fault.kind in ("delete", "replace") else RANGE
    assert re.match(either + says, failed.message), failed.message
    assert len([r for r in s3.requests(key=KEY) if r.begin == BEGIN]) <= 2


def test_time_is_a_limit_too(s3: FaultyS3) -> None:
    """A Retry-After beyond what may be spent is not waited for."""
    s3.add(SIZES)
    s3.set_faults(Fault("slow_down", keys=KEY, retry_after=3000))
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts(retry_seconds=5)) as feed:
        failed = fail_epoch(feed, s3)
    assert failed.kind == "Unavailable"
    assert f"s3://faulty/{KEY} bytes 0-" in failed.message
    assert "503 SlowDown" in failed.message


def test_every_epoch_says_so(s3: FaultyS3) -> None:
    s3.add(SIZES)
    s3.set_faults(Fault("reset", from_offset=1))
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts(retry_tries=2)) as feed:
        for epoch in range(3):
            failed = fail_epoch(feed, s3, epoch)
            assert failed.kind == "Unavailable"
            assert "s3://faulty/data/a bytes " in failed.message


def test_redirects_in_a_circle(s3: FaultyS3) -> None:
    s3.add(SIZES)
    s3.set_faults(Fault("redirect_loop", keys=KEY))
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts(retry_tries=3)) as feed:
        failed = fail_epoch(feed, s3)
    assert f"s3://faulty/{KEY} bytes 0-" in failed.message
    assert "307" in failed.message
    assert len(s3.requests(key=KEY)) < 100


def test_range_that_is_never_honoured(s3: FaultyS3) -> None:
    """The whole object each time, of which the part is cut out."""
    s3.add(SIZES)
    s3.set_faults(Fault("ignore_range"))
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts()) as feed:
        check_epoch(feed, s3)


def test_a_list_that_does_not_come_is_spoken_of(s3: FaultyS3, tmp_path: Path) -> None:
    s3.add({"data/a": 1})
    s3.set_faults(Fault("stall", methods=("LIST",), seconds=2, count=1))
    script = (
        "from sagemaker_tensorflow import cli, feeder; feeder._SILENCE_SECONDS = 0.2; "
        "cli.main(['stream', '--channel', 'train=s3://faulty/data/', '--pipe-dir', 'pipes', "
        "'--config-dir', 'config'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as stream:
        assert stream.stderr is not None
        said = [stream.stderr.readline() for _ in range(2)]
        stream.terminate()
    assert said[0].startswith("smtf: WARNING channel train: the list of its objects has not begun")
    assert said[1].startswith("smtf: INFO streaming train=s3://faulty/data/")


def test_redirects_without_end(s3: FaultyS3) -> None:
    s3.set_faults(Fault("redirect_loop", methods=("LIST",)))
    with pytest.raises(UnavailableError, match=r"listing s3://faulty/data/: .*redirects without"):
        S3Session.from_environment().first_page(S3Location("faulty", "data/"))
