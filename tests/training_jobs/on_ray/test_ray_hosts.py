"""A whole job on a Ray cluster of three nodes, of which one with a host is killed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec

import boto3
import pytest

from sagemaker_tensorflow.training.history.job_store import JobStore
from tests.pipes import PATIENCE_SECONDS, has_ended, wait_until
from tests.training_jobs.conftest import Jobs
from tests.training_jobs.test_job import members, processes

pytestmark = [
    pytest.mark.skipif(
        find_spec("ray") is None, reason="needs ray: pip install 'sagemaker-tensorflow[ray]'"
    ),
    pytest.mark.timeout(180),
]


class Nodes:
    """A cluster in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._orders, self._answers = process.stdin, process.stdout
        self.address = self._answers.readline().strip()
        assert self.address, "the cluster did not start"

    def kill_one_of(self, ids: list[str]) -> None:
        self._orders.write(f"{' '.join(ids)}\n")
        self._orders.flush()
        assert self._answers.readline() == "killed\n"


@pytest.fixture
def nodes(bucket: str, jobs: Jobs) -> Iterator[Nodes]:
    """Its nodes find the bucket's server and the temporary directory as this process does."""
    command = [sys.executable, "-m", "tests.transform.ray_nodes", "3"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    # Ray's own files have to have short names, as sockets are among them.
    env = {**os.environ, "RAY_TMPDIR": "/tmp"}
    with subprocess.Popen(command, text=True, env=env, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield Nodes(process)
        finally:
            process.stdin.close()
            process.wait(PATIENCE_SECONDS)


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


def test_a_node_is_killed(nodes: Nodes, bucket: str, jobs: Jobs) -> None:
    command = ["train", "--entry-point", jobs.script(SCRIPT), "--job-name", "job"]
    command += ["--instance-count", "2", "--strategy", "multi_worker_mirrored_strategy"]
    command += ["--checkpoint-s3-uri", f"s3://{bucket}/saved", "--max-retry-attempts", "1"]
    command += ["--output-path", str(jobs.output), "--jobs-dir", str(jobs.jobs_dir)]
    command += ["--engine", "ray", "--ray-address", nodes.address]
    told = jobs.root / "told"
    with told.open("wb") as file:
        job = subprocess.Popen(
            [sys.executable, "-m", "sagemaker_tensorflow.cli", *command],
            stdout=subprocess.DEVNULL,
            stderr=file,
        )
    try:
        wait_until(lambda: job.poll() is not None or stored(bucket) == 2, "two checkpoints")
        nodes.kill_one_of(re.findall(r"algo-\d is on .*, node (\w+)", told.read_text()))
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
