"""A job without a model, to be killed: ``python -m tests.transform.ledger_worker OUTPUT_URI``.

Begins an object for each byte of its stdin, or at the end of that. Writes ``begin <index>`` and
``done <index>`` around each, of which the latter follows the commit.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor

from sagemaker_tensorflow.transform.ledger import Ledger, LedgerEntry
from sagemaker_tensorflow.transform.multipart_upload import PART_BYTES
from sagemaker_tensorflow.transform.output_keys import output_name
from sagemaker_tensorflow.transform.output_store import OutputStore, open_output_store
from sagemaker_tensorflow.transform.records import InputObject
from tests.transform.inputs import make_object

DIGEST = "d" * 64
OBJECTS = [make_object(f"f{n % 7}/{n:03d}", n, size=n) for n in range(300)]


def result_size(obj: InputObject) -> int:
    """Some are empty, some need several parts."""
    if obj.index % 60 == 30:
        return PART_BYTES + obj.index
    return random.Random(obj.index).choice([0, 1, 1000, 100_000])


def result_of(obj: InputObject) -> bytes:
    line = f"{obj.relative}\n".encode()
    size = result_size(obj)
    return (line * (size // len(line) + 1))[:size]


def open_ledger(store: OutputStore) -> Ledger:
    return Ledger(store, DIGEST, segment_entries=5, segment_seconds=0.05)


def main() -> None:
    store = open_output_store(sys.argv[1], owner=DIGEST)
    ledger = open_ledger(store)
    with contextlib.closing(store), contextlib.closing(ledger):
        store.clean_left_overs()
        finished = ledger.finished(OBJECTS)
        left = [obj for obj in OBJECTS if obj.index not in finished]
        with ThreadPoolExecutor(4) as threads:
            for _ in threads.map(lambda obj: _transform(store, ledger, obj), left):
                pass


def _transform(store: OutputStore, ledger: Ledger, obj: InputObject) -> None:
    os.read(0, 1)
    _say(f"begin {obj.index}")
    data = result_of(obj)
    writer = store.writer(output_name(obj))
    for begin in range(0, len(data), 1 << 20):
        writer.write(data[begin : begin + (1 << 20)])
    stored = writer.commit()
    _say(f"done {obj.index}")
    ledger.add(LedgerEntry.of(obj, stored, records=obj.index, failed_records=0))


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())  # at once, and not torn by other threads


if __name__ == "__main__":
    main()
