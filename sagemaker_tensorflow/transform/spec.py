"""What a transform job is to do, as a value: the fields of CreateTransformJob in Python's names."""

from __future__ import annotations

from dataclasses import dataclass, field

# The service's defaults. https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
DEFAULT_MAX_PAYLOAD_MB = 6
MOST_PAYLOAD_MB = 100
# What stands for MaxPayloadInMB 0: no bound, which only memory keeps.
UNBOUNDED_PAYLOAD = 1 << 40


@dataclass(frozen=True)
class DataProcessing:
    """Which part of a record the model gets, and what is made of its answer.

    Attributes:
        input_filter: A JSONPath (`json_path`) into each record.
        output_filter: The same into each result, after it was joined.
        join_source: ``"None"`` or ``"Input"``.
    """

    input_filter: str = "$"
    output_filter: str = "$"
    join_source: str = "None"

    @property
    def does_nothing(self) -> bool:
        """Results are what the model gave."""
        return self == DataProcessing()


@dataclass(frozen=True)
class TransformSpec:
    """One job. Validated by `transform_request`; see README for what the fields mean together.

    Attributes:
        model: URI or path of a SavedModel folder, a ``model.tar.gz`` or a ``.keras`` file.
        input_uri: ``s3://`` or ``file://`` prefix, object or manifest.
        output_uri: ``s3://bucket/prefix`` or ``file://`` folder.
        signature: Name of the signature.
        data_type: ``"S3Prefix"`` or ``"ManifestFile"``.
        content_type: MIME type of the records, without parameters; "" to take what the model's
            inputs and `split_type` suggest.
        compression: ``"None"`` or ``"Gzip"``.
        split_type: ``"None"``, ``"Line"``, ``"RecordIO"`` or ``"TFRecord"``.
        strategy: ``"MultiRecord"`` or ``"SingleRecord"``.
        max_payload_bytes: Bound on a payload; `UNBOUNDED_PAYLOAD` for none.
        max_concurrent_transforms: Payloads of one object in flight with `inference.py` handlers; 0
            for what the machine can do.
        accept: MIME type of the results.
        assemble_with: ``"None"`` or ``"Line"``.
        timeout_seconds: Of one call of the model.
        max_retries: Of one call of the model, after the first.
        on_error: ``"object"``: a bad record means no result for its object; ``"record"``: the good
            ones are kept.
        instance_count: Actors of a job on Ray; 0 for one on each node. Jobs on one machine run in
            one process whatever it says.
        batch_size: Instances per call of the model; 0 finds the number.
        overwrite: Do finished objects again.
        jit_compile: Compile the model with XLA.
        mixed_precision: Compute in 16 bits where the model allows.
        environment: For `inference.py`.
    """

    model: str
    input_uri: str
    output_uri: str
    job_name: str = ""
    signature: str = "serving_default"
    data_type: str = "S3Prefix"
    content_type: str = ""
    compression: str = "None"
    split_type: str = "None"
    strategy: str = "MultiRecord"
    max_payload_bytes: int = DEFAULT_MAX_PAYLOAD_MB << 20
    max_concurrent_transforms: int = 0
    accept: str = ""
    assemble_with: str = "None"
    data_processing: DataProcessing = field(default_factory=DataProcessing)
    timeout_seconds: float = 600
    max_retries: int = 3
    on_error: str = "object"
    instance_count: int = 0
    batch_size: int = 0
    overwrite: bool = False
    jit_compile: bool = False
    mixed_precision: bool = False
    environment: tuple[tuple[str, str], ...] = ()
