"""Serves one FastFile channel: ``python -m sagemaker_tensorflow.training.fast_file.server ORDERS``.

ORDERS is a JSON object, a `ServerOrders`. Started by the warden with the mount's descriptor, and
killed by it. What goes wrong with an object is a line on stderr, which is the job's log.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sagemaker_tensorflow.locations import S3Location
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.system_errors import translated_os_errors
from sagemaker_tensorflow.training.fast_file.fetches import Fetches
from sagemaker_tensorflow.training.fast_file.fuse_session import FuseSession
from sagemaker_tensorflow.training.fast_file.reader import FastFileReader
from sagemaker_tensorflow.training.fast_file.tree import FileObject, FileTree

if TYPE_CHECKING:
    from sagemaker_tensorflow._prefetch import Source


@dataclass(frozen=True)
class ServerOrders:
    """What a server is to do. Holds no secret: credentials are found by boto3, in its process.

    Attributes:
        channel: For messages.
        list_path: Of a file that `write_list` has written; it is removed when it is read.
        bucket: Of all objects; None when they are local files.
        s3_options: How to reach S3.
        config: Connections, retries, memory.
    """

    channel: str
    list_path: str
    bucket: str | None
    s3_options: S3Options
    config: PrefetchConfig

    def to_json(self) -> str:
        """A JSON object."""
        return json.dumps({**asdict(self), "config": self.config.to_json()})

    @classmethod
    def from_json(cls, text: str) -> ServerOrders:
        """The reverse."""
        values = json.loads(text)
        values["s3_options"] = S3Options(**values["s3_options"])
        values["config"] = PrefetchConfig.from_json(values["config"])
        return cls(**values)


def write_list(path: Path, files: Iterable[tuple[str, FileObject]]) -> None:
    """Writes down which files there are: lines of JSON, ``[path, name, size, etag]``.

    Raises:
        PipeModeDatasetException: It cannot be written.
    """
    with translated_os_errors(f"writing {path}"), path.open("w", encoding="ascii") as file:
        file.writelines(json.dumps([name, *of]) + "\n" for name, of in files)


def read_list(path: Path) -> Iterator[tuple[str, FileObject]]:
    """What `write_list` has written; removes it."""
    with path.open(encoding="ascii") as file:
        path.unlink()
        for line in file:
            name, *fields = json.loads(line)
            yield name, FileObject(*fields)


def main(argv: list[str]) -> int:
    """Serves until it is unmounted.

    Args:
        argv: The descriptor's number, and the orders.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the job's owner
    fuse_fd, orders = int(argv[0]), ServerOrders.from_json(argv[1])
    tree = FileTree()
    for path, file_object in read_list(Path(orders.list_path)):
        tree.add(path, file_object)
    config = orders.config
    reader = FastFileReader(
        tree,
        lambda on_done: Fetches(lambda: _open_source(orders, tree), config, on_done),
        config.memory_bytes,
        _Report(orders),
    )
    FuseSession(fuse_fd, tree, reader).serve()
    sys.stderr.flush()
    os._exit(0)  # without waiting for what is still being fetched


class _Report:
    def __init__(self, orders: ServerOrders) -> None:
        self._channel = orders.channel

    def __call__(self, problem: str) -> None:
        line = f"smtf: channel {self._channel} (FastFile): {problem}\n"
        os.write(sys.stderr.fileno(), line.encode("utf-8", "backslashreplace"))


def _open_source(orders: ServerOrders, tree: FileTree) -> Source:
    from sagemaker_tensorflow import _prefetch
    from sagemaker_tensorflow.source_pool import SourcePool

    if orders.bucket is None:
        return _prefetch.FileSource()
    # What the first object is like says nothing about the others.
    location = S3Location(orders.bucket, tree.first_object().name)
    pool = SourcePool(orders.config, orders.s3_options)
    return pool.bucket_of(location, may_be_denied=True).source


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
