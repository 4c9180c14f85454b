from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest

from sagemaker_tensorflow import TensorFlow, TrainingJobAnalytics
from sagemaker_tensorflow.errors import NotFoundError
from sagemaker_tensorflow.training.history.job_store import JobStore
from tests.pipes import wait_until
from tests.training_jobs.conftest import Jobs, wait_for_line

SCRIPT = """
    import os, sys, time
    print("loss=2 accuracy=0.25")
    print("done so far")
    while not os.path.exists(sys.argv[2]):
        time.sleep(0.01)
    print("loss=1")
    print("loss=0.5", end="")
"""


def test_the_points_of_a_job(jobs: Jobs) -> None:
    """While it runs and after it, with pandas and without."""
    go_on = jobs.root / "go-on"
    estimator = TensorFlow(
        jobs.script(SCRIPT),
        metric_definitions=[
            {"Name": "loss", "Regex": r"loss=(\S+)"},
            {"Name": "accuracy", "Regex": r"accuracy=(\S+)"},
        ],
        hyperparameters={"until": str(go_on)},
        model_dir=False,
        output_path=jobs.output,
        jobs_dir=jobs.jobs_dir,
    )
    estimator.fit(job_name="job", wait=False)
    job = estimator.latest_training_job
    wait_for_line(job, "done so far")
    analytics = estimator.training_job_analytics
    wait_until(lambda: bool(analytics.points()), "points of the running job")
    assert job.describe()["TrainingJobStatus"] == "InProgress"
    go_on.touch()
    assert job.wait().status == "Completed"

    points = analytics.points()
    assert [(point.name, point.value) for point in points] == [
        ("accuracy", 0.25),
        ("loss", 2),
        ("loss", 1),
        ("loss", 0.5),
    ]
    first, *_, last = analytics.points()[1:]
    later = TrainingJobAnalytics(
        "job", ["loss"], start_time=first.timestamp + timedelta(microseconds=1), store=job.store
    )
    assert [point.value for point in later.points()] == [1, 0.5]

    frame = analytics.dataframe()
    assert list(frame.columns) == ["timestamp", "metric_name", "value"]
    assert list(frame["value"]) == [0.25, 2, 1, 0.5]
    seconds = list(frame["timestamp"])
    assert seconds[:2] == [0, 0]
    assert seconds[-1] == pytest.approx((last.timestamp - first.timestamp).total_seconds())

    final = {one["MetricName"]: one["Value"] for one in job.describe()["FinalMetricDataList"]}
    assert final == {"accuracy": 0.25, "loss": 0.5}


def test_without_pandas(jobs: Jobs) -> None:
    code = (
        "import sys; sys.modules['pandas'] = None\n"
        "from sagemaker_tensorflow import JobStore, TensorFlow, TrainingJobAnalytics\n"
        "TensorFlow(sys.argv[1], jobs_dir=sys.argv[2]).fit(job_name='one')\n"
        "store = JobStore.of_jobs_dir(sys.argv[2])\n"
        "assert TrainingJobAnalytics('one', store=store).points() == []\n"
        "TrainingJobAnalytics('one', store=store).dataframe()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, jobs.script("pass"), jobs.jobs_dir],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert ran.returncode == 1
    assert "pip install 'sagemaker-tensorflow[pandas]'" in ran.stderr


def test_of_no_job(jobs: Jobs) -> None:
    with pytest.raises(NotFoundError, match="there is no job 'job'"):
        TrainingJobAnalytics("job", store=JobStore.of_jobs_dir(jobs.jobs_dir))
