from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from sagemaker_tensorflow.transform.job_progress import JobProgress, ObjectFailure
from tests.transform.inputs import make_object


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_counters() -> None:
    clock = Clock()
    progress = JobProgress(clock)
    assert progress.snapshot().objects is None
    progress.expect(5, 400)
    progress.skip_objects(1)
    progress.add_read(100)
    progress.add_records(make_object("a"), 7)
    progress.add_written(make_object("a"), 30)
    progress.add_retry()
    progress.add_batch(7, 0.25)
    progress.object_done(make_object("a"))
    clock.now += 2
    now = progress.snapshot()
    assert (now.seconds, now.objects, now.bytes_expected) == (2, 5, 400)
    assert (now.objects_done, now.objects_skipped, now.objects_failed) == (1, 1, 0)
    assert now.objects_ended == 2
    assert (now.records, now.records_failed, now.retries) == (7, 0, 1)
    assert (now.bytes_in, now.bytes_out) == (100, 30)
    assert (now.batch_sizes.mean, now.batch_seconds.mean) == (7, 0.25)
    assert now.failures == ()


def test_threads_lose_nothing() -> None:
    progress = JobProgress()
    bad = make_object("bad")

    def work(_: int) -> None:
        for _ in range(1000):
            progress.add_read(3)
            progress.add_records(make_object("a"), 2)
            progress.record_failed(bad, "r")
            progress.add_batch(4, 0.001)
            progress.add_stage("read", 0.5)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    now = progress.snapshot()
    assert (now.bytes_in, now.records, now.records_failed) == (24_000, 16_000, 8000)
    assert now.batch_sizes.count == 8000
    assert now.stage_seconds["read"] == 4000
    assert now.failures[0].failed_records == 8000


def test_stages_in_the_order_of_the_data() -> None:
    clock = Clock()
    progress = JobProgress(clock)
    with pytest.raises(ZeroDivisionError), progress.stage("infer"):
        clock.now += 3
        raise ZeroDivisionError
    with progress.stage("join"):
        clock.now += 1
    stages = progress.snapshot().stage_seconds
    assert list(stages) == ["read", "decode", "infer", "encode", "upload", "join"]
    assert (stages["infer"], stages["join"], stages["read"]) == (3, 1, 0)


def test_first_causes_of_each_object() -> None:
    progress = JobProgress()
    a, b, c = (make_object(name, n) for n, name in enumerate("abc"))
    for n in range(5):
        progress.record_failed(a, f"cause\n{n}")
    progress.record_failed(b, "bad")
    progress.object_failed(b, "too bad")
    progress.record_failed(c, "same")
    progress.object_failed(c, "same")
    now = progress.snapshot()
    assert now.failures == (
        ObjectFailure("a", a.uri, False, 5, ("cause 0", "cause 1", "cause 2")),
        ObjectFailure("b", b.uri, True, 1, ("bad", "too bad")),
        ObjectFailure("c", c.uri, True, 1, ("same",)),
    )
    assert (now.objects_failed, now.objects_with_errors, now.records_failed) == (2, 3, 7)


def test_not_every_failure_is_kept() -> None:
    progress = JobProgress()
    for n in range(1500):
        progress.object_failed(make_object(f"{n}", n), "gone")
        progress.record_failed(make_object(f"{n}", n), "again")
    now = progress.snapshot()
    assert len(now.failures) == 1000
    assert (now.objects_failed, now.objects_with_errors, now.records_failed) == (1500, 1500, 1500)


def test_samples_over_a_day() -> None:
    clock = Clock()
    progress = JobProgress(clock)
    for _ in range(86_400):
        clock.now += 1
        progress.add_records(make_object("a"), 10)
        progress.sample()
        progress.sample()
    samples = progress.snapshot().samples
    assert 300 <= len(samples) <= 602
    assert (samples[0].seconds, samples[-1].seconds) == (0, 86_400)
    assert all(sample.records == 10 * sample.seconds for sample in samples)
    gaps = {b.seconds - a.seconds for a, b in itertools.pairwise(samples[:-1])}
    assert len(gaps) <= 2, "they are spread evenly"


def test_snapshots_add_no_samples() -> None:
    progress = JobProgress(Clock())
    for _ in range(10):
        assert len(progress.snapshot().samples) == 2


def test_what_another_process_has_counted() -> None:
    progress = JobProgress()
    progress.expect(1, 100)
    progress.expect_again(30)
    progress.record_failed(make_object("bad"), "r", records=5)
    now = progress.snapshot()
    assert (now.bytes_expected, now.records_failed) == (130, 5)
    assert now.failures[0].failed_records == 5
