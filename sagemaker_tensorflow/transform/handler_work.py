"""Jobs whose model has an ``inference.py``, which reads and writes the payloads itself."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import time
from collections.abc import Sequence

from sagemaker_tensorflow._core import encode_record
from sagemaker_tensorflow.errors import PipeModeDatasetException
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.transform.assembling import Assembler
from sagemaker_tensorflow.transform.data_processing import validate_data_processing
from sagemaker_tensorflow.transform.decoders.decoder import failure_of
from sagemaker_tensorflow.transform.encoders.encoder import Response
from sagemaker_tensorflow.transform.handler_calls import HandlerCalls
from sagemaker_tensorflow.transform.handler_exchange import Request, make_exchange
from sagemaker_tensorflow.transform.handlers import HandlerResult, Handlers
from sagemaker_tensorflow.transform.job_progress import JobProgress
from sagemaker_tensorflow.transform.job_stream import open_stream, payload_steps
from sagemaker_tensorflow.transform.object_results import ObjectResults, Piece
from sagemaker_tensorflow.transform.ordered_map import held_back, ordered_map
from sagemaker_tensorflow.transform.records import InputObject, Payload
from sagemaker_tensorflow.transform.spec import TransformSpec
from sagemaker_tensorflow.transform.steps import Step

_DEFAULT_TYPE = "application/json"
_RECORD_FORMATS = {"Line": "TextLine", "RecordIO": "RecordIO", "TFRecord": "TFRecord"}


class HandlerWork:
    """Sends payloads through a script, one at a time or `max_concurrent_transforms` of them.

    Raises:
        InvalidArgumentError: The job cannot filter or join as it is told to.
    """

    def __init__(self, spec: TransformSpec, handlers: Handlers) -> None:
        content_type = spec.content_type or _DEFAULT_TYPE
        validate_data_processing(
            spec.data_processing,
            content_type=content_type,
            accept=spec.accept or _DEFAULT_TYPE,
            split_type=spec.split_type,
            assemble_with=spec.assemble_with,
        )
        self.spec = dataclasses.replace(
            spec, content_type=content_type, accept=spec.accept or _DEFAULT_TYPE
        )
        self._handlers = handlers
        self._exchange = make_exchange(self.spec)
        self._assembler = Assembler(spec.assemble_with, self._exchange)

    @property
    def result_type(self) -> str:
        """MIME type of the results."""
        return self.spec.accept

    @property
    def held_back(self) -> int:
        """A call of the script is for one object."""
        return held_back(max(1, self.spec.max_concurrent_transforms))

    def transform(
        self,
        objects: Sequence[InputObject],
        results: ObjectResults,
        progress: JobProgress,
        s3_options: S3Options,
        prefetch: PrefetchConfig,
    ) -> None:
        """See `Work`."""
        spec = self.spec
        calls = HandlerCalls(
            self._handlers, spec.content_type, spec.accept, spec.timeout_seconds, spec.max_retries
        )
        with open_stream(spec, objects, s3_options, prefetch) as stream:
            for step, piece in ordered_map(
                functools.partial(self._answer, calls, results, progress),
                itertools.chain.from_iterable(payload_steps(spec, stream, progress)),
                max(1, spec.max_concurrent_transforms),
                "smtf-handler",
            ):
                results.add(step.source, piece)
        for _ in range(calls.retries):
            progress.add_retry()

    def _answer(
        self, calls: HandlerCalls, results: ObjectResults, progress: JobProgress, step: Step
    ) -> tuple[Step, Piece]:
        piece = Piece(failures=step.failures, ended=step.ended, failure=step.failure)
        payload = step.payload
        if payload is None or results.is_lost(step.source):
            return step, piece
        with progress.stage("decode"):
            request = self._exchange.request(payload)
        failures = [*step.failures, *request.decoded.failures]
        if request.records:
            response = self._response(calls, progress, payload, request)
            failures += response.failures
            piece.body = self._assembler.response(response.body)
            piece.records = len(request.records) - len(response.failures)
        piece.failures = sorted(failures, key=lambda failure: failure.record)
        return step, piece

    def _response(
        self, calls: HandlerCalls, progress: JobProgress, payload: Payload, request: Request
    ) -> Response:
        try:
            answer = self._call(calls, progress, request)
            with progress.stage("encode"):
                return self._exchange.response(payload, request, answer)
        except PipeModeDatasetException as error:
            good = [position for position, count in enumerate(request.decoded.counts) if count]
            return Response(b"", [failure_of(payload, position, error) for position in good])

    def _call(self, calls: HandlerCalls, progress: JobProgress, request: Request) -> HandlerResult:
        begin = time.monotonic()
        try:
            return calls(request_body(request.records, self.spec.split_type, self.spec.strategy))
        finally:
            seconds = time.monotonic() - begin
            progress.add_stage("infer", seconds)
            progress.add_batch(len(request.records), seconds)


def request_body(records: Sequence[bytes], split_type: str, strategy: str) -> bytes:
    """The body of the request that SageMaker would send.

    A single record goes without its framing; several keep theirs, so that the body is a stream of
    records (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformInput.html).
    """
    if split_type == "None" or strategy == "SingleRecord":
        return records[0]
    record_format = _RECORD_FORMATS[split_type]
    return b"".join(encode_record(record_format, record) for record in records)
