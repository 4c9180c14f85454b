"""`Transformer`, with the argument names of the SageMaker SDK's class."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.ray_cluster import ray_options
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.transform.spec import DataProcessing, TransformSpec
from sagemaker_tensorflow.transform.transform_request import check_spec, payload_bytes

if TYPE_CHECKING:
    from sagemaker_tensorflow.transform.job import JobResult

# InvocationsTimeoutInSeconds and InvocationsMaxRetries of ModelClientConfig.
_TIMEOUT_SECONDS = 600.0
_MAX_RETRIES = 3
_MODEL_CLIENT_CONFIG = ("InvocationsTimeoutInSeconds", "InvocationsMaxRetries")
# What the arguments are called whose names are not those of the spec's fields.
_ARGUMENTS = {
    "input_uri": "data",
    "output_uri": "output_path",
    "compression": "compression_type",
    "timeout_seconds": _MODEL_CLIENT_CONFIG[0],
    "max_retries": _MODEL_CLIENT_CONFIG[1],
}


@dataclass(frozen=True)
class Transformer:
    """Runs a model over the objects of a prefix, a manifest or a folder, here or on a Ray cluster.

    The arguments up to `base_transform_job_name`, and `instance_count`, are those of the SageMaker
    SDK's ``Transformer``; what else chooses machines, ``instance_type`` and the like, is not taken.

    Attributes:
        model: A SavedModel folder, a ``model.tar.gz`` or a ``.keras`` file: a path, ``file://`` or
            ``s3://``.
        output_path: ``s3://bucket/prefix`` or a folder; the result of each input object goes there.
        strategy: ``MultiRecord`` or ``SingleRecord``: how many records one response answers.
        assemble_with: ``Line`` puts a newline behind every response.
        accept: MIME type of the results.
        max_concurrent_transforms: Calls of `inference.py` at a time.
        max_payload: Bound on a payload, in units of 2**20 bytes; 0 for none.
        env: Environment of `inference.py`.
        base_transform_job_name: What names of jobs begin with.
        signature: Of the model.
        on_error: ``object`` gives an object with a bad record no result; ``record`` keeps the
            good ones and writes the others to ``<name>.errors.jsonl``.
        batch_size: Instances per call of the model; None finds the number.
        jit_compile: Compile the model with XLA.
        mixed_precision: Compute in 16 bits; ``.keras`` files only.
        s3_options: How to reach S3.
        engine: ``local`` runs in this process, ``ray`` with actors on a cluster.
        instance_count: How many actors; None for one on each node.
        ray_address: Of the cluster, as ``ray.init`` takes it. None for the one that RAY_ADDRESS
            names, that this machine is a node of, or that this process is connected to.
        num_cpus: CPUs kept for each actor, and the threads that TensorFlow uses there. None keeps
            one and uses the node's.
        num_gpus: GPUs for each actor; None for none.
    """

    model: str
    _: KW_ONLY
    output_path: str
    strategy: str | None = None
    assemble_with: str | None = None
    accept: str | None = None
    max_concurrent_transforms: int | None = None
    max_payload: int | None = None
    env: Mapping[str, str] | None = None
    base_transform_job_name: str | None = None
    signature: str = "serving_default"
    on_error: str = "object"
    batch_size: int | None = None
    jit_compile: bool = False
    mixed_precision: bool = False
    s3_options: S3Options = S3Options()  # noqa: RUF009 - frozen
    engine: str = "local"
    instance_count: int | None = None
    ray_address: str | None = None
    num_cpus: float | None = None
    num_gpus: float | None = None

    def transform(
        self,
        data: str,
        *,
        data_type: str = "S3Prefix",
        content_type: str | None = None,
        compression_type: str | None = None,
        split_type: str | None = None,
        job_name: str | None = None,
        input_filter: str | None = None,
        output_filter: str | None = None,
        join_source: str | None = None,
        model_client_config: Mapping[str, int] | None = None,
        overwrite: bool = False,
    ) -> JobResult:
        """Runs a job and waits for its end. Run again, it does only what is missing.

        Args:
            data: ``s3://`` prefix, object or manifest, ``file://`` or a path.
            data_type: ``S3Prefix`` or ``ManifestFile``.
            content_type: MIME type of the records; by default what fits the model's inputs.
            compression_type: ``Gzip`` decompresses each object.
            split_type: ``Line``, ``RecordIO``, ``TFRecord``, or ``None`` for whole objects.
            job_name: Of its log and record; made from the time by default.
            input_filter: JSONPath of what the model gets of each record.
            output_filter: JSONPath of what is written of each result.
            join_source: ``Input`` joins each record with its result.
            model_client_config: ``InvocationsTimeoutInSeconds`` and ``InvocationsMaxRetries``.
            overwrite: Do finished objects again.

        Returns:
            What came of it: its ``status`` is ``Completed``, ``CompletedWithErrors`` or ``Failed``.

        Raises:
            PipeModeDatasetException: The job cannot begin, or S3 or the cluster cannot be reached.
        """
        from sagemaker_tensorflow.transform.job import TransformJob

        timeout_seconds, max_retries = _client_configuration(model_client_config)
        spec = TransformSpec(
            model=self.model,
            input_uri=data,
            output_uri=self.output_path,
            job_name=job_name or make_job_name(self.base_transform_job_name),
            signature=self.signature,
            data_type=data_type,
            content_type=content_type or "",
            compression=compression_type or "None",
            split_type=split_type or "None",
            strategy=self.strategy or "MultiRecord",
            max_payload_bytes=payload_bytes(self.max_payload),
            max_concurrent_transforms=self.max_concurrent_transforms or 0,
            accept=self.accept or "",
            assemble_with=self.assemble_with or "None",
            data_processing=DataProcessing(
                input_filter or "$", output_filter or "$", join_source or "None"
            ),
            on_error=self.on_error,
            instance_count=self.instance_count or 0,
            batch_size=self.batch_size or 0,
            overwrite=overwrite,
            jit_compile=self.jit_compile,
            mixed_precision=self.mixed_precision,
            environment=tuple((self.env or {}).items()),
            timeout_seconds=timeout_seconds,
            max_retries=max_retries,
        )
        check_spec(spec, _ARGUMENTS)
        ray = ray_options(
            self.engine, self.ray_address, self.num_cpus, self.num_gpus, self.instance_count
        )
        return TransformJob(spec, s3_options=self.s3_options, ray=ray).run()


def make_job_name(base: str | None = None) -> str:
    """As the SDK makes them: a base and the time, with milliseconds."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return f"{base or 'transform'}-{now:%Y-%m-%d-%H-%M-%S}-{now.microsecond // 1000:03}"


def base_name_of_model(model: str) -> str:
    """A name for jobs after a model's file or folder: ``resnet`` for ``s3://b/resnet/model.tar.gz``."""
    parts = [part for part in re.split(r"[^A-Za-z0-9]+", model) if part]
    meaningful = [
        part for part in parts if part not in ("model", "tar", "gz", "keras", "s3", "file")
    ]
    return (meaningful or ["transform"])[-1][:30]


def _client_configuration(given: Mapping[str, int] | None) -> tuple[float, int]:
    """Seconds and retries."""
    given = given or {}
    if unknown := set(given) - set(_MODEL_CLIENT_CONFIG):
        raise InvalidArgumentError(
            f"model_client_config has {', '.join(sorted(unknown))}; there are "
            f"{' and '.join(_MODEL_CLIENT_CONFIG)}"
        )
    timeout, retries = _MODEL_CLIENT_CONFIG
    return float(given.get(timeout, _TIMEOUT_SECONDS)), given.get(retries, _MAX_RETRIES)
