"""The files of a channel in FastFile mode: which folder holds which, and the object of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sagemaker_tensorflow.training.fast_file.fuse_wire import ROOT_NODE


class FileObject(NamedTuple):
    """What a file's bytes are read from.

    Attributes:
        name: S3 key or path.
        size: In bytes.
        etag: What the object must have, with its quotes; "" where it has none.
    """

    name: str
    size: int
    etag: str


class FileTree:
    """Files and folders by number; the channel's folder is `ROOT_NODE`. Filled, then only read.

    It takes about half a kilobyte of memory for each file.

    Attributes:
        total_bytes: Of all files.
    """

    def __init__(self) -> None:
        self._objects: list[FileObject | None] = [None, None]  # by number; None are folders
        self._children: dict[int, dict[bytes, int]] = {ROOT_NODE: {}}
        self._names: dict[int, list[bytes]] = {}  # of folders that were listed, in their order
        self.total_bytes = 0

    def add(self, path: str, file_object: FileObject) -> None:
        """Adds a file, and the folders that it lies in.

        Args:
            path: As `channel_files.file_path` makes them: names with ``/`` between them.
            file_object: Of the file.
        """
        *folders, name = path.encode("utf-8", "surrogateescape").split(b"/")
        parent = ROOT_NODE
        for folder in folders:
            children = self._children[parent]
            if folder not in children:
                self._children[len(self._objects)] = {}
                children[folder] = self._new(None)
            parent = children[folder]
        self._children[parent][name] = self._new(file_object)
        self.total_bytes += file_object.size

    def _new(self, file_object: FileObject | None) -> int:
        self._objects.append(file_object)
        return len(self._objects) - 1

    def find(self, folder: int, name: bytes) -> int | None:
        """The number of what a folder has of that name."""
        return self._children[folder].get(name)

    def is_folder(self, node: int) -> bool:
        """Whether it is no file."""
        return self._objects[node] is None

    def object(self, node: int) -> FileObject:
        """A file's."""
        found = self._objects[node]
        assert found is not None  # noqa: S101 - the kernel reads no folders as files
        return found

    def first_object(self) -> FileObject:
        """One of them, of which there is one or more."""
        return next(found for found in self._objects if found is not None)

    def names(self, folder: int, begin: int) -> Iterator[tuple[int, bytes]]:
        """What is in a folder from a place on: the place behind each, and its name."""
        names = self._names.get(folder)
        if names is None:
            names = self._names[folder] = list(self._children[folder])
        for index in range(begin, len(names)):
            yield index + 1, names[index]

    def __len__(self) -> int:
        return len(self._objects) - 1
