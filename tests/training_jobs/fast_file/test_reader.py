"""Read-ahead of FastFile mode, over fetches that the test ends one by one."""

from __future__ import annotations

import errno
import random
from collections.abc import Callable, Sequence

from sagemaker_tensorflow.errors import FailedPreconditionError
from sagemaker_tensorflow.training.fast_file.fetches import Range
from sagemaker_tensorflow.training.fast_file.reader import FastFileReader
from sagemaker_tensorflow.training.fast_file.tree import FileObject, FileTree

MIB = 1 << 20
READ = 128 << 10  # what the kernel asks for at a time
PATTERN = random.Random(1).randbytes(MIB + 1)


def content(begin: int, end: int) -> bytes:
    """Of every object: its period is no power of two."""
    first = begin % len(PATTERN)
    times = (end - begin) // len(PATTERN) + 2
    return (PATTERN * times)[first : first + end - begin]


class Fetches:
    """Keeps what was asked for until it is told how that ended."""

    def __init__(self, on_done: Callable[[Range], None]) -> None:
        self.on_done = on_done
        self.asked: list[Range] = []
        self.fetched_bytes = 0

    def ask(self, file_object: FileObject, wanted: Range, awaited: bool) -> None:
        assert 0 <= wanted.begin < wanted.end <= file_object.size
        self.asked.append(wanted)

    def end(self, index: int = 0) -> None:
        done = self.asked.pop(index)
        done.data = content(done.begin, done.end)
        self.fetched_bytes += len(done.data)
        self.on_done(done)


class Reading:
    """A reader over one tree."""

    def __init__(self, sizes: Sequence[int], memory_bytes: int = 512 * MIB) -> None:
        tree = FileTree()
        for number, size in enumerate(sizes):
            tree.add(str(number), FileObject(f"key-{number}", size, '"etag"'))
        self.reports: list[str] = []
        self.reader = FastFileReader(tree, self._make, memory_bytes, self.reports.append)
        nodes = [tree.find(1, str(number).encode()) for number in range(len(sizes))]
        self.handles = [self.reader.open(node) for node in nodes if node is not None]

    def _make(self, on_done: Callable[[Range], None]) -> Fetches:
        self.fetches = Fetches(on_done)
        return self.fetches

    def ask(self, offset: int, size: int, file: int = 0) -> list[bytes | int]:
        """Gets the answer once it is there."""
        answers: list[bytes | int] = []

        def take(answer: Sequence[memoryview] | int) -> None:
            answers.append(answer if isinstance(answer, int) else b"".join(answer))

        self.reader.read(self.handles[file], offset, size, take)
        return answers

    def read(self, offset: int, size: int, file: int = 0) -> bytes | int:
        answers = self.ask(offset, size, file)
        while not answers:
            self.fetches.end()
        assert len(answers) == 1
        return answers[0]


def test_a_file_is_read_from_front_to_end() -> None:
    """Each byte is fetched once, in few ranges, and most of them before they are asked for."""
    size = 100 * MIB + 123
    reading = Reading([size])
    awaited = 0
    for offset in range(0, size, READ):
        answers = reading.ask(offset, READ)
        awaited += not answers
        while not answers:
            reading.fetches.end()
        assert answers == [content(offset, min(offset + READ, size))]
    assert reading.fetches.fetched_bytes == size
    assert not reading.fetches.asked
    assert awaited < 30
    assert reading.read(size, READ) == b""
    assert reading.read(size - 3, READ) == content(size - 3, size)


def test_jumps_cost_one_short_range() -> None:
    reading = Reading([100 * MIB])
    offsets = [random.Random(2).randrange(0, 25_000) * 4096 for _ in range(50)]
    for offset in offsets:
        assert reading.read(offset, 4096) == content(offset, offset + 4096)
    assert reading.fetches.fetched_bytes <= 50 * 256 * 1024


def test_small_objects_are_fetched_as_a_whole() -> None:
    reading = Reading([700_000])
    assert reading.read(4096, 4096) == content(4096, 8192)  # in its middle: not so
    assert reading.read(0, 4096) == content(0, 4096)
    assert reading.fetches.fetched_bytes == 256 * 1024 + 700_000


def test_answers_come_in_any_order() -> None:
    reading = Reading([10 * MIB])
    first = reading.ask(0, READ)
    far = reading.ask(5 * MIB, READ)
    second = reading.ask(READ, READ)
    over_an_edge = reading.ask(256 * 1024 - 10, 20)
    assert len(reading.fetches.asked) == 3
    reading.fetches.end(2)
    reading.fetches.end(1)
    assert far == [content(5 * MIB, 5 * MIB + READ)]
    assert not first
    assert not second
    reading.fetches.end(0)
    assert first == [content(0, READ)]
    assert second == [content(READ, 2 * READ)]
    assert over_an_edge == [content(256 * 1024 - 10, 256 * 1024 + 10)]


def test_memory_is_bounded_over_all_files() -> None:
    """With every fetch ended at once, what is asked for is what is held."""
    bound = 24 * MIB
    reading = Reading([50 * MIB] * 20, bound)
    for offset in range(0, 4 * MIB, READ):
        for file in range(20):
            assert reading.read(offset, READ, file) == content(offset, offset + READ)
            while reading.fetches.asked:
                reading.fetches.end()
            assert reading.reader.used_bytes <= bound
    assert reading.fetches.fetched_bytes < 1.3 * 20 * 4 * MIB  # nobody loses what he will read
    for handle in reading.handles:
        reading.reader.close(handle)
    assert reading.reader.used_bytes == 0


def test_a_closed_file_gives_up_what_is_on_its_way() -> None:
    reading = Reading([50 * MIB])
    for place in (0, 20 * MIB, 40 * MIB):
        for offset in range(place, place + 2 * MIB, READ):
            reading.read(offset, READ)
    on_their_way = list(reading.fetches.asked)
    assert on_their_way
    reading.reader.close(reading.handles[0])
    assert not any(one.wanted for one in on_their_way)
    while reading.fetches.asked:
        reading.fetches.end()
    assert reading.reader.used_bytes == 0


def test_an_error_is_reported_once_and_reads_fail() -> None:
    reading = Reading([10 * MIB, 1000])
    answers = [reading.ask(0, READ), reading.ask(READ, READ)]
    failed = reading.fetches.asked.pop()
    failed.error = FailedPreconditionError("key-0 was replaced")
    reading.fetches.on_done(failed)
    assert answers == [[errno.EIO], [errno.EIO]]
    assert reading.read(2 * READ, 4096) == errno.EIO  # without another fetch
    assert reading.reports == ["key-0 was replaced"]
    assert reading.read(0, READ, file=1) == content(0, 1000)
