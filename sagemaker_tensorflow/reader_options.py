"""How a dataset reads its stream, whatever carries it."""

from __future__ import annotations

import math
import numbers
import secrets
from dataclasses import dataclass, fields
from typing import Any

from sagemaker_tensorflow.errors import InvalidArgumentError

RECORD_FORMATS = ("RecordIO", "TFRecord", "TextLine")
# TFRecord's and RecordIO's writers hold a record in memory whole; none known makes larger ones.
MAX_RECORD_BYTES = 1 << 30
# The op has their numbers as int64.
_EPOCHS = 1 << 63


@dataclass(frozen=True, kw_only=True)
class ReaderOptions:
    """The arguments of `PipeModeDataset` that say how to read, not what; see there.

    Raises:
        InvalidArgumentError: One is out of its bounds, or no number where it has to be one.
    """

    record_format: str
    batch_size: int | None
    drop_remainder: bool
    timeout: float
    stall_timeout: float | None
    max_record_bytes: int
    max_corrupted_records_to_skip: int
    strip_carriage_return: bool
    benchmark: bool
    benchmark_records_interval: int
    first_epoch: int | None

    def __post_init__(self) -> None:
        """Checks what the op would refuse with a less helpful message."""
        for field in fields(self):
            _require_number(field.name, str(field.type), getattr(self, field.name))
        if self.record_format not in RECORD_FORMATS:
            raise InvalidArgumentError(
                f"record_format must be one of {', '.join(RECORD_FORMATS)}, "
                f"not {self.record_format!r}"
            )
        if self.batch_size is not None and self.batch_size < 1:
            raise InvalidArgumentError(
                "batch_size must be at least 1, or None for one record per element, "
                f"not {self.batch_size}"
            )
        if not 0 <= self.timeout < math.inf:
            raise InvalidArgumentError(f"timeout must be 0 or more seconds, not {self.timeout}")
        if self.stall_timeout is not None and not 0 < self.stall_timeout < math.inf:
            raise InvalidArgumentError(
                "stall_timeout must be a positive number of seconds, or None for no limit, "
                f"not {self.stall_timeout}"
            )
        if self.first_epoch is not None and not 0 <= self.first_epoch < _EPOCHS:
            raise InvalidArgumentError(
                "first_epoch must be 0 or more and less than 2**63, or None for the next, "
                f"not {self.first_epoch}"
            )

    @property
    def element_shape(self) -> list[int | None]:
        """Of one element's tensor."""
        if self.batch_size is None:
            return []
        return [self.batch_size if self.drop_remainder else None]

    def op_arguments(self) -> dict[str, Any]:
        """As the op SmtfPipeModeDataset takes them."""
        stall_ms = 0 if self.stall_timeout is None else max(1, round(self.stall_timeout * 1000))
        first: dict[str, Any] = {}
        if self.first_epoch is not None:
            # TensorFlow copies datasets when it rewrites graphs: copies have the same id.
            first = {"first_epoch": self.first_epoch, "dataset_id": secrets.token_hex(16)}
        return {
            "record_format": self.record_format,
            "batch_size": self.batch_size or 0,
            "drop_remainder": self.drop_remainder,
            "max_record_bytes": self.max_record_bytes,
            "max_corrupted_records_to_skip": self.max_corrupted_records_to_skip,
            "strip_carriage_return": self.strip_carriage_return,
            "timeout_ms": round(self.timeout * 1000),
            "stall_timeout_ms": stall_ms,
            "benchmark": self.benchmark,
            "benchmark_records_interval": self.benchmark_records_interval,
            **first,
        }


# NumPy's numbers are as good as Python's.
_NUMBERS = {"int": (numbers.Integral, "a whole number"), "float": (numbers.Real, "a number")}


def _require_number(name: str, declared: str, value: Any) -> None:
    kind, _, none = declared.partition(" | ")
    if kind not in _NUMBERS or (none and value is None):
        return
    wanted, called = _NUMBERS[kind]
    if not isinstance(value, wanted):
        raise InvalidArgumentError(
            f"{name} must be {called}, not {value!r} ({type(value).__name__})"
        )
