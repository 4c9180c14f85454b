from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from sagemaker_tensorflow.transform.ledger import Ledger, LedgerEntry
from sagemaker_tensorflow.transform.output_keys import output_name
from sagemaker_tensorflow.transform.output_store import OutputStore, open_output_store
from sagemaker_tensorflow.transform.records import InputObject
from tests.transform.inputs import make_objects
from tests.transform.ledger_worker import (
    DIGEST,
    OBJECTS,
    open_ledger,
    result_of,
    result_size,
)

FOLDER = f".smtf-transform/{DIGEST}/finished/"
KILLS = 30


def finish(store: OutputStore, ledger: Ledger, objects: Sequence[InputObject]) -> None:
    for obj in objects:
        stored = store.write_small(output_name(obj), obj.relative.encode())
        ledger.add(LedgerEntry.of(obj, stored, records=7, failed_records=2))


def finished(store: OutputStore, objects: Sequence[InputObject]) -> set[int]:
    """As a new process finds it."""
    return set(Ledger(store, DIGEST).finished(objects))


def test_nothing_is_finished_at_first(store: OutputStore) -> None:
    assert Ledger(store, DIGEST).finished(make_objects("a")) == {}


def test_what_is_finished(store: OutputStore) -> None:
    objects = make_objects("f/a", "f/b", "g", "h")
    ledger = Ledger(store, DIGEST)
    finish(store, ledger, objects[:3])
    assert finished(store, objects) == set()  # no segment is written yet
    assert ledger.close()
    assert finished(store, objects) == {0, 1, 2}
    entry = Ledger(store, DIGEST).finished(objects)[1]
    assert (entry.records, entry.failed_records, entry.output_size) == (7, 2, 3)
    assert set(Ledger(store, "another").finished(objects)) == set()


def test_indices_are_those_of_this_run(store: OutputStore) -> None:
    ledger = Ledger(store, DIGEST)
    finish(store, ledger, make_objects("a", "b"))
    ledger.close()
    assert finished(store, make_objects("new", "b")) == {1}


@pytest.mark.parametrize(
    "changed",
    [{"etag": '"other"'}, {"size": 101}, {"etag": ""}, {"relative": "b"}, {"uri": "s3://x/data/a"}],
    ids=lambda change: next(iter(change)),
)
def test_other_inputs_are_not_finished(store: OutputStore, changed: dict[str, str]) -> None:
    [obj] = make_objects("a")
    ledger = Ledger(store, DIGEST)
    finish(store, ledger, [obj])
    store.write_small("b.out", b"a")
    ledger.close()
    assert finished(store, [obj]) == {0}
    assert finished(store, [replace(obj, **changed)]) == set()  # type: ignore[arg-type]


def test_results_that_are_gone_or_replaced(store: OutputStore) -> None:
    objects = make_objects("a", "b", "c", "d")
    ledger = Ledger(store, DIGEST)
    finish(store, ledger, objects)
    ledger.close()
    store.delete("b.out")
    store.write_small("c.out", b"C")  # of the same size
    store.write_small("d.out", b"longer")
    assert finished(store, objects) == {0}
    again = Ledger(store, DIGEST)
    finish(store, again, objects[1:])
    again.close()
    assert finished(store, objects) == {0, 1, 2, 3}


def test_segments_that_are_cut_or_strange(store: OutputStore) -> None:
    objects = make_objects("a", "b", "c")
    ledger = Ledger(store, DIGEST)
    finish(store, ledger, objects)
    ledger.close()
    [segment] = store.list_names(FOLDER)
    data = store.read_small(segment)
    store.write_small(segment, data[:-20])
    store.write_small(f"{FOLDER}0.jsonl", b'\xff\xfe\n[1]\n{"name": 3}\n\nnull\n')
    assert finished(store, objects) == {0, 1}


def test_many_objects_make_few_segments(store: OutputStore) -> None:
    objects = make_objects(*(f"{n}" for n in range(2500)))
    entry = LedgerEntry.of(objects[0], store.write_small("0.out", b""), 1, 0)
    ledger = Ledger(store, DIGEST, segment_entries=1000, segment_seconds=1000)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda o: ledger.add(replace(entry, uri=o.uri)), objects))
    ledger.close()
    segments = [store.read_small(name) for name in store.list_names(FOLDER)]
    assert len(segments) <= 3
    assert sum(data.count(b"\n") for data in segments) == 2500


def test_slow_objects_are_written_in_time(store: OutputStore) -> None:
    [obj] = make_objects("a")
    ledger = Ledger(store, DIGEST, segment_seconds=0.01)
    finish(store, ledger, [obj])
    deadline = time.monotonic() + 60
    while finished(store, [obj]) != {0}:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    ledger.close()


def test_segments_are_joined(store: OutputStore) -> None:
    objects = make_objects(*(f"{n}" for n in range(70)))
    for obj in objects:
        ledger = Ledger(store, DIGEST)
        finish(store, ledger, [obj])
        assert ledger.close()
    assert len(list(store.list_names(FOLDER))) == 70
    assert finished(store, objects) == set(range(70))
    assert len(list(store.list_names(FOLDER))) == 1
    assert finished(store, objects) == set(range(70))


def test_ledger_that_cannot_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    [obj] = make_objects("a")
    store = open_output_store(str(tmp_path))
    (tmp_path / ".smtf-transform").write_bytes(b"in the way")
    ledger = Ledger(store, DIGEST, segment_seconds=1000)
    finish(store, ledger, [obj])
    assert not ledger.flush()
    assert "1 finished objects are not in the ledger yet" in caplog.text
    (tmp_path / ".smtf-transform").unlink()
    assert ledger.close()
    assert finished(store, [obj]) == {0}


def run_and_kill(output_uri: str, dice: random.Random) -> list[str]:
    """Lets the worker begin some objects and kills it in the midst of them; what it said."""
    command = [sys.executable, "-m", "tests.transform.ledger_worker", output_uri]
    objects = dice.randrange(13)
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdin and worker.stdout
        worker.stdin.write("x" * objects)
        worker.stdin.flush()
        said = [worker.stdout.readline() for _ in range(dice.randrange(2 * objects + 1))]
        time.sleep(dice.random() * 0.02)
        worker.kill()
        said += worker.stdout.readlines()
    return said


def indices(said: Sequence[str], word: str) -> list[int]:
    return [int(line.split()[1]) for line in said if line.startswith(word)]


@pytest.mark.timeout(300)
def test_killed_thirty_times(store: OutputStore, output_uri: str) -> None:
    dice = random.Random(20)
    sizes = {output_name(obj): result_size(obj) for obj in OBJECTS}
    for _ in range(KILLS):
        durable = set(open_ledger(store).finished(OBJECTS))
        said = run_and_kill(output_uri, dice)
        assert not durable & set(indices(said, "begin")), "a finished object is done again"
        for stored in store.list_stored("f"):
            assert stored.size == sizes[stored.name], "a part of a result is visible"
    durable = set(open_ledger(store).finished(OBJECTS))
    assert 0 < len(durable) < len(OBJECTS), "the test is to be killed half way"

    command = [sys.executable, "-m", "tests.transform.ledger_worker", output_uri]
    ended = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    said = ended.stdout.splitlines()
    assert sorted(indices(said, "done")) == sorted({o.index for o in OBJECTS} - durable)
    assert set(open_ledger(store).finished(OBJECTS)) == {obj.index for obj in OBJECTS}
    assert sorted(store.list_names("f")) == sorted(sizes)
    for obj in OBJECTS:
        assert store.read_small(output_name(obj)) == result_of(obj)
    nothing_is_left_over(store)


def nothing_is_left_over(store: OutputStore) -> None:
    assert store.clean_left_overs() == 0
    if store.folder is None:
        found = boto3.client("s3").list_multipart_uploads(Bucket=store.uri.split("/")[2])
        assert found.get("Uploads", []) == []
    else:
        assert list(store.folder.rglob("*.tmp")) == []


def test_a_run_beside_another(store: OutputStore, output_uri: str) -> None:
    """Both write the same names: each result is one of the two, which are the same."""
    objects = make_objects(*(f"{n}" for n in range(20)))
    with contextlib.closing(open_output_store(output_uri, owner=DIGEST)) as other:
        ledgers = [Ledger(store, DIGEST), Ledger(other, DIGEST)]
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(finish, (store, other), ledgers, (objects, objects)))
        for ledger in ledgers:
            ledger.close()
    found = finished(store, objects)
    names = {output_name(o) for o in objects}
    assert {n for n in store.list_names() if n in names} == names
    if store.folder is None:
        assert found == set(range(20))
