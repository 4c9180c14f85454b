from __future__ import annotations

import queue
import threading

import pytest

from sagemaker_tensorflow.errors import CancelledError
from sagemaker_tensorflow.transform.coming_objects import ComingObjects
from tests.pipes import PATIENCE_SECONDS
from tests.transform.inputs import make_object

OBJECTS = [make_object(f"{number}", number) for number in range(9)]
MIB = 1 << 20


class Reader:
    """Iterates in a thread of its own."""

    def __init__(self, objects: ComingObjects) -> None:
        self.seen: queue.SimpleQueue[int | str] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, args=(objects,), daemon=True)
        self._thread.start()

    def _read(self, objects: ComingObjects) -> None:
        try:
            for obj in objects:
                self.seen.put(obj.index)
            self.seen.put("end")
        except CancelledError as error:
            self.seen.put(str(error))

    def next(self, count: int) -> list[int | str]:
        return [self.seen.get(timeout=PATIENCE_SECONDS) for _ in range(count)]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_so_many_are_begun_with_as_ended_in_the_last_seconds() -> None:
    clock = Clock()
    coming = ComingObjects(OBJECTS, 2, clock)
    reader = Reader(coming)
    assert reader.next(2) == [0, 1]
    assert (coming.waiting().objects, coming.waiting().room) == (7, False)
    for number in range(3):
        coming.ended(OBJECTS[number])
        reader.next(1)
    clock.now = 3.0
    coming.ended(OBJECTS[3])
    assert reader.next(3) == [5, 6, 7]  # four have ended: four may be on their way
    coming.ended(OBJECTS[4])
    assert reader.next(1) == [8]
    clock.now = 60.0  # that was long ago
    for number in (5, 6):
        coming.ended(OBJECTS[number])
    clock.now = 90.0
    assert coming.add([OBJECTS[0]], more=False)
    assert not coming.waiting().room
    coming.ended(OBJECTS[7])
    assert reader.next(2) == [0, "end"]
    assert not coming.add([OBJECTS[1]], more=True)


def test_large_objects_wait_for_the_one_before() -> None:
    large = [make_object(f"{n}", n, size=100 * MIB) for n in range(9)]
    coming = ComingObjects(large, 4)
    reader = Reader(coming)
    assert reader.next(3) == [0, 1, 2]  # the first does not count, and one may be over
    assert not coming.waiting().room
    assert coming[1] == large[1]
    assert not coming.waiting().room
    assert coming[2] == large[2]  # the last one is being read: its result may wait for another
    assert reader.next(1) == [3]
    assert coming[3] == large[3]
    assert not coming.waiting().room  # but for no more than 4
    for obj in large[:3]:
        coming.ended(obj)
    assert reader.next(2) == [4, 5]


def test_what_waits_is_given_back_from_the_end() -> None:
    coming = ComingObjects(OBJECTS, 1)
    assert [obj.index for obj in coming.take_back(150)] == [8, 7]
    assert [obj.index for obj in coming.take_back(0)] == [6]
    assert coming.waiting().bytes == 500
    assert [obj.index for obj in coming.take_back(9999)] == [5, 4, 3, 2, 1]
    assert coming.take_back(1) == []
    coming.add((), more=False)
    assert [obj.index for obj in coming] == [0]


def test_positions_are_those_of_what_was_begun_with() -> None:
    coming = ComingObjects(OBJECTS[5:8], 16)
    coming.add((), more=False)
    assert not coming.complete
    assert [obj.index for obj in coming] == [5, 6, 7]
    assert coming.complete
    assert (len(coming), coming[1].index) == (3, 6)
    with pytest.raises(KeyError):
        coming[0]  # has been read


def test_cancelling_wakes_the_reader() -> None:
    coming = ComingObjects(OBJECTS[:1], 16)
    reader = Reader(coming)
    assert reader.next(1) == [0]
    coming.cancel(CancelledError("stopped"))
    assert reader.next(1) == ["stopped"]
    assert not coming.complete
    assert not coming.add(OBJECTS[1:], more=True)
