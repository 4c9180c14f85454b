"""All checks, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Callable, Generator

from sagemaker_tensorflow.doctor.aws_trial import AwsTrial
from sagemaker_tensorflow.doctor.bucket import BucketTrial, Readable
from sagemaker_tensorflow.doctor.check import Check, Section, problem, skipped
from sagemaker_tensorflow.doctor.dataset_op import OpTrial
from sagemaker_tensorflow.doctor.latency import measure_latency
from sagemaker_tensorflow.doctor.machine import check_machine
from sagemaker_tensorflow.doctor.pipes import check_pipes
from sagemaker_tensorflow.doctor.rate import measure_rate
from sagemaker_tensorflow.doctor.versions import check_versions
from sagemaker_tensorflow.locations import S3Location
from sagemaker_tensorflow.s3_options import S3Options

_NO_URI = "no bucket was given"
_NO_URI_ADVICE = "smtf doctor s3://bucket/prefix tries one and measures it"


class Examination:
    """One run of the doctor. For one thread.

    Args:
        options: How to reach S3.
        location: What to list, get and measure; None leaves that out.
        seconds: How long to measure the rate.
    """

    def __init__(self, options: S3Options, location: S3Location | None, seconds: float) -> None:
        self._location = location
        self._seconds = seconds
        self._aws = AwsTrial(options, needed=location is not None)
        self._readable: Readable | None = None

    def sections(self) -> Generator[Section, None, None]:
        """Yields each section when it is complete; ended early it stops what it has begun."""
        try:
            # TensorFlow's import takes seconds, which pass while the others are checked. Nothing
            # else runs while the rate is measured.
            with OpTrial() as op:
                yield _section("versions", check_versions)
                yield _section("machine", lambda: [*check_machine(), check_pipes()])
                yield _section("AWS", self._aws.checks)
                yield _section("bucket", self._check_bucket)
                yield _section("TensorFlow", lambda: [op.check()])
            yield _section("measured", self._measure)
        finally:
            if self._aws.session is not None:
                self._aws.session.close()

    def _check_bucket(self) -> list[Check]:
        if self._location is None:
            return [skipped("bucket", _NO_URI, _NO_URI_ADVICE)]
        if self._aws.session is None:
            return [skipped("bucket", self._aws.why_none)]
        trial = BucketTrial(self._aws.session, self._location)
        checks = trial.checks()
        self._readable = trial.readable
        return checks

    def _measure(self) -> list[Check]:
        if self._location is None:
            return [skipped("rate", _NO_URI)]
        if self._aws.session is None or self._readable is None:
            return [skipped("rate", "no object can be read")]
        return [
            measure_latency(self._aws.session, self._location, self._readable),
            measure_rate(self._aws.session, self._location.bucket, self._readable, self._seconds),
        ]


def _section(title: str, checks: Callable[[], list[Check]]) -> Section:
    try:
        return Section(title, checks())
    except Exception as error:  # a bug; the rest of the screen is worth having
        return Section(title, [problem(title, f"cannot be checked: {error!r}", "please report it")])
