"""How long the process behind `from_uri` lives, and that nothing of it is left."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tensorflow as tf

from sagemaker_tensorflow import PipeModeDataset
from tests.pipe_mode_dataset.conftest import framed
from tests.pipes import has_ended, wait_until

COUNT = 40
RECORDS = [b"%d" % i + bytes(1 << 20) for i in range(COUNT)]  # more than lies in memory on the way


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("large") / "records"
    path.write_bytes(framed(RECORDS))
    yield str(path)
    path.unlink()


def pid_of(dataset: PipeModeDataset) -> int:
    pid = dataset._stream.process.pid
    assert pid is not None
    return pid


def wait_for_end(pid: int) -> None:
    """Also of the zombie."""

    def gone() -> bool:
        gc.collect()  # TensorFlow's functions are cycles of cycles
        return not Path(f"/proc/{pid}").exists()

    wait_until(gone, "the process is gone")


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_it_ends_with_the_dataset_and_leaves_nothing(uri: str) -> None:
    addresses = []

    def begin() -> int:
        dataset = PipeModeDataset.from_uri(uri, "TFRecord")
        next(iter(dataset))
        addresses.append(dataset._stream.address)
        assert addresses[-1] in Path("/proc/net/unix").read_text()
        return pid_of(dataset)

    wait_for_end(begin())
    before = open_files()
    wait_for_end(begin())
    wait_until(lambda: open_files() <= before, "its files are closed")
    names = Path("/proc/net/unix").read_text()
    assert not any(address in names for address in addresses)


MADE_OF_IT: dict[str, Callable[[PipeModeDataset], object]] = {
    "derived dataset": lambda dataset: dataset.map(tf.strings.length).prefetch(1),
    "iterator": lambda dataset: iter(dataset),
    "iterator of a derived one": lambda dataset: iter(dataset.batch(2).prefetch(1)),
    "variant": lambda dataset: dataset._variant_tensor,
}


@pytest.mark.parametrize("made", MADE_OF_IT)
def test_it_lives_as_long_as_what_is_made_of_it(uri: str, made: str) -> None:
    dataset = PipeModeDataset.from_uri(uri, "TFRecord")
    pid = pid_of(dataset)
    kept: list[object] = [MADE_OF_IT[made](dataset)]
    spec = dataset.element_spec
    del dataset
    gc.collect()
    if made == "variant":
        kept = [tf.data.experimental.from_variant(kept[0], spec)]
    readable: object = kept.pop()
    assert next(iter(readable)) is not None  # type: ignore[call-overload]
    assert not has_ended(pid)
    del readable
    wait_for_end(pid)


def use_functions(uri: str) -> list[int]:
    """Of one that a dataset was given to, and one that makes it, whose graph is run later."""
    pids: list[int] = []

    def first_of(dataset: tf.data.Dataset) -> tf.Tensor:
        first = dataset.take(1).map(lambda record: tf.strings.substr(record, 0, 1))
        return first.reduce(tf.constant(""), lambda _, record: record)

    def given_to() -> Callable[[], tf.Tensor]:
        outside = PipeModeDataset.from_uri(uri, "TFRecord")
        pids.append(pid_of(outside))
        return tf.function(lambda: first_of(outside)).get_concrete_function()

    @tf.function
    def makes() -> tf.Tensor:
        inside = PipeModeDataset.from_uri(uri, "TFRecord")
        pids.append(pid_of(inside))
        return first_of(inside)

    given, made = given_to(), makes.get_concrete_function()
    gc.collect()
    for _ in range(2):
        assert given() == b"0"
        assert made() == b"0"
    assert len(pids) == 2
    return pids


def test_functions_keep_it(uri: str) -> None:
    for pid in use_functions(uri):
        wait_for_end(pid)


# Says the prefetcher's pid, does what it is told, and what comes of it.
SCRIPT = """
import atexit, os, signal, sys, time
from sagemaker_tensorflow import PipeModeDataset
dataset = PipeModeDataset.from_uri(sys.argv[1], "TFRecord", batch_size=10)
print(dataset._stream.process.pid, flush=True)
def read(): return sum(int(batch.shape[0]) for batch in dataset)
"""

ENDINGS = {
    # Interpreter's exit in the middle of an epoch, with everything alive; after a fork whose child
    # comes to its exit handlers first, which end nothing. (TensorFlow's own exit hangs there.)
    "exit": """
child = os.fork()
if child == 0:
    atexit._run_exitfuncs()
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert read() == 40
iterator = iter(dataset)
next(iterator)
""",
    # The second iterator waits for the first.
    "interrupt": """
first = iter(dataset)
next(first)
print("waits", flush=True)
next(iter(dataset))
""",
    "kill": """
child = os.fork()
if child == 0:
    time.sleep(100)
iterator = iter(dataset)
next(iterator)
print(child, flush=True)
time.sleep(600)
""",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_it_ends_with_its_owner(uri: str, ending: str, tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SCRIPT + ENDINGS[ending], uri],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path), "TF_CPP_MIN_LOG_LEVEL": "3"},
        text=True,
    )
    assert owner.stdout is not None
    try:
        pid = int(owner.stdout.readline())
        if ending == "exit":
            _, errors = owner.communicate()
            assert owner.returncode == 0, errors
            assert has_ended(pid)
        elif ending == "interrupt":
            assert owner.stdout.readline() == "waits\n"
            owner.send_signal(signal.SIGINT)
            _, errors = owner.communicate()
            assert "KeyboardInterrupt" in errors
            assert has_ended(pid)
        else:
            child = int(owner.stdout.readline())
            owner.kill()
            owner.wait()
            wait_until(lambda: has_ended(pid), "the prefetcher's process ends")
            os.kill(child, signal.SIGKILL)
            owner.communicate()
        assert not list(tmp_path.iterdir())
    finally:
        owner.kill()
        owner.communicate()
