"""Where the pipes of downloads and transforms are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sagemaker_tensorflow.memory_directory import memory_directory
from sagemaker_tensorflow.object_feed import ObjectFeed
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_options import S3Options


def test_a_directory_with_room_is_taken(tmp_path: Path) -> None:
    assert memory_directory(str(tmp_path)) == str(tmp_path)


def test_without_one_the_default_is_left(tmp_path: Path) -> None:
    assert memory_directory(str(tmp_path / "none")) is None


@pytest.mark.skipif(memory_directory() is None, reason="this machine has no /dev/shm with room")
def test_the_pipes_of_object_feeds_are_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "object"
    file.write_bytes(b"content")
    feed = ObjectFeed(
        iter([(str(file), file.stat().st_size, "")]),
        None,
        s3_options=S3Options(),
        config=PrefetchConfig(),
        on_failure=lambda: None,
    )
    with feed:
        directory = Path(feed.pipe_dir)
        assert directory.stat().st_dev == Path(str(memory_directory())).stat().st_dev
    assert not directory.parent.exists()


# A process with a /dev/shm of its own: $0 is what it is mounted with.
OWN_MEMORY = (
    "unshare",
    *(() if os.geteuid() == 0 else ("--map-root-user",)),
    "--mount",
    "sh",
    "-c",
    'mount -t tmpfs -o "$0" tmpfs /dev/shm && exec "$@"',
)


def run_with_memory(options: str, script: str, *arguments: str) -> str:
    """Runs a script. Returns what it prints."""
    own_memory = [*OWN_MEMORY, options]
    if subprocess.run([*own_memory, "true"], capture_output=True).returncode != 0:
        pytest.skip("nothing can be mounted here")
    done = subprocess.run(
        [*own_memory, sys.executable, "-c", script, *arguments], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


PARENTS = """
import tempfile
from pathlib import Path
from sagemaker_tensorflow import memory_directory
made = [memory_directory.make_temporary_directory("smtf-", in_memory=True)]
memory_directory._ENOUGH_FILES = 0  # as if others took the last ones since it looked
made.append(memory_directory.make_temporary_directory("smtf-", in_memory=True))
names = {Path("/dev/shm"): "memory", Path(tempfile.gettempdir()): "disk"}
for path in made:
    print(names[path.parent])
    path.rmdir()
"""


@pytest.mark.parametrize(
    ("options", "parents"),
    [
        ("size=17m,nr_inodes=0", ["memory", "memory"]),
        ("size=15m", ["disk", "disk"]),
        ("size=17m,ro", ["disk", "disk"]),
        ("size=17m,nr_inodes=900", ["disk", "memory"]),
        ("size=17m,nr_inodes=1", ["disk", "disk"]),
    ],
)
def test_the_disk_is_used_where_memory_has_no_room(options: str, parents: list[str]) -> None:
    assert run_with_memory(options, PARENTS).split() == parents


# The memory is full from the first chunk until the end.
FILLED = """
import logging, os, sys
from pathlib import Path
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.training import download_progress
from sagemaker_tensorflow.training.file_channel import download_channel
from sagemaker_tensorflow.training_input import TrainingInput
from sagemaker_tensorflow.transform.input_objects import list_inputs
from sagemaker_tensorflow.transform.object_stream import ObjectStream

def fill():
    try:
        with open("/dev/shm/others", "wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
    except OSError:
        assert os.statvfs("/dev/shm").f_bavail == 0

source, target = map(Path, sys.argv[1:])
logging.basicConfig(stream=sys.stdout, format="%(message)s")
objects = list_inputs(f"file://{source}/", "S3Prefix", S3Options())
ended = 0
with ObjectStream(objects) as stream:
    for chunk in stream:
        fill()
        assert chunk.failure is None
        ended += chunk.ended
print(ended, "objects")
os.unlink("/dev/shm/others")
download_progress._REPORT_SECONDS = 0  # after each piece
stats = download_channel(
    TrainingInput(str(source)),
    target,
    s3_options=S3Options(),
    prefetch_config=PrefetchConfig(),
    progress=lambda now: fill() if now.bytes else None,
)
print(stats.objects, "files")
"""


def test_memory_that_others_fill_meanwhile_fails_nothing(tmp_path: Path) -> None:
    """The prefetcher cannot write down how its stream ended, and every object has come whole."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    for name in "abc":
        (source / name).write_bytes(name.encode() * (1 << 20))
    said = run_with_memory("size=17m", FILLED, str(source), str(target))
    assert "3 objects\n" in said
    assert "3 files\n" in said
    for name in "abc":
        assert (target / name).read_bytes() == name.encode() * (1 << 20)
