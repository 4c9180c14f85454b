"""What came of one object, as one process tells it to another."""

from __future__ import annotations

from dataclasses import dataclass

from sagemaker_tensorflow.transform.job_progress import JobProgress
from sagemaker_tensorflow.transform.ledger import LedgerEntry
from sagemaker_tensorflow.transform.records import InputObject


@dataclass(frozen=True, slots=True)
class ObjectEnd:
    """An object that nothing is left to do for.

    Attributes:
        index: `InputObject.index`.
        entry: Of its result; None if it gets none.
        failure: Why it gets none, or "".
        records: That had results, also if it gets none.
        written: Bytes of results that were given to a writer.
        failed_records: How many have none.
        reasons: The first few that differ.
    """

    index: int
    entry: LedgerEntry | None
    failure: str
    records: int
    written: int
    failed_records: int
    reasons: tuple[str, ...]

    def count(self, progress: JobProgress, obj: InputObject) -> None:
        """Counts it as the process did that made the result."""
        progress.add_records(obj, self.records)
        progress.add_written(obj, self.written)
        for number, reason in enumerate(self.reasons):
            others = self.failed_records - len(self.reasons) if number == 0 else 0
            progress.record_failed(obj, reason, 1 + others)
        if self.entry is None:
            progress.object_failed(obj, self.failure)
        else:
            progress.object_done(obj)
