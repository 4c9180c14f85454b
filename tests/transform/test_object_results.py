"""What lies in a folder when pieces of results come, and when something goes wrong."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from sagemaker_tensorflow.errors import (
    CorruptRecordError,
    FailedPreconditionError,
    NotFoundError,
    PipeModeDatasetException,
)
from sagemaker_tensorflow.locations import S3Location
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.transform.job_progress import JobProgress
from sagemaker_tensorflow.transform.ledger import Ledger, LedgerEntry
from sagemaker_tensorflow.transform.object_end import ObjectEnd
from sagemaker_tensorflow.transform.object_results import ObjectResults, Piece
from sagemaker_tensorflow.transform.output_store import StoredObject, open_output_store
from sagemaker_tensorflow.transform.records import RecordFailure
from sagemaker_tensorflow.transform.s3_output_store import S3OutputStore
from tests.transform.inputs import make_objects
from tests.transform.whole_jobs import written

A, B = make_objects("a", "b")
BAD = RecordFailure(1, 10, "it is bad")


class Writing:
    """Results in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.progress = JobProgress()
        self._store = open_output_store(str(folder), owner="0123456789abcdef")
        self._ledger = Ledger(self._store, "0123456789abcdef")

    def results(self, keep_good: bool = False) -> ObjectResults:
        return ObjectResults(
            self._store,
            self._ledger,
            self.progress,
            keep_good=keep_good,
            content_type="text/plain",
            stale_errors=set(),
        )

    def written(self) -> dict[str, bytes]:
        self._ledger.close()
        return written(self.folder)


@pytest.fixture
def writing(tmp_path: Path) -> Writing:
    return Writing(tmp_path)


def test_objects_may_be_interleaved(writing: Writing) -> None:
    with writing.results() as results:
        results.add(A, Piece(b"1", records=1))
        results.add(B, Piece(b"2", records=1))
        results.add(A, Piece(b"3", records=1, ended=True))
        results.add(B, Piece(ended=True))
    assert writing.written() == {"a.out": b"13", "b.out": b"2"}
    now = writing.progress.snapshot()
    assert (now.objects_done, now.records, now.bytes_out) == (2, 3, 3)


@pytest.mark.parametrize("size", [10, 30_000, 300_000])
def test_results_longer_than_is_held(writing: Writing, size: int) -> None:
    pieces = [bytes([n]) * size for n in range(5)]
    with writing.results() as results:
        for piece in pieces:
            results.add(A, Piece(piece, records=1))
        results.add(A, Piece(ended=True))
    assert writing.written() == {"a.out": b"".join(pieces)}


def test_many_small_results(writing: Writing) -> None:
    objects = make_objects(*(f"{n % 7}/{n}" for n in range(1000)))
    with writing.results() as results:
        for obj in objects:
            results.add(obj, Piece(obj.relative.encode(), records=1, ended=True))
    assert writing.written() == {f"{o.relative}.out": o.relative.encode() for o in objects}
    assert writing.progress.snapshot().objects_done == 1000


def test_a_bad_record_loses_what_came_before_and_after(writing: Writing) -> None:
    with writing.results() as results:
        results.add(A, Piece(b"1"))
        assert not results.is_lost(A)
        results.add(A, Piece(failures=[BAD]))
        assert results.is_lost(A)
        results.add(A, Piece(b"3", ended=True))
        results.add(B, Piece(b"2", ended=True))
    assert writing.written() == {"b.out": b"2"}
    [failure] = writing.progress.snapshot().failures
    assert failure.failed
    assert failure.reasons[0] == "record 1 at byte 10: it is bad"


def test_a_bad_record_is_noted(writing: Writing) -> None:
    with writing.results(keep_good=True) as results:
        results.add(A, Piece(b"1", failures=[BAD]))
        results.add(A, Piece(b"3", ended=True))
    found = writing.written()
    assert set(found) == {"a.out", "a.errors.jsonl"}
    assert found["a.out"] == b"13"


@pytest.mark.parametrize(
    ("failure", "kept"), [(CorruptRecordError("broken"), True), (NotFoundError("gone"), False)]
)
def test_an_object_that_ends_early(failure: Exception, kept: bool, writing: Writing) -> None:
    """What its bytes hold is kept; what was not all of it, or not it, is not."""
    with writing.results(keep_good=True) as results:
        results.add(A, Piece(b"1", ended=True, failure=failure))
    assert set(writing.written()) == ({"a.out", "a.errors.jsonl"} if kept else set())


@pytest.mark.parametrize("size", [1, 300_000])
def test_an_error_in_the_block_takes_back_what_is_open(writing: Writing, size: int) -> None:
    with pytest.raises(KeyboardInterrupt), writing.results(keep_good=True) as results:
        results.add(A, Piece(bytes(size), failures=[BAD]))
        raise KeyboardInterrupt
    assert writing.written() == {}


def test_errors_that_cannot_be_written_take_the_result_with_them(writing: Writing) -> None:
    (writing.folder / "a.errors.jsonl").mkdir()  # where the file has to be
    refused = pytest.raises(PipeModeDatasetException, match=r"a\.errors\.jsonl")
    with refused, writing.results(keep_good=True) as results:
        results.add(A, Piece(b"1", failures=[BAD], ended=True))
    assert writing.written() == {}


def test_what_cannot_be_committed_ends_the_job(writing: Writing) -> None:
    (writing.folder / "a.out").mkdir()
    with pytest.raises(PipeModeDatasetException, match=r"a\.out"), writing.results() as results:
        results.add(A, Piece(b"1", ended=True))
        while True:  # one of the next learns of it
            results.add(B, Piece(b"2"))
    assert writing.written() == {}


def test_ends_of_objects_that_another_process_has_done(bucket: str) -> None:
    """They count, until another run has taken over."""
    progress = JobProgress()
    store = S3OutputStore(S3Location(bucket, "out"), S3Options())
    ledger = Ledger(store, "0123456789abcdef")
    entry = LedgerEntry.of(A, StoredObject("a.out", 3, '"e"'), 4, 1)
    done = ObjectEnd(0, entry, "", 3, 30, 1, ("r",))
    lost = ObjectEnd(1, None, "no", 2, 20, 5, ("r", "s"))

    def taken_over() -> None:
        raise FailedPreconditionError("another run took over")

    with contextlib.closing(store), contextlib.closing(ledger):
        results = ObjectResults(
            store, ledger, progress, keep_good=True, content_type="text/csv", stale_errors={1}
        )
        results.add_end(A, done)
        results.add_end(B, lost)
        store.guard(taken_over)
        with pytest.raises(FailedPreconditionError):
            results.add_end(A, done)
        store.guard(None)
        ledger.close()
        assert b'"name":"a"' in store.read_small(next(store.list_names(".smtf-transform/")))
    now = progress.snapshot()
    assert (now.objects_done, now.objects_failed) == (1, 1)
    assert (now.records, now.records_failed, now.bytes_out) == (5, 6, 50)
    assert [failure.reasons for failure in now.failures] == [("r",), ("r", "s", "no")]
