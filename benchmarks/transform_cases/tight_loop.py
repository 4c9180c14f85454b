"""``python -m transform_cases.tight_loop MODEL DATA BATCH``: the model alone, as fast as it goes.

Calls the signature on batches that are ready in memory, one after the other, and takes the results
as arrays. Timed from the first call, which prepares the graph as a job's first call does.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

from sagemaker_tensorflow.records import open_records


def records_of(folder: Path) -> Iterator[bytes]:
    """Of all files, in the order of their names."""
    for path in sorted(folder.iterdir()):
        with open_records(path, "TFRecord") as records:
            yield from records


def main() -> None:
    """Times the loop of the command line."""
    model = tf.saved_model.load(sys.argv[1])
    function = model.signatures["serving_default"]
    records = records_of(Path(sys.argv[2]))
    size = int(sys.argv[3])
    batches = []
    while batch := list(itertools.islice(records, size)):
        batches.append(tf.constant(batch))
    begin = time.perf_counter()
    rows = 0
    for tensor in batches:
        outputs = {name: value.numpy() for name, value in function(examples=tensor).items()}
        rows += len(outputs["scores"])
    seconds = time.perf_counter() - begin
    print(json.dumps({"records": rows, "seconds": seconds}))


if __name__ == "__main__":
    main()
