"""The training process of bench_s3_stream.py: PipeModeDataset with a Prefetcher, or --from-uri.

    AWS_ENDPOINT_URL=... python benchmarks/channel_reader.py s3://bucket/ --epochs 3

reads one epoch, then so many more without a pause, and prints what those took. Each begins and
ends at the same moment of an epoch, so that what was read ahead at the beginning is made up for at
the end. With --first-record it prints when the first record came, and ends.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import Any

import processes
import tensorflow as tf

from sagemaker_tensorflow import PipeModeDataset, PrefetchConfig, Prefetcher

_BATCH = 128  # records of 128 KiB: 16 MiB


def read_pipes(uri: str, config: PrefetchConfig, epochs: int, server_pid: int) -> dict[str, Any]:
    """What `read` says of named pipes, and the prefetcher's counters."""
    with Prefetcher({"bench": uri}, config=config) as feed:
        dataset = PipeModeDataset("bench", "TFRecord", batch_size=_BATCH, **feed.dirs)
        return {
            **read(dataset, epochs, server_pid),
            "stats": feed.stats()["bench"].to_json(),
        }


def read_ring(uri: str, config: PrefetchConfig, epochs: int, server_pid: int) -> dict[str, Any]:
    """What `read` says of a ring in shared memory."""
    dataset = PipeModeDataset.from_uri(uri, "TFRecord", batch_size=_BATCH, config=config)
    return read(dataset, epochs, server_pid)


def read(dataset: PipeModeDataset, epochs: int, server_pid: int) -> dict[str, Any]:
    """Reads it, a batch an element: rate, and CPU seconds of the three processes' sides."""
    (fetching,) = processes.children(os.getpid())
    sides = {
        "server": processes.children(server_pid),
        "fetching": [fetching],
        "training": [os.getpid()],
    }

    def read_epoch() -> int:
        return sum(int(batch.shape[0]) for batch in dataset)

    read_epoch()
    cpu_before = {side: processes.cpu_seconds(*pids) for side, pids in sides.items()}
    begin = time.perf_counter()
    records = sum(read_epoch() for _ in range(epochs))
    seconds = time.perf_counter() - begin
    cpu = {side: processes.cpu_seconds(*pids) for side, pids in sides.items()}
    return {
        "records": records,
        "seconds": seconds,
        "cpu_seconds": {side: cpu[side] - before for side, before in cpu_before.items()},
        "fetching_peak_bytes": processes.resident_bytes("VmHWM", fetching),
    }


def first_record(uri: str, config: PrefetchConfig) -> dict[str, Any]:
    """Times of the start and of the first record."""
    next(iter(tf.data.Dataset.range(1)))  # TensorFlow's own first steps are not the subject
    begin = time.time()
    with Prefetcher({"bench": uri}, config=config) as feed:
        dataset = PipeModeDataset("bench", "TFRecord", **feed.dirs)
        next(iter(dataset))
        return {"begin": begin, "first_record": time.time()}


def main() -> None:
    """Parses the command line, reads, prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("uri", help="s3://bucket/prefix")
    parser.add_argument("--config", type=json.loads, default={}, help="PrefetchConfig as JSON")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--server-pid", type=int, default=os.getpid(), help="whose children serve")
    parser.add_argument("--first-record", action="store_true")
    parser.add_argument("--from-uri", action="store_true")
    options = parser.parse_args()
    config = PrefetchConfig(**options.config)
    if options.first_record:
        answer = first_record(options.uri, config)
    else:
        road = read_ring if options.from_uri else read_pipes
        answer = road(options.uri, config, options.epochs, options.server_pid)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
