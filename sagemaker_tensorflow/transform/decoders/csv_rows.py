"""Records of CSV without a header."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.data_processing import as_row, filtered
from sagemaker_tensorflow.transform.decoders.csv_columns import CsvColumns
from sagemaker_tensorflow.transform.decoders.instance_rows import RecordRows, decoded_rows
from sagemaker_tensorflow.transform.decoders.utf8 import utf8_text
from sagemaker_tensorflow.transform.json_path import compile_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sagemaker_tensorflow.transform.records import Decoded, Payload
    from sagemaker_tensorflow.transform.signatures import Signature
    from sagemaker_tensorflow.transform.spec import DataProcessing

# Python's limit of 128 KiB is less than an image in base64. A record is bounded by MaxPayload.
_FIELD_CHARACTERS = 1 << 30


class CsvDecoder:
    """Decodes ``text/csv``: a row is an instance, a record one row or more.

    Fields may be in quotes, with quotes doubled (RFC 4180). `CsvColumns` says which columns go to
    which input. The InputFilter is applied to each row; joined is the row as it was before that.

    Raises:
        InvalidArgumentError: The inputs cannot be made of columns.
    """

    def __init__(self, signature: Signature, processing: DataProcessing) -> None:
        self._columns = CsvColumns(signature)
        self._filter = compile_path(processing.input_filter)
        self._joins = processing.join_source == "Input"
        allow_long_fields()

    def decode(self, payload: Payload) -> Decoded:
        """See `Decoder`."""
        parsed = _one_row_each(payload.records) or map(_parsed, payload.records)
        return decoded_rows(
            payload,
            self._columns.specs,
            [self._filtered(record) for record in parsed],
            self._columns.batch,
            joins=self._joins,
        )

    def _filtered(self, record: RecordRows | BadRecordError) -> RecordRows | BadRecordError:
        if self._filter.is_root or isinstance(record, BadRecordError):
            return record
        try:
            rows = [as_row(filtered(self._filter, row, "InputFilter")) for row in record.rows]
        except BadRecordError as error:
            return error
        return RecordRows(rows, record.original)


def _one_row_each(records: Sequence[bytes]) -> list[RecordRows] | None:
    """All records with one call of the parser, if each is a good row; else None."""
    try:
        lines = [utf8_text(record) for record in records]
        rows = list(csv.reader(lines, strict=True))
    except (BadRecordError, csv.Error):
        return None
    # A record of several rows, or a row of several records, shows up as a line break within.
    if len(rows) != len(lines) or any("\n" in line.rstrip("\r\n") for line in lines):
        return None
    return [RecordRows([row], row) for row in rows] if all(rows) else None


def _parsed(record: bytes) -> RecordRows | BadRecordError:
    try:
        rows = parse_rows(record)
    except BadRecordError as error:
        return error
    original: Sequence[object] = rows[0] if len(rows) == 1 else rows
    return RecordRows(rows, original)


def parse_rows(text: bytes) -> list[list[str]]:
    """Parses all rows of a text.

    Raises:
        BadRecordError: It is no UTF-8 or no CSV, or has no row or an empty one; says where.
    """
    allow_long_fields()
    try:
        rows = list(csv.reader(io.StringIO(utf8_text(text), newline=""), strict=True))
    except csv.Error as error:
        raise BadRecordError(f"bad CSV: {error}") from None
    if not rows:
        raise BadRecordError("the record is empty")
    if not all(rows):
        raise BadRecordError(f"row {rows.index([])} is empty")
    return rows


def allow_long_fields() -> None:
    """Raises Python's bound on a field, for the process."""
    csv.field_size_limit(max(csv.field_size_limit(), _FIELD_CHARACTERS))
