"""An actor without Ray: what it does with objects that it is handed, and what it says of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.transform.input_objects import list_inputs
from sagemaker_tensorflow.transform.job_lease import job_lease
from sagemaker_tensorflow.transform.job_progress import JobProgress
from sagemaker_tensorflow.transform.output_store import open_output_store
from sagemaker_tensorflow.transform.ray_actor import (
    ActorSettings,
    HandOut,
    Opened,
    TransformActor,
)
from sagemaker_tensorflow.transform.ray_report import Report
from sagemaker_tensorflow.transform.records import InputObject
from tests.pipes import wait_until
from tests.transform.whole_jobs import csv_spec, run, write_files, written

COUNT = 60
FILES = {f"{number:02}": b"%d,1\n" % number * (number + 1) for number in range(COUNT)}
FILES["07"] += b"no row\n"


class Driver:
    """Asks an actor until it has had enough."""

    def __init__(self, actor: TransformActor, source: str) -> None:
        self.actor = actor
        self.objects = list(list_inputs(source, "S3Prefix", S3Options()))
        self.reports: list[Report] = []

    def ask(self, hand_out: HandOut) -> Report:
        self.reports.append(self.actor.exchange(hand_out))
        return self.reports[-1]

    def ended(self) -> list[InputObject]:
        return [self.objects[end.index] for report in self.reports for end in report.ends]

    def ask_until(self, count: int) -> None:
        def enough() -> bool:
            self.ask(HandOut(more=False))
            return len(self.ended()) >= count

        wait_until(enough, f"{count} objects end")

    def progress(self) -> JobProgress:
        progress = JobProgress()
        for report in self.reports:
            report.count_work(progress)
            for end in report.ends:
                end.count(progress, self.objects[end.index])
        return progress


def settings_of(model: str, source: Path, output: Path, on_error: str) -> ActorSettings:
    spec = csv_spec(model, source, output, on_error=on_error)
    return ActorSettings(spec, S3Options(), PrefetchConfig(), threads=None)


@contextlib.contextmanager
def leased(opened: Opened) -> Iterator[None]:
    """As a driver has it."""
    store = open_output_store(opened.spec.output_uri)
    with contextlib.closing(store), job_lease(store, opened.spec):
        yield


@pytest.mark.parametrize("on_error", ["object", "record"])
def test_an_actor_does_what_a_job_does(doubling: str, tmp_path: Path, on_error: str) -> None:
    """In two sessions, having given some objects back in the first one."""
    data = write_files(tmp_path / "data", FILES)
    settings = settings_of(doubling, data, tmp_path / "out", on_error)
    actor = TransformActor(settings)
    opened = actor.open()
    assert opened.failure is None
    driver = Driver(actor, f"{data}/")
    with leased(opened), contextlib.ExitStack() as stack:
        stack.callback(actor.stop)
        driver.ask(HandOut(driver.objects, take_back_bytes=600))
        back = driver.reports[0].given_back
        assert back == list(range(COUNT - 1, COUNT - 1 - len(back), -1))
        assert len(back) >= 2
        driver.ask_until(COUNT - len(back))
        driver.ask(HandOut([driver.objects[index] for index in back], more=False))
        driver.ask_until(COUNT)
    assert sorted(obj.index for obj in driver.ended()) == list(range(COUNT))
    here = run(doubling, data, tmp_path / "here", on_error=on_error)
    assert written(tmp_path / "out") == written(tmp_path / "here")
    now = driver.progress().snapshot()
    assert (now.objects_done, now.objects_failed) == (here.objects_done, here.objects_failed)
    assert (now.records, now.records_failed) == (here.records, here.records_failed)
    assert now.failures == here.failures
    assert now.bytes_in == sum(map(len, FILES.values()))
    assert now.batch_sizes.total == sum(range(1, COUNT + 1))


def test_what_keeps_an_actor_from_working_is_told(doubling: str, tmp_path: Path) -> None:
    data = write_files(tmp_path / "data", FILES)
    actor = TransformActor(settings_of(doubling, data, tmp_path / "out", "object"))
    assert actor.open().failure is None
    driver = Driver(actor, f"{data}/")
    with contextlib.ExitStack() as stack:
        stack.callback(actor.stop)
        report = driver.ask(HandOut(driver.objects))
        while report.failure is None:
            report = driver.ask(HandOut())
    error = report.failure.error("10.0.0.3, node 1a2b")
    assert isinstance(error, RuntimeError)
    assert "is not seen here" in str(error)
    assert str(error).endswith("(on 10.0.0.3, node 1a2b)")


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    actor = TransformActor(settings_of(str(tmp_path / "none"), tmp_path, tmp_path, "object"))
    failure = actor.open().failure
    actor.stop()
    assert failure is not None
    assert failure.kind == "NotFound"
    assert "every node has to see it there, or give an s3:// URI" in failure.message
