"""What a job does with its objects: its model, its formats, and the flow from one to the other."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.process_handle import ProcessHandle
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.transform.assembling import Assembler
from sagemaker_tensorflow.transform.batches import InstancesFailedError
from sagemaker_tensorflow.transform.compatibility import refusals
from sagemaker_tensorflow.transform.data_processing import (
    ResultProcessor,
    validate_data_processing,
)
from sagemaker_tensorflow.transform.decoders import default_content_type, make_decoder
from sagemaker_tensorflow.transform.decoders.octets import BytesDecoder
from sagemaker_tensorflow.transform.encoders import Encoder, ObjectEncoder, make_encoder
from sagemaker_tensorflow.transform.encoders.media_types import JSON, canonical_media_type
from sagemaker_tensorflow.transform.engine import Engine, ReplicaSet
from sagemaker_tensorflow.transform.failed_instances import all_failed, without_failed
from sagemaker_tensorflow.transform.handler_work import HandlerWork
from sagemaker_tensorflow.transform.handlers import Handlers
from sagemaker_tensorflow.transform.job_progress import JobProgress
from sagemaker_tensorflow.transform.job_stream import open_stream, payload_steps
from sagemaker_tensorflow.transform.model_files import ModelFiles
from sagemaker_tensorflow.transform.object_results import ObjectResults, Piece
from sagemaker_tensorflow.transform.object_stream import ObjectStream
from sagemaker_tensorflow.transform.ordered_map import held_back
from sagemaker_tensorflow.transform.records import (
    Decoded,
    InputObject,
    Outputs,
    Payload,
    RecordFailure,
)
from sagemaker_tensorflow.transform.replicas import Replicas, usable_cpus
from sagemaker_tensorflow.transform.spec import TransformSpec
from sagemaker_tensorflow.transform.steps import Step, decoded_steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_DECODERS = 4
_COLLECT_AFTER = 1_000_000


class Work(Protocol):
    """How a job makes results of objects."""

    @property
    def spec(self) -> TransformSpec:
        """The job's, with its defaults filled in."""

    @property
    def result_type(self) -> str:
        """MIME type of the results."""

    @property
    def held_back(self) -> int:
        """Objects whose results may wait, at most, until others come or there are no more."""

    def transform(
        self,
        objects: Sequence[InputObject],
        results: ObjectResults,
        progress: JobProgress,
        s3_options: S3Options,
        prefetch: PrefetchConfig,
    ) -> None:
        """Gives the results of all objects, in their order, to `results`.

        Raises:
            PipeModeDatasetException: The input cannot be reached, or results cannot be written.
        """


@contextlib.contextmanager
def open_work(
    spec: TransformSpec, files: ModelFiles, devices: Sequence[str] | None
) -> Iterator[Work]:
    """Loads a job's model and checks that all of its settings go together.

    Raises:
        InvalidArgumentError: They do not; names every reason.
        PipeModeDatasetException: The model cannot be loaded.
    """
    with contextlib.ExitStack() as stack:
        if files.script is None:
            # A new interpreter takes as long as a small job, and loading a model takes longer.
            process = ProcessHandle()
            stack.callback(process.end)
            process.start()
            replicas = _load(spec, files, devices)
            yield ModelWork(_with_defaults(spec, replicas), replicas, process)
            return
        replicas = _load(spec, files, devices)
        handlers = Handlers(
            files.script,
            replicas,
            model_name=files.model.stem,
            environment=dict(spec.environment),
        )
        stack.callback(handlers.close)
        yield HandlerWork(spec, handlers)


def _load(spec: TransformSpec, files: ModelFiles, devices: Sequence[str] | None) -> Replicas:
    return Replicas.load(
        files.model,
        spec.signature,
        jit_compile=spec.jit_compile,
        mixed_precision=spec.mixed_precision,
        devices=devices,
    )


def _with_defaults(spec: TransformSpec, replicas: Replicas) -> TransformSpec:
    signature = replicas.signature
    content_type = spec.content_type or default_content_type(signature, spec.split_type)
    filled = dataclasses.replace(spec, content_type=content_type)
    problems = refusals(filled, signature)
    try:
        validate_data_processing(
            filled.data_processing,
            content_type=filled.content_type,
            accept=filled.accept or JSON,  # what results are by default
            split_type=filled.split_type,
            assemble_with=filled.assemble_with,
        )
    except InvalidArgumentError as error:
        problems.append(str(error))
    if problems:
        raise InvalidArgumentError(f"the transform job cannot run: {'; '.join(problems)}")
    return dataclasses.replace(filled, accept=canonical_media_type(filled.accept))


class ModelWork:
    """Decodes records, runs batches of them through the model, and encodes its answers.

    Args:
        spec: With its defaults filled in.
        replicas: The model.
        process: A prefetcher's that waits for its orders. It does for one call of `transform`.
    """

    def __init__(self, spec: TransformSpec, replicas: Replicas, process: ProcessHandle) -> None:
        self.spec = spec
        self._replicas = replicas
        self._process: ProcessHandle | None = process
        processing = spec.data_processing
        self._decoder = make_decoder(
            spec.content_type,
            replicas.signature,
            split_type=spec.split_type,
            strategy=spec.strategy,
            data_processing=processing,
        )
        processor = (
            None if processing.does_nothing else ResultProcessor(processing, spec.content_type)
        )
        self._encoder = make_encoder(
            spec.accept, replicas.signature, split_type=spec.split_type, processor=processor
        )
        self._decoders = min(_MOST_DECODERS, usable_cpus())
        self._packed = (
            isinstance(self._decoder, BytesDecoder)
            and self._decoder.takes_packed
            and spec.strategy == "MultiRecord"
            and spec.split_type != "None"
            and replicas.takes_packed  # asked last, as it loads a library
        )

    @property
    def result_type(self) -> str:
        """MIME type of the results."""
        return self.spec.accept

    @property
    def held_back(self) -> int:
        """A chunk of records, in a decoder's thread, is of one object."""
        return held_back(self._decoders)

    def transform(
        self,
        objects: Sequence[InputObject],
        results: ObjectResults,
        progress: JobProgress,
        s3_options: S3Options,
        prefetch: PrefetchConfig,
    ) -> None:
        """See `Work`."""
        engine = Engine(
            _Metered(self._replicas, progress),
            self.spec.batch_size,
            self.spec.timeout_seconds,
            self.spec.max_retries,
        )
        answers = Answers(self._encoder, self.spec.assemble_with, progress)
        process, self._process = self._process, None
        stream = open_stream(
            self.spec, objects, s3_options, prefetch, packed=self._packed, process=process
        )
        with stream, engine, _seldom_collecting():
            steps = self._steps(stream, results, progress)
            for step, outcome in engine.run((step, step.decoded) for step in steps):
                results.add(step.source, answers.piece(step, outcome))
        for _ in range(engine.stats.retries):
            progress.add_retry()

    def _steps(
        self, stream: ObjectStream, results: ObjectResults, progress: JobProgress
    ) -> Iterator[Step]:
        return decoded_steps(
            payload_steps(self.spec, stream, progress),
            self._decoder.decode,
            results.is_lost,
            progress,
            workers=self._decoders,
        )


@contextlib.contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Lets Python look for cycles after a million new objects instead of seven hundred.

    Results pass as lists of rows, none of which is part of a cycle; looking at all of them again
    and again took a third of the time of a job with small records.
    """
    before = gc.get_threshold()
    gc.set_threshold(_COLLECT_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class Answers:
    """Makes pieces of results out of what an engine gives. For one thread."""

    def __init__(self, encoder: Encoder, assemble_with: str, progress: JobProgress) -> None:
        self._encoder = encoder
        self._assembler = Assembler(assemble_with, encoder)
        self._progress = progress
        self._of_object: ObjectEncoder | None = None

    def piece(self, step: Step, outcome: Outputs | Exception) -> Piece:
        """The next piece of the object of `step`."""
        begin = time.monotonic()
        piece = Piece(failures=step.failures, ended=step.ended, failure=step.failure)
        if step.payload is not None:
            self._encode(step.payload, step.decoded, outcome, piece)
        if step.ended:
            piece.body += self._object_encoder().end()
            self._of_object = None
        self._progress.add_stage("encode", time.monotonic() - begin)
        return piece

    def _object_encoder(self) -> ObjectEncoder:
        if self._of_object is None:
            self._of_object = self._encoder.new_object()
        return self._of_object

    def _encode(
        self, payload: Payload, decoded: Decoded, outcome: Outputs | Exception, piece: Piece
    ) -> None:
        failures: list[RecordFailure] = [*piece.failures, *decoded.failures]
        if isinstance(outcome, InstancesFailedError):
            decoded, outcome, failed = without_failed(payload, decoded, outcome)
            failures += failed
        if isinstance(outcome, Exception):
            failures += all_failed(payload, decoded, outcome)
        elif any(decoded.counts):
            response = self._object_encoder().encode(payload, decoded, outcome)
            failures += response.failures
            piece.body = self._assembler.response(response.body)
            empty = decoded.counts.count(0)
            piece.records = len(decoded.counts) - empty - len(response.failures)
        piece.failures = sorted(failures, key=lambda failure: failure.record)


class _Metered:
    """A model whose calls are counted."""

    def __init__(self, replicas: ReplicaSet, progress: JobProgress) -> None:
        self._replicas = replicas
        self._progress = progress
        self.signature = replicas.signature
        self.fixed_batch = replicas.fixed_batch
        self.equal_batches = replicas.equal_batches

    def __len__(self) -> int:
        return len(self._replicas)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        begin = time.monotonic()
        outputs = self._replicas.run(inputs)
        seconds = time.monotonic() - begin
        self._progress.add_batch(len(next(iter(inputs.values()))), seconds)
        self._progress.add_stage("infer", seconds)
        return outputs
