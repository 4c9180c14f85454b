from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest

from sagemaker_tensorflow import TensorFlow
from sagemaker_tensorflow.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    TrainingJobFailedError,
)
from tests.conftest import PutObjects
from tests.record_samples import encode
from tests.training_jobs.conftest import Jobs

SCRIPT = Path(__file__).with_name("linear_script.py")


def test_from_records_in_s3_to_predictions(
    jobs: Jobs, put_objects: PutObjects, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    points = [(x / 64 - 1, 3 * (x / 64 - 1) + 2) for x in range(128)]
    records = [struct.pack("<2f", *point) for point in points]
    shards = {f"train/{n}": encode("TFRecord", records[n::3]) for n in range(3)}
    uri = put_objects({**shards, "held-out/a.csv": b"0.25\n-0.5\n"})
    estimator = TensorFlow(
        entry_point=SCRIPT,
        input_mode="Pipe",
        hyperparameters={"epochs": 10},
        output_path=f"{uri}/models",
        jobs_dir=jobs.jobs_dir,
    )
    estimator.fit({"training": f"{uri}/train/"})
    assert f"trained on {10 * len(points)} records\n" in capsys.readouterr().out

    name = estimator.latest_training_job.name
    assert estimator.model_data == f"{uri}/models/{name}/output/model.tar.gz"
    listed = boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix="models/")["Contents"]
    assert [entry["Key"] for entry in listed] == [f"models/{name}/output/model.tar.gz"]

    transformer = estimator.transformer(1, "ml.m5.large", accept="text/csv", strategy="MultiRecord")
    transformer.transform(f"{uri}/held-out/", content_type="text/csv", split_type="Line")
    key = f"models/{name}/transform/a.csv.out"
    predictions = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().split()
    assert [float(text) for text in predictions] == pytest.approx([2.75, 0.5], abs=0.01)


def estimator_of(jobs: Jobs, script: str, **arguments: Any) -> TensorFlow:
    return TensorFlow(jobs.script(script), jobs_dir=jobs.jobs_dir, **arguments)


def test_a_failed_job_is_an_error(jobs: Jobs) -> None:
    estimator = estimator_of(jobs, "raise SystemExit('no data')", model_dir=False)
    with pytest.raises(TrainingJobFailedError, match=r"job one: AlgorithmError: .*no data"):
        estimator.fit(job_name="one", logs="None")
    with pytest.raises(FailedPreconditionError, match="job one is Failed and there is no model"):
        _ = estimator.model_data


def test_without_waiting(jobs: Jobs, capsys: pytest.CaptureFixture[str]) -> None:
    """The model stays beside the log where there is no output path."""
    estimator = estimator_of(
        jobs,
        """
        import os, sys, time
        open(os.path.join(os.environ["SM_MODEL_DIR"], "m"), "w").write("m")
        print(sys.argv[1:])
        """,
        hyperparameters={"name": "x"},
        model_dir="s3://bucket/elsewhere",
        role="arn:aws:iam::000000000000:role/nobody",
    )
    with pytest.raises(FailedPreconditionError, match="call fit"):
        _ = estimator.latest_training_job
    estimator.fit(wait=False)
    estimator.logs()
    shown = "['--model_dir', 's3://bucket/elsewhere', '--name', 'x']\n"
    assert capsys.readouterr().out == shown
    model = Path(estimator.model_data)
    assert model == jobs.jobs_dir / estimator.latest_training_job.name / "output" / "model.tar.gz"
    model.unlink()
    model.parent.rmdir()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"instance_count": 0}, "instance_count=0 is not a whole number of 1 or more"),
        ({"distribution": {"mpi": {"enabled": True}}}, "is not done by this runner"),
        ({"metric_definitions": [{"Name": "loss"}]}, "give {'Name': ..., 'Regex': ...}"),
        ({"checkpoint_local_path": "/opt/ml/c"}, "is given without checkpoint_s3_uri"),
        ({"engine": "slurm"}, "engine='slurm' is not one of local, ray"),
        ({"input_mode": "FastPipe"}, "input_mode='FastPipe' is not one of"),
        ({"hyperparameters": {"f": print}}, "not JSON serializable"),
        ({"max_run": 0}, "max_run=0 is not a whole number of 1 or more"),
        ({"environment": {"A=B": "x"}}, "'A=B' is not a variable's name"),
        ({"git_config": {"repo": "https://host/x"}}, "git_config is not done here: nothing is"),
        ({"container_log_level": "DEBUG"}, "container_log_level='DEBUG' is no number"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(
    jobs: Jobs, arguments: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=says):
        estimator_of(jobs, "pass", **arguments)


def test_arguments_of_the_sdk_that_mean_nothing(
    jobs: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    estimator = estimator_of(
        jobs,
        "pass",
        role="arn:aws:iam::000000000000:role/nobody",
        debugger_hook_config=False,
        disable_profiler=True,
        use_spot_instances=True,
        max_wait=7200,
        enable_remote_debug=True,
        base_job_name="base",
        hyperparameters={"epochs": 1},
        distribution={"parameter_server": {"enabled": False}},
    )
    said = "role, use_spot_instances, max_wait, disable_profiler, enable_remote_debug: without"
    assert said in caplog.text
    with pytest.raises(FailedPreconditionError, match=r"call fit\(\)"):
        estimator.transformer(2, "ml.m5.large")
    assert "transformer: instance_count, instance_type: without meaning" in caplog.text
    with pytest.raises(InvalidArgumentError, match=r"entry_point is not done .* inference\.py"):
        estimator.transformer(1, "ml.m5.large", entry_point="inference.py")
    with pytest.raises(InvalidArgumentError, match=r"input train is a builtins\.object"):
        estimator.fit({"train": object()})  # type: ignore[dict-item]
    with pytest.raises(InvalidArgumentError, match=r"logs=\['Some'\] is not one of"):
        estimator.fit(logs=["Some"])


def test_a_model_to_begin_with_and_a_log_level(
    jobs: Jobs, capsys: pytest.CaptureFixture[str]
) -> None:
    """Arguments of the SDK that are a channel and a hyperparameter; logs as its docstring says."""
    (jobs.root / "model.tar.gz").write_bytes(b"weights")
    estimator = estimator_of(
        jobs,
        """
        import os
        print(os.environ["SM_LOG_LEVEL"], os.listdir(os.environ["SM_CHANNEL_BEFORE"]))
        """,
        model_uri=(jobs.root / "model.tar.gz").as_uri(),
        model_channel_name="before",
        container_log_level=10,
        input_mode="Pipe",
    )
    estimator.fit(logs=["Training"])
    assert capsys.readouterr().out.splitlines()[-1] == "10 ['model.tar.gz']"


def test_the_owner_does_without_tensorflow(jobs: Jobs) -> None:
    code = (
        "import sys; from sagemaker_tensorflow import TensorFlow; "
        "TensorFlow(sys.argv[1], jobs_dir=sys.argv[2]).fit(logs=False); "
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, jobs.script("pass"), jobs.jobs_dir], check=True)
