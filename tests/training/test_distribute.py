"""Strategies over several workers: each record of an epoch reaches one of them, once."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagemaker_tensorflow import Prefetcher, ShuffleConfig, TrainingInput
from sagemaker_tensorflow.training.free_ports import free_ports
from tests.pipe_mode_dataset.shuffled_lines import COUNT, write_lines

SCRIPT = Path(__file__).with_name("distribute_script.py")
WORKERS = 2
EPOCHS = 2
ONCE = dict.fromkeys(range(COUNT), 1)
# Each process imports TensorFlow.
pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Thirteen files, of which two are shorter than the others, so workers do not get as much."""
    folder = write_lines(tmp_path / "data")
    first = folder / "00"
    lines = first.read_text().splitlines(keepends=True)
    first.write_text("".join(lines[:3]))
    (folder / "00-rest").write_text("".join(lines[3:]))
    return folder


def start(dirs: dict[str, str], *args: str, config: Any = None) -> subprocess.Popen[str]:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    if config is not None:
        environment["TF_CONFIG"] = json.dumps(config)
    process = subprocess.Popen(
        [sys.executable, SCRIPT, *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdin is not None
    json.dump({"dirs": dirs, "records": COUNT}, process.stdin)
    process.stdin.close()
    process.stdin = None  # for communicate()
    return process


@contextlib.contextmanager
def killed_at_the_end(processes: list[subprocess.Popen[str]]) -> Iterator[None]:
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def end(process: subprocess.Popen[str]) -> Any:
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    return json.loads(out)


def test_workers_of_a_mirrored_strategy(folder: Path, tmp_path: Path) -> None:
    """With a pipe for each, and with a prefetcher for each that has its share of the objects."""
    shuffle = ShuffleConfig(7)
    shared = TrainingInput(str(folder), shuffle_config=shuffle, pipes_per_channel=WORKERS)
    share = TrainingInput(str(folder), shuffle_config=shuffle, distribution="ShardedByS3Key")
    hosts = [f"host-{index}" for index in range(WORKERS)]
    addresses = [f"127.0.0.1:{port}" for port in free_ports(WORKERS)]
    with contextlib.ExitStack() as stack:
        feed = stack.enter_context(Prefetcher({"shared": shared}))
        for index, host in enumerate(hosts):
            sharded = Prefetcher(
                {f"sharded-{index}": share}, hosts=hosts, current_host=host, **feed.dirs
            )
            stack.enter_context(sharded)
        workers = [
            start(
                feed.dirs,
                "worker",
                str(index),
                config={
                    "cluster": {"worker": addresses},
                    "task": {"type": "worker", "index": index},
                },
            )
            for index in range(WORKERS)
        ]
        stack.enter_context(killed_at_the_end(workers))
        seen = [end(process) for process in workers]
    for way in ("shared", "sharded"):
        for epoch in range(EPOCHS):
            of_each = [one[way][epoch] for one in seen]
            assert all(0 < len(ids) < COUNT for ids in of_each)
            assert Counter(record for ids in of_each for record in ids) == ONCE


def test_workers_of_parameter_servers(folder: Path) -> None:
    with Prefetcher({"alone": str(folder)}) as feed:
        process = start(feed.dirs, "servers")
        with killed_at_the_end([process]):
            (seen,) = end(process)["alone"]
    assert Counter(seen) == dict.fromkeys(range(COUNT), WORKERS)
