"""``python -m transform_cases.ray_job MODEL DATA OUTPUT CPUS``: the same job with Ray Data.

``read_tfrecords`` parses Examples itself, so the model is called by its signature for rows, on the
batches that ``map_batches`` makes, and ``write_json`` writes a line per record. Needs ``ray[data]``
and TensorFlow, not this project.

What it is given: a node with this machine's CPUs, a process for each of them; TensorFlow bound to
one thread in each, so that nobody takes another's; a read task per file; batches as Arrow tables,
whose values become a tensor without a copy of each list; functions instead of actors, so that both
processes do what there is to do, reading or inferring. Every process loads the model and the whole
pipeline runs over a few records before the time is taken.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import ray

from transform_cases.ray_model import predict, warm_up

_BATCH = 2048
_WARM_UP_RECORDS = 64
_FRAMING = 16  # of a TFRecord


def transform(model: str, data: Path, output: str) -> None:
    """Reads, infers, writes."""
    files = len(list(data.iterdir()))
    records = ray.data.read_tfrecords(str(data), override_num_blocks=files)
    scores = records.map_batches(
        predict, batch_size=_BATCH, batch_format="pyarrow", fn_kwargs={"model": model}
    )
    scores.write_json(output)


def write_heads(data: Path, folder: Path) -> None:
    """The first records of each file, which are of one size."""
    folder.mkdir()
    for path in data.iterdir():
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little") + _FRAMING
            file.seek(0)
            (folder / path.name).write_bytes(file.read(size * _WARM_UP_RECORDS))


def lines_in(folder: Path) -> int:
    """How many results there are."""
    return sum(path.read_bytes().count(b"\n") for path in folder.rglob("*.json"))


def main() -> None:
    """Starts Ray, times the job of the command line."""
    model, data, output, cpus = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    state = tempfile.mkdtemp(prefix="smtf-ray-")
    try:
        ray.init(
            address="local",
            num_cpus=cpus,
            include_dashboard=False,
            logging_level=logging.ERROR,
            log_to_driver=False,
            object_store_memory=256 << 20,
            _temp_dir=state,
        )
        meeting = Path(state) / "meeting"
        meeting.mkdir()
        warm = ray.remote(warm_up)
        ray.get([warm.remote(model, cpus, str(meeting)) for _ in range(cpus)])
        ray.data.DataContext.get_current().enable_progress_bars = False
        heads = Path(state) / "heads"
        write_heads(data, heads)
        transform(model, heads, str(Path(state) / "warm"))
        begin = time.perf_counter()
        transform(model, data, str(output))
        seconds = time.perf_counter() - begin
        ray.shutdown()
    finally:
        shutil.rmtree(state, ignore_errors=True)
    print(json.dumps({"records": lines_in(output), "seconds": seconds}))


if __name__ == "__main__":
    main()
