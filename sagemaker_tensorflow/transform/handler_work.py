"""Jobs whose model has an ``inference.py``, which reads and writes the payloads itself."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Iterator, Sequence

from sagemaker_tensorflow._core import encode_record
from sagemaker_tensorflow.errors import InvalidArgumentError, PipeModeDatasetException
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.transform.assembling import Assembler
from sagemaker_tensorflow.transform.handler_calls import HandlerCalls
from sagemaker_tensorflow.transform.handlers import Handlers
from sagemaker_tensorflow.transform.job_progress import JobProgress
from sagemaker_tensorflow.transform.job_stream import open_stream
from sagemaker_tensorflow.transform.object_results import ObjectResults, Piece
from sagemaker_tensorflow.transform.ordered_map import ordered_map
from sagemaker_tensorflow.transform.payloads import PayloadMaker
from sagemaker_tensorflow.transform.records import InputObject, Payload, RecordFailure
from sagemaker_tensorflow.transform.spec import TransformSpec
from sagemaker_tensorflow.transform.steps import Step, StepMaker

_DEFAULT_TYPE = "application/json"
_RECORD_FORMATS = {"Line": "TextLine", "RecordIO": "RecordIO", "TFRecord": "TFRecord"}


class HandlerWork:
    """Sends payloads through a script, one at a time or `max_concurrent_transforms` of them.

    Raises:
        InvalidArgumentError: The job filters or joins, which takes results of this package's.
    """

    def __init__(self, spec: TransformSpec, handlers: Handlers) -> None:
        if not spec.data_processing.does_nothing:
            raise InvalidArgumentError(
                "the transform job cannot run: filters and joins do not go together with the "
                "model's inference.py; do in it what they would, or take it out of the model"
            )
        self.spec = dataclasses.replace(
            spec,
            content_type=spec.content_type or _DEFAULT_TYPE,
            accept=spec.accept or _DEFAULT_TYPE,
        )
        self._handlers = handlers
        self._assembler = Assembler(spec.assemble_with, _AnyResponse())

    @property
    def result_type(self) -> str:
        """MIME type of the results."""
        return self.spec.accept

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
            make_payloads = functools.partial(
                PayloadMaker, spec.strategy, spec.split_type, spec.max_payload_bytes
            )
            maker = StepMaker(stream, make_payloads, progress, spec.compression != "None")
            for step, piece in ordered_map(
                functools.partial(self._answer, calls, results, progress),
                _flat(maker),
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
        begin = time.monotonic()
        try:
            answer = calls(payload_body(payload, self.spec.split_type, self.spec.strategy))
        except PipeModeDatasetException as error:
            piece.failures = [*step.failures, *_failures(payload, error)]
        else:
            piece.body = self._assembler.response(answer.body)
            piece.records = len(payload.records)
        seconds = time.monotonic() - begin
        progress.add_stage("infer", seconds)
        progress.add_batch(len(payload.records), seconds)
        return step, piece


class _AnyResponse:
    """What a script answers may end in anything."""

    ends_lines = False


def payload_body(payload: Payload, split_type: str, strategy: str) -> bytes:
    """The body of the request that SageMaker would send.

    A single record goes without its framing; several keep theirs, so that the body is a stream of
    records (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformInput.html).
    """
    if split_type == "None" or strategy == "SingleRecord":
        return payload.records[0]
    record_format = _RECORD_FORMATS[split_type]
    return b"".join(encode_record(record_format, record) for record in payload.records)


def _flat(maker: StepMaker) -> Iterator[Step]:
    for steps in maker:
        yield from steps


def _failures(payload: Payload, error: Exception) -> list[RecordFailure]:
    return [
        RecordFailure(payload.first_record + position, offset, str(error))
        for position, offset in enumerate(payload.offsets)
    ]
