"""What ``inference.py`` gets for a payload, and what its answer adds to the result.

Filters and joins are done around the script, as SageMaker's platform does them around a container
(https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html): the script
sees filtered records and knows nothing of joins. What that page leaves open is decided so:

- With SplitType Line an answer holds one result for each record of the payload, in their order: a
  row of CSV, or a JSON document, which may have more than one line. Any other number cannot be
  joined, and all records of the payload have failed.
- With SplitType None the object is the one record and the answer its one result: the document, or
  an array of the documents where there are several.
- Without a join an OutputFilter is applied to each result, however many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.data_processing import (
    CSV,
    JSON,
    PROCESSED_TYPES,
    ResultProcessor,
    as_row,
    filtered,
    mime_type,
)
from sagemaker_tensorflow.transform.decoders.decoder import failure_of
from sagemaker_tensorflow.transform.encoders.encoder import Response
from sagemaker_tensorflow.transform.encoders.results import process_results
from sagemaker_tensorflow.transform.json_path import compile_path
from sagemaker_tensorflow.transform.records import Decoded, Payload, RecordFailure
from sagemaker_tensorflow.transform.text_values import text_values

if TYPE_CHECKING:
    from sagemaker_tensorflow.transform.handlers import HandlerResult
    from sagemaker_tensorflow.transform.spec import TransformSpec

_MOST_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Request:
    """A payload as the script gets it.

    Attributes:
        records: Without those that failed.
        decoded: Which those are, and what a join joins to. It has no inputs, and counts a record
            that is in `records` as one.
    """

    records: Sequence[bytes]
    decoded: Decoded


class Exchange(Protocol):
    """Makes requests of payloads and responses of answers. Any threads may share one."""

    @property
    def ends_lines(self) -> bool:
        """Every response already ends in a line feed."""

    def request(self, payload: Payload) -> Request:
        """What the script gets. Bad records are failures of the result, never an exception."""

    def response(self, payload: Payload, request: Request, answer: HandlerResult) -> Response:
        """What the script's answer adds to the result; failures are those that it adds.

        Raises:
            BadRecordError: No record of the request has a result; says what was seen.
        """


def make_exchange(spec: TransformSpec) -> Exchange:
    """Makes the exchange of a job, whose filters and join are valid (`data_processing`)."""
    return Untouched() if spec.data_processing.does_nothing else FilteredAndJoined(spec)


class Untouched:
    """Bytes pass as they are, in both directions. What a script answers may end in anything."""

    ends_lines = False

    def request(self, payload: Payload) -> Request:
        """See `Exchange`."""
        return _all_of(payload)

    def response(self, payload: Payload, request: Request, answer: HandlerResult) -> Response:
        """See `Exchange`."""
        return Response(answer.body)


class FilteredAndJoined:
    """Filters records, and joins and filters answers, of JSON and CSV.

    Args:
        spec: A job that filters or joins, with its ContentType filled in.
    """

    def __init__(self, spec: TransformSpec) -> None:
        processing = spec.data_processing
        self._type = mime_type(spec.content_type)
        self._values = text_values(self._type)
        self._filter = compile_path(processing.input_filter)
        self._joins = processing.join_source == "Input"
        self._processor = ResultProcessor(processing, self._type)
        self._splits = spec.split_type != "None"
        self._strategy = spec.strategy

    @property
    def ends_lines(self) -> bool:
        """As for results of this package's: only those of application/json do not."""
        return self._type != JSON

    def request(self, payload: Payload) -> Request:
        """See `Exchange`."""
        if self._filter.is_root and not self._joins:
            return _all_of(payload)
        records: list[bytes] = []
        counts: list[int] = []
        failures: list[RecordFailure] = []
        originals: list[Any] = []
        for position, record in enumerate(payload.records):
            try:
                values = self._parsed(record)
                asked = record if self._filter.is_root else self._filtered(values)
            except BadRecordError as error:
                failures.append(failure_of(payload, position, error))
                counts.append(0)
                continue
            records.append(asked)
            counts.append(1)
            originals.append(_one_of(values))
        return Request(records, Decoded({}, counts, failures, originals if self._joins else ()))

    def response(self, payload: Payload, request: Request, answer: HandlerResult) -> Response:
        """See `Exchange`."""
        results = self._results(answer)
        failures: list[RecordFailure] = []
        if len(results) == len(request.records):
            results, failures = process_results(self._processor, payload, request.decoded, results)
        elif self._joins:
            raise BadRecordError(self._mismatch(len(request.records), len(results), answer.body))
        else:
            results = self._processor.apply((), results)
        body = b"\n".join(map(self._values.line, results))
        return Response(body + b"\n" if results and self.ends_lines else body, failures)

    def _parsed(self, record: bytes) -> list[Any]:
        values = self._values.parse(record)
        if self._type == CSV and len(values) > 1:
            raise BadRecordError(f"the line holds {len(values)} rows of CSV; a record is one")
        return values

    def _filtered(self, values: Sequence[Any]) -> bytes:
        """The record that the script gets; one that is a line stays one."""
        picked = [filtered(self._filter, value, "InputFilter") for value in values]
        if self._type == CSV:
            picked = [as_row(row) for row in picked]
        return (b" " if self._splits else b"\n").join(map(self._values.line, picked))

    def _results(self, answer: HandlerResult) -> list[Any]:
        stated = mime_type(answer.content_type)
        if stated in PROCESSED_TYPES and (stated == CSV) != (self._type == CSV):
            raise BadRecordError(
                f"inference.py answered {stated}, and Accept is {self._type}, which is what filters"
                f" and joins take; {_seen(answer.body)}; have it answer {self._type}"
            )
        body = answer.body.rstrip(b"\r\n")
        if not body:
            return []
        try:
            values = self._values.parse(body)
        except BadRecordError as error:
            raise BadRecordError(
                f"the answer of inference.py is no {self._type}, which filters and joins take:"
                f" {error}; {_seen(body)}"
            ) from None
        return values if self._splits else [_one_of(values)]

    def _mismatch(self, records: int, results: int, body: bytes) -> str:
        advice = f"have it answer each record with one {'row' if self._type == CSV else 'document'}"
        if self._strategy == "MultiRecord" and self._splits:
            advice += ", on a line of its own, or use BatchStrategy SingleRecord"
        return (
            f"JoinSource is Input, which needs one result for each record: for {records} of them"
            f" inference.py answered {results}; {_seen(body)}; {advice}"
        )


def _all_of(payload: Payload) -> Request:
    return Request(payload.records, Decoded({}, [1] * len(payload.records)))


def _one_of(values: list[Any]) -> Any:
    """A record or an answer as one value, as for models without a script (`JsonDecoder`)."""
    return values[0] if len(values) == 1 else values


def _seen(body: bytes) -> str:
    if not body:
        return "the answer is empty"
    verb = "begins with" if len(body) > _MOST_SHOWN else "is"
    return f"the answer {verb} {body[:_MOST_SHOWN].decode(errors='replace')!r}"
