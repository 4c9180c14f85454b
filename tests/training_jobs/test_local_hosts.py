"""Jobs of several hosts, which are processes of this machine."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import struct
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sagemaker_tensorflow.records import RecordWriter
from sagemaker_tensorflow.training.distribution import distribution_hyperparameters
from sagemaker_tensorflow.training.hyperparameters import encoded
from sagemaker_tensorflow.training_input import TrainingInput
from tests.pipes import has_ended, wait_until
from tests.training_jobs.conftest import Jobs, printed
from tests.training_jobs.test_job import members, processes

OBJECTS = 6
RECORDS = 50  # of each object
EPOCHS = 2

# Each host notes which records it saw, and adds up with the others how many there were.
MIRRORED = f"""
    import json, os
    import tensorflow as tf
    from sagemaker_tensorflow import PipeModeDataset

    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    host, hosts = os.environ["SM_CURRENT_HOST"], json.loads(os.environ["SM_HOSTS"])
    assert strategy.num_replicas_in_sync == len(hosts) == 2
    dataset = PipeModeDataset("training", "TFRecord").batch(7)

    @tf.function
    def everybodys(own):
        return strategy.reduce("SUM", strategy.run(lambda: own), axis=None)

    epochs = []
    for epoch in range({EPOCHS}):
        batches = [tf.io.decode_raw(batch, tf.int32).numpy() for batch in dataset]
        epochs.append([int(number) for batch in batches for number in batch[:, 0]])
        total = everybodys(tf.constant(len(epochs[-1])))
        print("epoch", epoch, "records", int(total))
    with open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], host), "w") as file:
        json.dump(epochs, file)
    if host == hosts[0]:
        module = tf.Module()
        module.seen = tf.Variable(total)
        tf.saved_model.save(module, os.path.join(os.environ["SM_MODEL_DIR"], "1"))
"""


@pytest.mark.timeout(240)
def test_two_hosts_of_a_mirrored_strategy_see_every_record_once(
    jobs: Jobs, bucket: str, put_objects: Callable[[Mapping[str, bytes]], None], tmp_path: Path
) -> None:
    for number in range(OBJECTS):
        with RecordWriter(str(tmp_path / f"part-{number}"), "TFRecord") as writer:
            for record in range(RECORDS):
                writer.write(struct.pack("<i", number * RECORDS + record))
    put_objects({f"data/{path.name}": path.read_bytes() for path in tmp_path.glob("part-*")})
    job = jobs.make(
        MIRRORED,
        channels={"training": TrainingInput(f"s3://{bucket}/data/", distribution="ShardedByS3Key")},
        input_mode="Pipe",
        instance_count=2,
        hyperparameters=encoded(
            distribution_hyperparameters({"multi_worker_mirrored_strategy": {"enabled": True}})
        ),
    )
    result = job.run()
    assert result.status == "Completed", result
    seen = {name: json.loads(text) for name, text in members(result.output_uri).items()}
    assert sorted(seen) == ["algo-1", "algo-2"]
    assert "1/saved_model.pb" in members(result.model_uri)
    for epoch in range(EPOCHS):
        assert all(len(epochs[epoch]) == OBJECTS * RECORDS / 2 for epochs in seen.values())
        counts = Counter(record for epochs in seen.values() for record in epochs[epoch])
        assert counts == dict.fromkeys(range(OBJECTS * RECORDS), 1)
        for log in job.logs.values():
            assert f"epoch {epoch} records {OBJECTS * RECORDS}" in log.read_text()


# The second host fails once the first one has begun, and has a child.
ONE_FAILS = """
    import json, os, pathlib, sys, time
    host = os.environ["SM_CURRENT_HOST"]
    file = pathlib.Path(os.environ["SM_INPUT_CONFIG_DIR"], "resourceconfig.json")
    config = json.loads(file.read_text())
    assert config["current_host"] == host and config["hosts"] == ["algo-1", "algo-2", "algo-3"]
    pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], host).touch()
    if host == "algo-2":
        others = [pathlib.Path(os.environ["JOB_DIR"], f"algo-{n}.log") for n in (1, 3)]
        while not all(log.read_text().count("process") == 2 for log in others):
            time.sleep(0.01)
        pathlib.Path(os.environ["SM_OUTPUT_DIR"], "failure").write_text("the second has no luck")
        sys.exit(7)
    os.fork()
    print(f"process {os.getpid()}\\n", end="")
    time.sleep(3600)
"""


def test_one_hosts_failure_is_the_jobs(jobs: Jobs) -> None:
    job = jobs.make(
        ONE_FAILS, instance_count=3, environment={"JOB_DIR": str(jobs.jobs_dir / "job")}
    )
    result = job.run()
    assert (result.status, result.exit_status) == ("Failed", 7)
    assert result.failure_reason == "AlgorithmError: the second has no luck, exit code: 7"
    pids = [pid for log in job.logs.values() for pid in processes(log.read_text())]
    assert len(pids) == 4
    assert all(has_ended(pid) for pid in pids)
    assert members(result.output_uri) == dict.fromkeys(("algo-1", "algo-2", "algo-3"), b"")
    assert job.describe()["ResourceConfig"]["InstanceCount"] == 3


# Its host is lost once, in the middle: what watches over it is killed.
LOST = """
    import os, pathlib, signal, time
    steps = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"], "checkpoints", "steps")
    done = int(steps.read_text()) if steps.exists() else 0
    print("begins at", done)
    if done == 0 and os.environ["SM_CURRENT_HOST"] == "algo-1":
        steps.write_text("5")
        while not pathlib.Path(os.environ["STORED"]).exists():
            time.sleep(0.05)
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(3600)
    if done == 0:
        time.sleep(3600)
"""


def test_a_job_that_lost_a_host_goes_on_from_its_checkpoint(jobs: Jobs) -> None:
    stored = jobs.root / "checkpoints"
    job = jobs.make(
        LOST,
        instance_count=2,
        checkpoint_s3_uri=str(stored),
        max_retry_attempts=1,
        environment={"STORED": str(stored / "steps")},
    )
    result = job.run()
    assert result.status == "Completed", result
    for log in job.logs.values():
        assert printed(log).splitlines() == ["begins at 0", "begins at 5"]
    stages = [stage["Status"] for stage in job.describe()["SecondaryStatusTransitions"]]
    assert stages == ["Starting", "Training"] * 2 + ["Uploading", "Completed"]


def test_parameter_servers_run_until_the_last_script_has_ended(jobs: Jobs) -> None:
    """The first host's script ends only when it has reached the servers of both."""
    job = jobs.make(
        """
        import json, os, socket, time
        config = json.loads(os.environ["TF_CONFIG"])
        if config["task"]["type"] == "master":
            time.sleep(1)
            for server in config["cluster"]["ps"]:
                ip, port = server.split(":")
                while True:
                    try:
                        socket.create_connection((ip, int(port))).close()
                        break
                    except ConnectionRefusedError:
                        time.sleep(0.1)
                print("reached a server")
        """,
        instance_count=2,
        hyperparameters=encoded(
            distribution_hyperparameters({"parameter_server": {"enabled": True}})
        ),
    )
    result = job.run()
    assert result.status == "Completed", result
    assert result.log_path.read_text().count("reached a server") == 2


def test_a_parameter_server_that_dies_ends_the_job(jobs: Jobs) -> None:
    servers = {"parameter_server": {"enabled": True}}
    job = jobs.make(
        "import time; time.sleep(3600)",
        instance_count=2,
        hyperparameters=encoded(distribution_hyperparameters(servers)),
    )
    job.start()
    wait_until(lambda: bool(parameter_servers(jobs)), "a parameter server runs")
    os.kill(parameter_servers(jobs)[0], signal.SIGKILL)
    result = job.wait()
    assert (result.status, result.exit_status) == ("Failed", -signal.SIGTERM)
    assert "AlgorithmError: the parameter server: ended by SIGKILL" in result.failure_reason


def parameter_servers(jobs: Jobs) -> list[int]:
    """Those of the first host."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            ours = (process / "cwd").readlink() == jobs.ml() / "code"
            if ours and b"training.parameter_server" in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


def test_a_job_is_stopped_on_all_hosts(jobs: Jobs) -> None:
    job = jobs.make(
        "print('hangs', flush=True); import time; time.sleep(3600)", instance_count=2, max_run=1
    )
    result = job.run()
    assert (result.status, result.secondary_status) == ("Stopped", "MaxRuntimeExceeded")
    assert all(printed(log) == "hangs\n" for log in job.logs.values())
