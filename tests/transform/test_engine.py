"""What an engine does around the model: order, cutting, failures, bounds, ends."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_tensorflow.errors import (
    CancelledError,
    DeadlineExceededError,
    InvalidArgumentError,
    UnavailableError,
)
from sagemaker_tensorflow.transform.batches import InstancesFailedError
from sagemaker_tensorflow.transform.engine import Engine
from sagemaker_tensorflow.transform.records import Decoded
from tests.transform.array_replicas import ArrayReplicas, Arrays, doubled, payload, payloads


def outputs(results: Any) -> list[list[int]]:
    return [result["y"].tolist() for _, result in results]


def doubles(sizes: list[int]) -> list[list[int]]:
    numbers = itertools.count()
    return [[2 * next(numbers) for _ in range(size)] for size in sizes]


class ExhaustedError(Exception):
    """As TensorFlow's ResourceExhaustedError tells its code."""

    error_code = 8


@settings(max_examples=50, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 40), max_size=30),
    batch_size=st.sampled_from([0, 1, 3, 16, 64]),
    count=st.integers(1, 3),
)
def test_payloads_of_any_size_get_their_own_rows_in_order(
    sizes: list[int], batch_size: int, count: int
) -> None:
    replicas = ArrayReplicas(count=count)
    with Engine(replicas, batch_size) as engine:
        results = list(engine.run(payloads(sizes)))
    assert [tag for tag, _ in results] == list(range(len(sizes)))
    assert outputs(results) == doubles(sizes)
    assert engine.stats.instances == sum(replicas.calls) == sum(sizes)


def test_order_is_kept_when_later_batches_end_first() -> None:
    def slow_for_the_first(inputs: Arrays) -> dict[str, Any]:
        if inputs["x"][0] == 0:
            time.sleep(0.3)
        return doubled(inputs)

    with Engine(ArrayReplicas(slow_for_the_first, count=2), batch_size=2) as engine:
        assert outputs(engine.run(payloads([1] * 20))) == doubles([1] * 20)


def test_batches_are_full_across_payloads() -> None:
    replicas = ArrayReplicas()
    with Engine(replicas, batch_size=8) as engine:
        list(engine.run(payloads([3] * 16)))
    assert replicas.calls == [8] * 6
    assert engine.stats.batch_sizes == {8: 6}
    assert engine.stats.batches == sum(engine.stats.latencies) == 6


def test_an_engine_runs_again() -> None:
    with Engine(ArrayReplicas(), batch_size=4) as engine:
        for _ in range(2):
            assert outputs(engine.run(payloads([5, 5]))) == doubles([5, 5])


def test_a_model_of_a_fixed_batch_gets_exactly_that() -> None:
    replicas = ArrayReplicas(fixed_batch=4)
    with Engine(replicas) as engine:
        assert outputs(engine.run(payloads([3, 3, 3]))) == doubles([3, 3, 3])
    assert replicas.calls == [4, 4, 4]
    assert engine.stats.padding == 3
    with pytest.raises(InvalidArgumentError, match="takes 4 instances per call"):
        Engine(replicas, batch_size=8)


def test_a_compiled_model_meets_one_batch_size() -> None:
    replicas = ArrayReplicas(equal_batches=True)
    with Engine(replicas, batch_size=8) as engine:
        assert outputs(engine.run(payloads([11]))) == doubles([11])
    assert replicas.calls == [8, 8]


def test_one_bad_instance_fails_alone() -> None:
    def refuses_seven(inputs: Arrays) -> dict[str, Any]:
        if 7 in inputs["x"]:
            raise ValueError("no sevens")
        return doubled(inputs)

    with Engine(ArrayReplicas(refuses_seven), batch_size=32) as engine:
        results = dict(engine.run(payloads([5, 5, 5])))
    failure = results[1]
    assert isinstance(failure, InstancesFailedError)
    assert list(failure.failures) == [2]
    assert str(failure.failures[2]) == "no sevens"
    assert failure.outputs["y"].tolist() == [10, 12, 16, 18]
    assert outputs([(0, results[0]), (2, results[2])]) == [
        [0, 2, 4, 6, 8],
        [20, 22, 24, 26, 28],
    ]
    assert engine.stats.failed_instances == 1
    assert engine.stats.retries == 0


@settings(max_examples=50, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 20), min_size=1, max_size=10),
    bad=st.sets(st.integers(0, 60)),
    fixed=st.sampled_from([None, 4]),
)
def test_exactly_the_bad_instances_fail(sizes: list[int], bad: set[int], fixed: int | None) -> None:
    def refuses(inputs: Arrays) -> dict[str, Any]:
        if bad.intersection(inputs["x"].tolist()):
            raise ValueError("bad")
        return doubled(inputs)

    numbers = itertools.count()
    with Engine(ArrayReplicas(refuses, fixed_batch=fixed), 0 if fixed else 16) as engine:
        for tag, result in engine.run(payloads(sizes)):
            rows = [next(numbers) for _ in range(sizes[tag])]
            good = [2 * row for row in rows if row not in bad]
            failed = [place for place, row in enumerate(rows) if row in bad]
            if isinstance(result, InstancesFailedError):
                assert list(result.failures) == failed
                assert list(result.outputs.get("y", [])) == good
            elif isinstance(result, Exception):
                assert not good
            else:
                assert not failed
                assert result["y"].tolist() == good


def test_what_may_pass_is_tried_again() -> None:
    tries = itertools.count()

    def fails_twice(inputs: Arrays) -> dict[str, Any]:
        if next(tries) < 2:
            raise UnavailableError("the device restarts")
        return doubled(inputs)

    with Engine(ArrayReplicas(fails_twice), batch_size=4, max_retries=2) as engine:
        assert outputs(engine.run(payloads([4]))) == doubles([4])
    assert engine.stats.retries == 2
    assert engine.stats.halvings == 0


def test_retries_come_to_an_end() -> None:
    def unavailable(inputs: Arrays) -> dict[str, Any]:
        raise UnavailableError("gone")

    replicas = ArrayReplicas(unavailable)
    with Engine(replicas, batch_size=4, max_retries=1) as engine:
        ((_, result),) = engine.run(payloads([4]))
    assert isinstance(result, UnavailableError)
    assert replicas.calls == [4, 4]
    assert engine.stats.failed_instances == 4


def test_too_little_memory_halves_the_batch_for_good() -> None:
    def small(inputs: Arrays) -> dict[str, Any]:
        if len(inputs["x"]) > 10:
            raise ExhaustedError("OOM when allocating tensor")
        return doubled(inputs)

    replicas = ArrayReplicas(small)
    with Engine(replicas, batch_size=32) as engine:
        assert outputs(engine.run(payloads([20] * 30))) == doubles([20] * 30)
    assert engine.sizer.size == 8
    # Batches that were made before the size was known are all that is tried in vain.
    assert set(replicas.calls[-20:]) == {8}


def test_a_call_that_takes_too_long_fails_and_the_next_one_does_not() -> None:
    forever = threading.Event()

    def hangs(inputs: Arrays) -> dict[str, Any]:
        if 0 in inputs["x"]:
            forever.wait(60)
        return doubled(inputs)

    with Engine(ArrayReplicas(hangs), 2, timeout_seconds=0.2, max_retries=0) as engine:
        results = dict(engine.run(payloads([2, 2])))
    forever.set()
    assert isinstance(results[0], DeadlineExceededError)
    assert "within 0.2 s" in str(results[0])
    assert outputs([(1, results[1])]) == [[4, 6]]
    assert engine.stats.abandoned_calls == 1


def test_outputs_without_an_entry_for_each_instance_are_refused_at_once() -> None:
    replicas = ArrayReplicas(lambda inputs: {"y": inputs["x"].sum()})
    with Engine(replicas, batch_size=4) as engine:
        ((_, result),) = engine.run(payloads([4]))
    assert isinstance(result, InvalidArgumentError)
    assert "'y' has shape [] for 4 instances" in str(result)
    assert replicas.calls == [4]


def test_payloads_whose_rows_differ_in_shape_do_not_share_a_batch() -> None:
    rows = [np.zeros((2, 3), np.int64), np.zeros((2, 5), np.int64), np.zeros((2, 5), np.int64)]
    replicas = ArrayReplicas()
    with Engine(replicas, batch_size=4) as engine:
        results = list(engine.run((n, Decoded({"x": r}, [1, 1])) for n, r in enumerate(rows)))
    assert [result["y"].shape for _, result in results] == [(2, 3), (2, 5), (2, 5)]
    assert sorted(replicas.calls) == [2, 4]


def test_arrays_that_do_not_fit_each_other_fail_their_payload() -> None:
    odd = Decoded({"x": np.zeros(2, np.int64), "z": np.zeros(3, np.int64)}, [1, 1])
    short = Decoded({"x": np.zeros(2, np.int64)}, [1, 1, 1])
    source = [(0, payload([1])), (1, odd), (2, short), (3, payload([2]))]
    with Engine(ArrayReplicas(), batch_size=4) as engine:
        results = dict(engine.run(source))
    assert isinstance(results[1], InvalidArgumentError)
    assert "differing numbers of instances" in str(results[1])
    assert "3 instances has arrays of 2" in str(results[2])
    assert outputs([(0, results[0]), (3, results[3])]) == [[2], [4]]


def test_the_sources_error_comes_behind_its_results() -> None:
    def source() -> Iterator[tuple[int, Decoded]]:
        yield from payloads([2, 2])
        raise OSError("the disk is gone")

    seen = []
    with (
        Engine(ArrayReplicas(), batch_size=32) as engine,
        pytest.raises(OSError, match="the disk is gone"),
    ):
        seen.extend(engine.run(source()))
    assert outputs(seen) == doubles([2, 2])


@pytest.mark.parametrize("failed", [False, True])
def test_a_slow_consumer_stops_the_source(failed: bool) -> None:
    last = 0

    def source() -> Iterator[tuple[int, Decoded]]:
        nonlocal last
        for tag, decoded in payloads([4] * 10_000):
            last = tag
            yield tag, Decoded({}, [0] * 4) if failed else decoded

    with Engine(ArrayReplicas(), batch_size=8) as engine:
        results = engine.run(source())
        next(results)
        seen = -1
        while seen != last:  # until the reader stands still
            seen = last
            time.sleep(0.3)
        assert last < 100
        results.close()
    assert engine.stats.blocked_seconds > 0


def test_a_source_that_waits_for_results_gets_them() -> None:
    taken = threading.Semaphore(0)

    def source() -> Iterator[tuple[int, Decoded]]:
        for tag, decoded in payloads([1] * 5):
            yield tag, decoded
            assert taken.acquire(timeout=30)

    with Engine(ArrayReplicas(), batch_size=1000) as engine:
        for tag, result in engine.run(source()):
            assert outputs([(tag, result)]) == [[2 * tag]]
            taken.release()


def test_closing_the_iterator_ends_the_threads_and_closes_the_source() -> None:
    closed = threading.Event()

    def source() -> Iterator[tuple[int, Decoded]]:
        try:
            yield from payloads([1] * 1_000_000)
        finally:
            closed.set()

    before = set(threading.enumerate())
    engine = Engine(ArrayReplicas(count=2), batch_size=2)
    results = engine.run(source())
    next(results)
    results.close()
    assert closed.wait(30)
    until = time.monotonic() + 30
    while set(threading.enumerate()) - before and time.monotonic() < until:
        time.sleep(0.01)
    assert not set(threading.enumerate()) - before


def test_closing_the_engine_ends_a_run() -> None:
    started = threading.Event()

    def source() -> Iterator[tuple[int, Decoded]]:
        yield 0, payload([1])
        started.set()
        time.sleep(0.5)
        yield 1, payload([2])

    engine = Engine(ArrayReplicas(), batch_size=64)
    threading.Thread(target=lambda: started.wait(30) and engine.close()).start()
    with pytest.raises(CancelledError):
        for _ in engine.run(source()):
            pass
    with pytest.raises(CancelledError):
        next(engine.run([]))


def test_a_payload_without_instances_has_outputs_without_rows() -> None:
    with Engine(ArrayReplicas(), batch_size=4) as engine:
        ((_, result),) = engine.run([(0, Decoded({}, [0, 0]))])
    assert result["y"].shape == (0,)
    assert result["y"].dtype == np.int64


@pytest.mark.parametrize(
    "arguments", [{"batch_size": -1}, {"timeout_seconds": 0}, {"max_retries": -1}, {"prefetch": 0}]
)
def test_impossible_numbers_are_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(InvalidArgumentError):
        Engine(ArrayReplicas(), **arguments)


def test_stats_are_json() -> None:
    with Engine(ArrayReplicas(), batch_size=4) as engine:
        list(engine.run(payloads([6])))
    stats = engine.stats.to_json()
    assert stats["batch_sizes"] == {"2": 1, "4": 1}
    assert len(stats["latencies"]) == len(stats["latency_bounds_seconds"]) + 1


_INTERRUPTED = """
import itertools, sys, time
from sagemaker_tensorflow.transform.engine import Engine
from tests.transform.array_replicas import ArrayReplicas, payload

def source():
    for tag in itertools.count():
        yield tag, payload([tag])
        if tag == 9:
            print("waiting", flush=True)
            time.sleep(3600)

with Engine(ArrayReplicas(), batch_size=64) as engine:
    for _ in engine.run(source()):
        pass
"""


def test_ctrl_c_ends_an_engine_that_waits() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTED],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "waiting\n"
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == -signal.SIGINT
    assert errors.rstrip().endswith("KeyboardInterrupt")
