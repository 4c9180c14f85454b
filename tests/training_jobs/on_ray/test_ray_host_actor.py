"""A host's actor without Ray: what it tells its driver, and what it hands over."""

from __future__ import annotations

import io
import tarfile

import pytest

from sagemaker_tensorflow.errors import NotFoundError
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.training.distribution import TfConfigs
from sagemaker_tensorflow.training.host import HostEnd
from sagemaker_tensorflow.training.job_directory import JobDirectory
from sagemaker_tensorflow.training.job_plan import JobPlan
from sagemaker_tensorflow.training.on_ray import ray_host_actor
from sagemaker_tensorflow.training.on_ray.ray_host_actor import Cluster, HostActor
from sagemaker_tensorflow.training.on_ray.ray_source import packed_source, spec_for_nodes
from sagemaker_tensorflow.training.spec import TrainingSpec
from tests.training_jobs.conftest import Jobs

SCRIPT = """
    import json, os
    print("x" * 99, flush=True)
    print(os.environ["TF_CONFIG"], json.loads(os.environ["SM_HOSTS"]), os.environ["COLOUR"])
    print(os.environ["SM_NETWORK_INTERFACE_NAME"])
    open(os.path.join(os.environ["SM_MODEL_DIR"], "weights"), "w").write("w" * 30)
"""


def test_news_and_results(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_host_actor, "PIECE_BYTES", 64)
    spec = TrainingSpec(jobs.script(SCRIPT), "job", environment={"COLOUR": "blue"})
    source = packed_source(spec, S3Options())
    plan = JobPlan(spec_for_nodes(spec), JobDirectory("job", jobs.jobs_dir))
    actor = HostActor(plan.orders("algo-1"), source, threads=None)
    actor.begin(Cluster({"algo-1": "10.0.0.1"}, TfConfigs("{}"), "eth7"))
    log, stages, end = b"", 0, None
    while end is None:
        news = actor.news(stages, len(log))
        assert len(news.log) <= 64
        log, stages, end = log + news.log, len(news.stages), news.end
    assert end == HostEnd("algo-1", "Completed", exit_status=0)
    assert news.stages == ("Training",)
    assert log.decode().splitlines()[-3:] == ["x" * 99, "{} ['algo-1'] blue", "eth7"]
    actor.pack_results()
    packed = b""
    while piece := actor.read_results(len(packed)):
        packed += piece
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert sorted(archive.getnames()) == ["model", "model/weights", "output_data"]
    actor.close()


def test_a_script_that_is_not_there(jobs: Jobs) -> None:
    with pytest.raises(NotFoundError, match=r"entry_point='nowhere.py'"):
        packed_source(TrainingSpec("nowhere.py", "job"), S3Options())


def test_the_interface_of_an_address() -> None:
    assert ray_host_actor.interface_of("127.0.0.1") == "lo"
