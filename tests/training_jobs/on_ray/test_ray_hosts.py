"""A whole job on a Ray cluster of three nodes, of which one with a host is killed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec

import boto3
import pytest

from sagemaker_tensorflow.training.history.job_store import JobStore
from tests.pipes import PATIENCE_SECONDS, has_ended, wait_until
from tests.ray_cluster import RayCluster, ray_cluster
from tests.training_jobs.conftest import Jobs
from tests.training_jobs.test_job import members, processes

pytestmark = [
    pytest.mark.skipif(
        find_spec("ray") is None, reason="needs ray: pip install 'sagemaker-tensorflow[ray]'"
    ),
    pytest.mark.timeout(180),
]


@pytest.fixture
def cluster(bucket: str, jobs: Jobs) -> Iterator[RayCluster]:
    """Its nodes find the bucket's server and the temporary directory as this process does."""
    with ray_cluster(3) as running:
        yield running


# The hosts meet at the first one's address, and save how far they are. The first time they hang.
SCRIPT = """
    import json, os, pathlib, socket, time
    host = os.environ["SM_CURRENT_HOST"]
    saved = pathlib.Path("/opt/ml/checkpoints", host)
    begin = int(saved.read_text()) if saved.exists() else 0
    print(f"process {os.getpid()}\\nbegins at {begin}", flush=True)
    config = json.loads(os.environ["TF_CONFIG"])
    ip, port = config["cluster"]["worker"][0].split(":")
    if config["task"]["index"] == 0:
        with socket.create_server((ip, int(port))) as server:
            server.accept()[0].close()
    else:
        while True:
            try:
                socket.create_connection((ip, int(port))).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
    saved.write_text("5")
    if begin == 0:
        time.sleep(3600)
    pathlib.Path(os.environ["SM_MODEL_DIR"], host).write_text(str(begin))
"""


def test_a_node_is_killed(cluster: RayCluster, bucket: str, jobs: Jobs) -> None:
    command = ["train", "--entry-point", jobs.script(SCRIPT), "--job-name", "job"]
    command += ["--instance-count", "2", "--strategy", "multi_worker_mirrored_strategy"]
    command += ["--checkpoint-s3-uri", f"s3://{bucket}/saved", "--max-retry-attempts", "1"]
    command += ["--output-path", str(jobs.output), "--jobs-dir", str(jobs.jobs_dir)]
    command += ["--engine", "ray", "--ray-address", cluster.address]
    told = jobs.root / "told"
    with told.open("wb") as file:
        job = subprocess.Popen(
            [sys.executable, "-m", "sagemaker_tensorflow.cli", *command],
            stdout=subprocess.DEVNULL,
            stderr=file,
        )
    try:
        wait_until(lambda: job.poll() is not None or stored(bucket) == 2, "two checkpoints")
        cluster.kill_a_node(re.findall(r"algo-\d is on .*, node (\w+)", told.read_text()))
        job.wait(PATIENCE_SECONDS)
    finally:
        job.kill()
    assert job.returncode == 0, told.read_text()
    assert "is begun anew" in told.read_text()
    for host in ("algo-1", "algo-2"):
        log = (jobs.jobs_dir / "job" / f"{host}.log").read_text()
        assert re.findall("begins at (.)", log) == ["0", "5"]
        assert all(has_ended(pid) for pid in processes(log))
    assert members(str(jobs.output / "job/output/model.tar.gz")) == {"algo-1": b"5", "algo-2": b"5"}
    described = JobStore.of_jobs_dir(jobs.jobs_dir).describe("job")
    stages = [stage["Status"] for stage in described["SecondaryStatusTransitions"]]
    assert stages == ["Starting", "Training"] * 2 + ["Uploading", "Completed"]
    wait_until(lambda: not list(jobs.temporary.glob("smtf-*")), "the hosts' directories go")


def stored(bucket: str) -> int:
    found = boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix="saved/")
    return int(found["KeyCount"])
