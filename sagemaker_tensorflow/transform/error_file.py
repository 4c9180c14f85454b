"""``<relative>.errors.jsonl``: what is wrong with an object's records, a JSON object on each line.

A bad record gives ``{"record": 3, "offset": 4711, "reason": "..."}``: its number and where it
begins in the decompressed object, in bytes, both from 0. What is wrong with the object itself, such
as a header in its middle that breaks the framing, gives the same with both null. So the lines of
any number of files make one table.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from sagemaker_tensorflow.transform.output_keys import ERRORS_SUFFIX, errors_name
from sagemaker_tensorflow.transform.output_store import OutputStore, OutputWriter
from sagemaker_tensorflow.transform.records import InputObject, RecordFailure


def objects_with_error_files(store: OutputStore, objects: Iterable[InputObject]) -> set[int]:
    """Indices of the objects that have such a file now, of an earlier run.

    Raises:
        PipeModeDatasetException: The output path cannot be listed.
    """
    there = {name for name in store.list_names() if name.endswith(ERRORS_SUFFIX)}
    return {obj.index for obj in objects if errors_name(obj) in there} if there else set()


class ErrorFile:
    """The bad records of one object. Used by one thread at a time.

    To be committed before the result is: whoever sees the result then finds this beside it.

    Args:
        store: Where the result goes.
        obj: Whose records these are.
        stale: An earlier run left such a file, which has to go when nothing is wrong any more.
    """

    def __init__(self, store: OutputStore, obj: InputObject, stale: bool = False) -> None:
        self._store = store
        self._name = errors_name(obj)
        self._stale = stale
        self._writer: OutputWriter | None = None

    def add(self, failure: RecordFailure) -> None:
        """Notes a bad record. They are to come in their order.

        Raises:
            PipeModeDatasetException: It cannot be written.
        """
        self._write(failure.record, failure.offset, failure.reason)

    def add_object(self, reason: str) -> None:
        """Notes what is wrong with the object as a whole, or from here on.

        Raises:
            PipeModeDatasetException: It cannot be written.
        """
        self._write(None, None, reason)

    def commit(self) -> bool:
        """Makes the file visible, or sees to it that there is none; whether there is one.

        Raises:
            PipeModeDatasetException: The file cannot be written or removed.
        """
        if self._writer is not None:
            self._writer.commit()
            return True
        if self._stale:
            self._store.delete(self._name)
        return False

    def abort(self) -> None:
        """Takes back what was noted, unless it was committed."""
        if self._writer is not None:
            self._writer.abort()

    def _write(self, record: int | None, offset: int | None, reason: str) -> None:
        if self._writer is None:
            self._writer = self._store.writer(self._name, "application/jsonlines")
        one_line = " ".join(reason.split())
        line = {"record": record, "offset": offset, "reason": one_line}
        # A reason may quote a file name that is no UTF-8, which Python holds as surrogates.
        text = json.dumps(line, ensure_ascii=False) + "\n"
        self._writer.write(text.encode("utf-8", "backslashreplace"))
