"""Records that are text."""

from __future__ import annotations

from sagemaker_tensorflow.transform.bad_records import BadRecordError


def utf8_text(record: bytes) -> str:
    """A record as text, without the byte order mark that some editors put before the first.

    Raises:
        BadRecordError: It is no UTF-8; says where.
    """
    try:
        return record.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRecordError(f"no UTF-8 text: {error.reason} at byte {error.start}") from None
