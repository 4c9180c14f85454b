"""The job's directory at the literal /opt/ml, really mounted, and really forbidden."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sagemaker_tensorflow.training.ml_mount import ML_PATH, MlMount, loopback_addresses
from tests.conftest import FOLDER_BYTES
from tests.training_jobs.conftest import Jobs
from tests.training_jobs.test_job import members

# Neither a variable nor this package.
LITERAL = """
    import json, os, socket, sys
    with open("/opt/ml/input/config/inputdataconfig.json") as file:
        assert json.load(file)["training"]["TrainingInputMode"] == "Pipe"
    with open("/opt/ml/input/data/training_0", "rb") as pipe:
        data = pipe.read()
    with open("/opt/ml/model/data", "wb") as model:
        model.write(data)
    hosts = json.load(open("/opt/ml/input/config/resourceconfig.json"))["hosts"]
    print(sorted(os.listdir("/opt")), [socket.gethostbyname(host) for host in hosts])
    print(os.getcwd(), os.environ["SM_MODEL_DIR"], os.getuid())
"""

# Variables only.
PORTABLE = """
    import os
    with open(os.environ["SM_CHANNEL_TRAINING"] + "_0", "rb") as pipe:
        data = pipe.read()
    with open(os.environ["SM_MODEL_DIR"] + "/data", "wb") as model:
        model.write(data)
"""

# In a user namespace, whose limits its root may set: no mount namespace within it.
FORBIDDEN = (
    "unshare",
    "--user",
    "--map-root-user",
    "sh",
    "-c",
    'echo 0 > /proc/sys/user/max_mnt_namespaces && exec "$@"',
    "sh",
)
# Root without the right to mount has to make a user namespace, as everybody else.
UNPRIVILEGED = ("setpriv", "--bounding-set=-sys_admin")


def in_opt() -> list[str]:
    return sorted(path.name for path in Path("/opt").iterdir())


def train(jobs: Jobs, folder: Path, script: str, around: tuple[str, ...] = ()) -> str:
    """Runs a job in a process of its own. Returns its log."""
    command = [*around, sys.executable, "-m", "sagemaker_tensorflow.cli", "train", "--quiet"]
    command += ["--entry-point", jobs.script(script), "--channel", f"training={folder}"]
    command += ["--input-mode", "Pipe", "--job-name", "job", "--jobs-dir", str(jobs.jobs_dir)]
    command += ["--output-path", str(jobs.output)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    log = (jobs.jobs_dir / "job" / "algo-1.log").read_text()
    model = jobs.output / "job" / "output" / "model.tar.gz"
    assert members(str(model)) == {"data": FOLDER_BYTES}
    return log


def works(around: tuple[str, ...]) -> bool:
    return subprocess.run([*around, "true"], capture_output=True).returncode == 0


@pytest.mark.parametrize("around", [(), UNPRIVILEGED], ids=["as we are", "unprivileged"])
def test_a_script_with_literal_paths(jobs: Jobs, folder: Path, around: tuple[str, ...]) -> None:
    if problem := MlMount(jobs.root, {}).problem():
        pytest.skip(f"not on this machine: {problem}")
    if around and (os.geteuid() != 0 or not works(around)):
        pytest.skip("only root can give up what root may do")
    before = in_opt()
    log = train(jobs, folder, LITERAL, around)
    assert log.splitlines() == [
        f"{sorted({*before, 'ml'})} ['127.0.0.1']",
        f"/opt/ml/code /opt/ml/model {os.getuid()}",
    ]
    assert in_opt() == before


def test_where_it_is_forbidden_the_log_says_so(jobs: Jobs, folder: Path) -> None:
    if not works((*FORBIDDEN, "true")):
        pytest.skip("user namespaces cannot be made here")
    log = train(jobs, folder, PORTABLE, FORBIDDEN)
    assert log.startswith("smtf: /opt/ml is not this job's directory: unshare: ")
    assert len(log.splitlines()) == 1


def test_what_lies_in_opt_ml_is_not_hidden_from_a_job_that_needs_it() -> None:
    problem = MlMount(ML_PATH / "jobs" / "job" / "ml", {}).problem()
    assert problem == "/opt/ml/jobs/job/ml lies there, and would be hidden"


def test_loopback_addresses() -> None:
    hosts = [f"algo-{number}" for number in range(1, 301)]
    addresses = loopback_addresses(hosts)
    assert addresses["algo-1"] == "127.0.0.1"
    assert addresses["algo-2"] == "127.0.0.2"
    assert addresses["algo-300"] == "127.0.1.44"
