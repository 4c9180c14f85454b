from __future__ import annotations

import json

import pytest

from sagemaker_tensorflow.transform.error_file import ErrorFile, objects_with_error_files
from sagemaker_tensorflow.transform.output_store import OutputStore
from sagemaker_tensorflow.transform.records import RecordFailure
from tests.transform.inputs import make_object, make_objects

OBJECT = make_object("sub/a.csv")
NAME = "sub/a.csv.errors.jsonl"


def test_lines(store: OutputStore) -> None:
    errors = ErrorFile(store, OBJECT)
    errors.add(RecordFailure(0, 0, "not JSON:\n  line 1 column 2"))
    errors.add(RecordFailure(7, 1 << 40, 'ein "Ü"'))
    errors.add_object("truncated\udcff")
    assert not store.exists(NAME)
    assert errors.commit()
    lines = store.read_small(NAME).decode().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"record": 0, "offset": 0, "reason": "not JSON: line 1 column 2"},
        {"record": 7, "offset": 1 << 40, "reason": 'ein "Ü"'},
        {"record": None, "offset": None, "reason": "truncated\udcff"},
    ]


def test_nothing_wrong_makes_no_file(store: OutputStore) -> None:
    assert not ErrorFile(store, OBJECT).commit()
    assert list(store.list_names()) == []


@pytest.mark.parametrize("stale", [True, False])
def test_file_of_an_earlier_run(store: OutputStore, stale: bool) -> None:
    store.write_small(NAME, b"old")
    assert not ErrorFile(store, OBJECT, stale).commit()
    assert store.exists(NAME) == (not stale)


def test_abort_keeps_the_file_of_an_earlier_run(store: OutputStore) -> None:
    store.write_small(NAME, b"old")
    errors = ErrorFile(store, OBJECT, stale=True)
    errors.add_object("new")
    errors.abort()
    assert store.read_small(NAME) == b"old"


def test_which_objects_have_one(store: OutputStore) -> None:
    objects = make_objects("a", "sub/a.csv", "b")
    assert objects_with_error_files(store, objects) == set()
    store.write_small(NAME, b"")
    store.write_small("b.errors.jsonl", b"")
    store.write_small("a.out", b"")
    assert objects_with_error_files(store, objects) == {1, 2}
