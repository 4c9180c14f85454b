from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from sagemaker_tensorflow.transform.commit_threads import CommitThreads
from tests.pipes import wait_until


class Gate:
    """A commit that waits until it is let go."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.begun: list[int] = []
        self.committed: list[int] = []

    def commit(self, item: int) -> None:
        self.begun.append(item)
        self.open.wait()
        self.committed.append(item)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()  # whatever the test did, its threads end


def running() -> int:
    return sum(thread.name.startswith("smtf-commit") for thread in threading.enumerate())


def put(threads: CommitThreads[int], *items: int) -> None:
    for item in items:
        threads.wait_for_room()
        threads.put(item)


@pytest.mark.parametrize("at_once", [1, 16])
def test_everything_is_committed(at_once: int) -> None:
    committed: list[int] = []
    threads = CommitThreads(committed.append, threads=4, at_once=at_once, ahead=20)
    put(threads, *range(3000))
    assert threads.end(drop=False) == []
    assert sorted(committed) == list(range(3000))


def test_another_thread_for_as_many_as_one_takes(gate: Gate) -> None:
    threads = CommitThreads(gate.commit, threads=2, at_once=3, ahead=20)
    put(threads, 0)
    wait_until(lambda: gate.begun == [0], "the first thread has taken it")
    put(threads, 1, 2)
    assert running() == 1
    put(threads, 3)
    wait_until(lambda: gate.begun == [0, 1], "the second thread has taken three")
    put(threads, 4, 5, 6, 7)
    assert running() == 2  # there may be no more
    gate.open.set()
    assert threads.end(drop=False) == []
    assert sorted(gate.committed) == list(range(8))


def test_every_item_a_thread(gate: Gate) -> None:
    threads = CommitThreads(gate.commit, threads=3, at_once=1, ahead=20)
    put(threads, 0, 1, 2, 3)
    wait_until(lambda: len(gate.begun) == 3, "three threads have taken one each")
    gate.open.set()
    threads.end(drop=False)
    assert sorted(gate.committed) == [0, 1, 2, 3]


def test_threads_that_wait_are_woken() -> None:
    committed: list[int] = []
    threads = CommitThreads(committed.append, threads=2, at_once=2, ahead=20)
    for item in range(20):
        put(threads, item)
        wait_until(lambda: len(committed) > item, "it is committed, though none follows")  # noqa: B023
    threads.end(drop=False)


def test_what_waits_is_bounded(gate: Gate) -> None:
    threads = CommitThreads(gate.commit, threads=1, at_once=1, ahead=2)
    put(threads, 0)
    wait_until(lambda: gate.begun == [0], "the thread has taken it")
    put(threads, 1, 2)
    waiting = threading.Thread(target=threads.wait_for_room)
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    gate.open.set()
    waiting.join()
    threads.end(drop=False)


def test_dropping_what_nobody_began(gate: Gate) -> None:
    threads = CommitThreads(gate.commit, threads=1, at_once=1, ahead=9)
    put(threads, 0, 1, 2)
    wait_until(lambda: gate.begun == [0], "the thread has taken one")
    threading.Timer(0.05, gate.open.set).start()
    assert threads.end(drop=True) == [1, 2]
    assert gate.committed == [0]


def test_no_thread_without_an_item() -> None:
    assert CommitThreads(print, threads=1, at_once=1, ahead=1).end(drop=False) == []
