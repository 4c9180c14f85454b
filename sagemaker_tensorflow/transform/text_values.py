"""The texts that filters and joins know, as values: JSON documents and rows of CSV."""

from __future__ import annotations

from typing import Any, Protocol

from sagemaker_tensorflow.transform.data_processing import CSV, mime_type
from sagemaker_tensorflow.transform.decoders.csv_rows import parse_rows
from sagemaker_tensorflow.transform.decoders.json_documents import parse_documents
from sagemaker_tensorflow.transform.encoders.csv_lines import csv_lines
from sagemaker_tensorflow.transform.encoders.json_values import dump


class TextValues(Protocol):
    """One of the formats. Any threads may share one."""

    def parse(self, text: bytes) -> list[Any]:
        """The values that a text holds, one at least.

        Raises:
            BadRecordError: It holds something else, or nothing; says where.
        """

    def line(self, value: Any) -> bytes:
        """A value as a text without a line feed behind it."""


class JsonValues:
    """JSON documents with nothing but white space between them."""

    def parse(self, text: bytes) -> list[Any]:
        """See `TextValues`."""
        return parse_documents(text)

    def line(self, value: Any) -> bytes:
        """See `TextValues`."""
        return dump(value)


class CsvValues:
    """Rows of CSV (RFC 4180) without a header, as lists of texts."""

    def parse(self, text: bytes) -> list[Any]:
        """See `TextValues`."""
        return parse_rows(text)

    def line(self, value: Any) -> bytes:
        """See `TextValues`."""
        return next(csv_lines([value]))


def text_values(content_type: str) -> TextValues:
    """The format of one of `data_processing.PROCESSED_TYPES`."""
    return CsvValues() if mime_type(content_type) == CSV else JsonValues()
