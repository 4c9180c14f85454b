"""FastFile mode over an S3 that fails: what is retried, and what a script sees of the rest."""

from __future__ import annotations

import hashlib

from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.training.job import TrainingJob
from sagemaker_tensorflow.training.spec import TrainingSpec
from sagemaker_tensorflow.training_input import TrainingInput
from tests.faults.conftest import s3, serve  # noqa: F401 - fixtures
from tests.faulty_s3 import Fault, FaultyS3
from tests.training_jobs.conftest import Jobs, printed
from tests.training_jobs.fast_file.test_channel import fuse  # noqa: F401 - a fixture

SCRIPT = """
    import errno, hashlib, os
    channel = os.environ["SM_CHANNEL_TRAINING"]
    with open(channel + "/large", "rb") as file:
        print("large", hashlib.sha256(file.read()).hexdigest())
    for name in ("forbidden", "removed", "busy"):
        try:
            open(f"{channel}/{name}", "rb").read()
        except OSError as error:
            print(name, errno.errorcode[error.errno])
"""
ENDINGS = {
    "forbidden": ("403 AccessDenied", "EACCES"),
    "removed": ("404 NoSuchKey", "EIO"),
    "busy": ("503 SlowDown", "EIO"),
}


def test_faults(jobs: Jobs, fuse: None, s3: FaultyS3) -> None:  # noqa: F811
    s3.add({"data/large": 20_000_000, **{f"data/{name}": 1000 for name in ENDINGS}})
    s3.set_faults(
        Fault("access_denied", keys="data/forbidden"),
        Fault("delete", keys="data/removed"),
        Fault("slow_down", keys="data/busy"),
        Fault("slow_down", rate=0.1, keys="data/large"),
        Fault("reset_in_body", rate=0.25, keys="data/large"),
    )
    spec = TrainingSpec(
        jobs.script(SCRIPT),
        "job",
        channels=(Channel("training", TrainingInput(f"{s3.uri}/data/")),),
        input_mode="FastFile",
    )
    few_tries = PrefetchConfig(retry_tries=4)
    result = TrainingJob(spec, prefetch=few_tries, jobs_dir=jobs.jobs_dir).run()
    assert s3.faults_given()["reset_in_body"]
    truth = hashlib.sha256(s3.truth("data/large")).hexdigest()
    log = printed(result.log_path).splitlines()
    assert log[0] == f"large {truth}"
    said = dict(zip(log[1::2], log[2::2], strict=True))
    for (line, outcome), (name, (seen, number)) in zip(said.items(), ENDINGS.items(), strict=True):
        assert (
            f"smtf: channel training (FastFile): {s3.uri}/data/{name} bytes 0-999: {seen}" in line
        )
        assert outcome == f"{name} {number}"
