"""The training process of bench_restore.py.

    AWS_ENDPOINT_URL=... python benchmarks/restore_reader.py restored FOLDER RECORDS

reads s3://bucket/ and prints what it took:

  save        reads so many records, or a batch more, and saves a checkpoint to FOLDER
  restored    restores it and reads the next batch
  from_start  reads up to the end of the same batch
  count       restores it and reads the rest
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import tensorflow as tf

from sagemaker_tensorflow import PipeModeDataset, Prefetcher

_BATCH = 128  # records of 128 KiB: 16 MiB


def restored(iterator: Any, folder: Path) -> Any:
    """The iterator, where it was saved."""
    tf.train.Checkpoint(iterator=iterator).read(str(folder / "saved")).assert_consumed()
    return iterator


def read_up_to(iterator: Any, records: int) -> int:
    """Reads batches until there are so many records. Returns how many there were."""
    read = 0
    while read < records:
        read += int(next(iterator).shape[0])
    return read


def act(action: str, dataset: PipeModeDataset, folder: Path, records: int) -> dict[str, Any]:
    """Does what the head of this file says; the answer without times."""
    iterator = iter(dataset)
    if action == "count":
        return {"read": sum(int(batch.shape[0]) for batch in restored(iterator, folder))}
    read = 0
    if action == "restored":
        iterator = restored(iterator, folder)
    else:
        read = read_up_to(iterator, records)
    if action == "save":
        tf.train.Checkpoint(iterator=iterator).write(str(folder / "saved"))
    batch = next(iterator)
    return {"read": read, "next_record": hashlib.sha256(batch[0].numpy()).hexdigest()}


def main() -> None:
    """Parses the command line, reads, prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=("save", "restored", "from_start", "count"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("records", type=int)
    options = parser.parse_args()
    next(iter(tf.data.Dataset.range(1)))  # TensorFlow's own first steps are not the subject
    begin = time.perf_counter()
    with Prefetcher({"bench": "s3://bucket/"}) as feed:
        dataset = PipeModeDataset("bench", "TFRecord", batch_size=_BATCH, **feed.dirs)
        started = time.perf_counter()
        answer = act(options.action, dataset, options.folder, options.records)
        seconds = time.perf_counter() - started
        fetched = feed.stats()["bench"].bytes_fetched
    answer |= {
        "seconds": seconds,
        "prefetcher_start_seconds": started - begin,
        "fetched_bytes": fetched,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
