from __future__ import annotations

from sagemaker_tensorflow.transform.object_queue import ObjectQueue
from tests.transform.inputs import make_object

SIZES = [5, 100, 0, 100, 30]
OBJECTS = [make_object(f"{n}", n, size=size) for n, size in enumerate(SIZES)]


def test_the_largest_come_first() -> None:
    queue = ObjectQueue(OBJECTS)
    assert (len(queue), queue.bytes) == (5, 235)
    assert [obj.index for obj in queue.take(9, 9999)] == [1, 3, 4, 0, 2]
    assert (len(queue), queue.bytes, queue.take(1, 1)) == (0, 0, [])


def test_one_at_least_and_no_more_than_both_bounds() -> None:
    queue = ObjectQueue(OBJECTS)
    assert [obj.index for obj in queue.take(0, 0)] == [1]
    assert [obj.index for obj in queue.take(9, 131)] == [3, 4]
    assert [obj.index for obj in queue.take(1, 131)] == [0]
    assert (len(queue), queue.bytes) == (1, 0)


def test_what_comes_back_goes_out_before_the_others() -> None:
    queue = ObjectQueue(OBJECTS)
    queue.give_back(queue.take(2, 9999)[::-1])
    assert (len(queue), queue.bytes) == (5, 235)
    assert [obj.index for obj in queue.take(3, 9999)] == [3, 1, 4]
