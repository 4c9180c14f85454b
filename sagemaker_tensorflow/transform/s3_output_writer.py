"""One result on its way to S3: a single PUT, or parts when it gets longer than one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.multipart_upload import PART_BYTES, MultipartUpload
from sagemaker_tensorflow.transform.output_store import StoredObject

if TYPE_CHECKING:
    from sagemaker_tensorflow.transform.s3_output_store import S3OutputStore


class S3OutputWriter:
    """An `OutputWriter` that finds out by itself whether parts are needed."""

    def __init__(self, store: S3OutputStore, name: str, content_type: str) -> None:
        self._store = store
        self._name = name
        self._content_type = content_type
        self._pending = bytearray()
        self._size = 0
        self._upload: MultipartUpload | None = None
        self._done = False

    def write(self, data: bytes) -> None:
        """Appends bytes; sends what makes a part."""
        self._check_open()
        with self._aborted_on_error():
            self._size += len(data)
            left = memoryview(data)
            # Not before there is more than a part: an object of exactly one is a single PUT.
            while len(self._pending) + len(left) > self._next_part_bytes():
                room = self._next_part_bytes() - len(self._pending)
                self._pending += left[:room]
                left = left[room:]
                self._send_part()
            self._pending += left

    def commit(self) -> StoredObject:
        """One PUT of everything, or the last part and the completion."""
        self._check_open()
        with self._aborted_on_error():
            rest = bytes(self._pending)
            if self._upload is None:
                stored = self._store.write_small(self._name, rest, self._content_type)
            else:
                self._upload.add_part(rest)
                stored = StoredObject(self._name, self._size, self._upload.complete())
        self._done = True
        self._pending.clear()
        return stored

    def abort(self) -> None:
        """Forgets everything; S3 too."""
        if self._done:
            return
        self._done = True
        self._pending.clear()
        if self._upload is not None:
            self._upload.abort()

    def _check_open(self) -> None:
        if self._done:
            raise InvalidArgumentError(
                f"{self._store.uri_of(self._name)} was committed or aborted already"
            )

    def _next_part_bytes(self) -> int:
        return PART_BYTES if self._upload is None else self._upload.next_part_bytes

    def _send_part(self) -> None:
        if self._upload is None:
            self._upload = self._store.upload(self._name, self._content_type)
        self._upload.add_part(bytes(self._pending))
        self._pending.clear()

    @contextlib.contextmanager
    def _aborted_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.abort()
            raise
