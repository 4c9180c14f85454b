"""Which decoder a ContentType takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.data_processing import CSV, JSON, JSON_LINES, mime_type
from sagemaker_tensorflow.transform.decoders.csv_rows import CsvDecoder
from sagemaker_tensorflow.transform.decoders.json_documents import JsonDecoder
from sagemaker_tensorflow.transform.decoders.npy_arrays import NpyDecoder
from sagemaker_tensorflow.transform.decoders.octets import BytesDecoder, RawDecoder, takes_bytes

if TYPE_CHECKING:
    from sagemaker_tensorflow.transform.decoders.decoder import Decoder
    from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec
    from sagemaker_tensorflow.transform.spec import DataProcessing

TF_EXAMPLE = "application/x-tfexample"
# What SageMaker's TensorFlow Serving container calls JSON lines, besides application/jsonlines.
JSONS = "application/jsons"
NPY = "application/x-npy"
OCTETS = "application/octet-stream"
IMAGE = "application/x-image"
RECORD_PROTOBUF = "application/x-recordio-protobuf"
_CHARSETS = ("utf-8", "utf8", "us-ascii", "ascii")
CONTENT_TYPES = (
    *(TF_EXAMPLE, JSON, JSON_LINES, JSONS, CSV, NPY, OCTETS),
    *(IMAGE, "image/*", RECORD_PROTOBUF),
)


def make_decoder(
    content_type: str,
    signature: Signature,
    *,
    split_type: str,
    strategy: str,
    data_processing: DataProcessing,
) -> Decoder:
    """Makes the decoder for a job's records.

    Args:
        content_type: The job's ContentType; of its parameters only a charset counts. "" stands for
            `default_content_type`.
        signature: What the model takes.
        split_type: The job's SplitType.
        strategy: The job's BatchStrategy. Records are decoded one by one with either.
        data_processing: A valid one; its InputFilter is applied to JSON and CSV.

    Returns:
        A decoder that any number of threads may use.

    Raises:
        InvalidArgumentError: There is no decoder for the type, or it cannot fill the inputs.
    """
    kind = mime_type(content_type) or default_content_type(signature, split_type)
    _check_charset(content_type)
    for spec in signature.inputs:
        if spec.shape == ():
            raise InvalidArgumentError(f"input {spec} has no dimension for a batch")
    if not signature.inputs:
        raise InvalidArgumentError(f"the signature {signature.name!r} has no inputs")
    if kind in (JSON, JSON_LINES, JSONS):
        return JsonDecoder(kind, signature, data_processing)
    if kind == CSV:
        return CsvDecoder(signature, data_processing)
    if kind == TF_EXAMPLE:
        return _example_decoder(signature)
    if kind == RECORD_PROTOBUF:
        from sagemaker_tensorflow.transform.decoders.record_protobuf import RecordProtobufDecoder

        return RecordProtobufDecoder(signature)
    if kind == NPY:
        return NpyDecoder(_only_input(signature, kind))
    if kind == OCTETS:
        spec = _only_input(signature, kind)
        return BytesDecoder(spec, kind) if spec.is_string else RawDecoder(spec)
    if kind == IMAGE or kind.startswith("image/"):
        return _image_decoder(_only_input(signature, kind), kind)
    raise InvalidArgumentError(
        f"there is no decoder for ContentType {content_type!r}, only for"
        f" {', '.join(CONTENT_TYPES)}; an inference.py in the model's code folder can decode others"
    )


def default_content_type(signature: Signature, split_type: str) -> str:
    """What records are taken for when a job does not say.

    TFRecords are Examples, lines are JSON, RecordIO is SageMaker's protobuf. Whole objects are
    bytes for a model that takes one byte string, and JSON for all others.
    """
    if split_type == "TFRecord":
        return TF_EXAMPLE
    if split_type == "Line":
        return JSON_LINES
    if len(signature.inputs) == 1 and takes_bytes(signature.inputs[0]):
        return OCTETS
    return RECORD_PROTOBUF if split_type == "RecordIO" else JSON


def _check_charset(content_type: str) -> None:
    for parameter in content_type.lower().split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(" \"'") not in _CHARSETS:
            raise InvalidArgumentError(
                f"ContentType {content_type!r}: texts are read as UTF-8 and nothing else"
            )


def _example_decoder(signature: Signature) -> Decoder:
    if len(signature.inputs) == 1 and takes_bytes(signature.inputs[0]):
        return BytesDecoder(signature.inputs[0], TF_EXAMPLE)
    from sagemaker_tensorflow.transform.decoders.examples import ExampleDecoder

    return ExampleDecoder(signature)


def _image_decoder(spec: TensorSpec, kind: str) -> Decoder:
    if spec.is_string:
        return BytesDecoder(spec, kind)
    from sagemaker_tensorflow.transform.decoders.images import ImageDecoder

    return ImageDecoder(spec)


def _only_input(signature: Signature, kind: str) -> TensorSpec:
    if len(signature.inputs) == 1:
        return signature.inputs[0]
    names = ", ".join(repr(spec.name) for spec in signature.inputs)
    raise InvalidArgumentError(
        f"{kind} fills one input, but the signature {signature.name!r} has"
        f" {len(signature.inputs)}: {names}; use application/jsonlines or {TF_EXAMPLE}"
    )
