"""Records of JSON: one document, or several behind one another."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.data_processing import JSON, filtered
from sagemaker_tensorflow.transform.decoders.instance_rows import RecordRows, decoded_rows
from sagemaker_tensorflow.transform.decoders.json_instances import JsonInstances
from sagemaker_tensorflow.transform.decoders.tensors import batch_of
from sagemaker_tensorflow.transform.decoders.utf8 import utf8_text
from sagemaker_tensorflow.transform.json_path import compile_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sagemaker_tensorflow.transform.records import Decoded, Payload
    from sagemaker_tensorflow.transform.signatures import Signature
    from sagemaker_tensorflow.transform.spec import DataProcessing

_SPACE = " \t\r\n"
# Enough to tell CSV or an HTML page from JSON.
_SHOWN = 20
_parser = json.JSONDecoder()


class JsonDecoder:
    """Decodes ``application/json``, ``application/jsonlines`` and ``application/jsons``.

    With any of them a record holds one or more documents with nothing but white space between
    them, each of which is one instance, or several in TensorFlow Serving's formats; `JsonInstances`
    has the rules. ``NaN``, ``Infinity`` and ``-Infinity`` are numbers.

    The InputFilter is applied to each document. What a join joins to is the document as it was
    before that, or the array of all when a record holds several.
    """

    def __init__(self, content_type: str, signature: Signature, processing: DataProcessing) -> None:
        self._specs = signature.inputs
        self._instances = JsonInstances(signature, takes_arrays_apart=content_type == JSON)
        self._filter = compile_path(processing.input_filter)
        self._joins = processing.join_source == "Input"

    def decode(self, payload: Payload) -> Decoded:
        """See `Decoder`."""
        records = [self._parsed(record) for record in payload.records]
        return decoded_rows(payload, self._specs, records, self._batch, joins=self._joins)

    def _parsed(self, record: bytes) -> RecordRows | BadRecordError:
        try:
            documents = parse_documents(record)
            rows: list[tuple[Any, ...]] = []
            for document in documents:
                value = filtered(self._filter, document, "InputFilter")
                rows.extend(self._instances.rows(value))
            if not rows:
                raise BadRecordError("the record has no instances")
        except BadRecordError as error:
            return error
        return RecordRows(rows, documents[0] if len(documents) == 1 else documents)

    def _batch(self, rows: Sequence[Any]) -> list[NDArray[Any]]:
        columns = list(zip(*rows, strict=True)) or [()] * len(self._specs)
        return [batch_of(column, spec) for column, spec in zip(columns, self._specs, strict=True)]


def parse_documents(record: bytes) -> list[Any]:
    """Parses all JSON documents of a record.

    Raises:
        BadRecordError: It is no UTF-8, has something else between or after the documents, or has
            none; says where.
    """
    text = utf8_text(record)
    at = _next_document(text, 0)
    if at == len(text):
        raise BadRecordError("the record is empty")
    documents = []
    while at < len(text):
        try:
            document, at = _parser.raw_decode(text, at)
        except json.JSONDecodeError as error:
            seen = (
                repr(text[error.pos : error.pos + _SHOWN]) if error.pos < len(text) else "its end"
            )
            raise BadRecordError(
                f"bad JSON at character {error.pos}: {error.msg}; there is {seen}"
            ) from None
        except (RecursionError, ValueError) as error:
            # Arrays within arrays beyond what Python follows, or integers of thousands of digits.
            raise BadRecordError(f"bad JSON: {error}") from None
        documents.append(document)
        at = _next_document(text, at)
    return documents


def _next_document(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at
