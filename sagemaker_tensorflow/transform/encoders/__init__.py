"""Encoders: what a model gives, in the formats that Accept can ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sagemaker_tensorflow.errors import FailedPreconditionError, InvalidArgumentError
from sagemaker_tensorflow.transform.encoders import media_types
from sagemaker_tensorflow.transform.encoders.csv_encoder import CsvEncoder
from sagemaker_tensorflow.transform.encoders.encoder import Encoder, ObjectEncoder, Response
from sagemaker_tensorflow.transform.encoders.json_encoder import JsonEncoder
from sagemaker_tensorflow.transform.encoders.jsonlines_encoder import JsonLinesEncoder
from sagemaker_tensorflow.transform.encoders.npy_encoder import NpyEncoder
from sagemaker_tensorflow.transform.encoders.tfrecord_encoder import TFRecordEncoder

if TYPE_CHECKING:
    from sagemaker_tensorflow.transform.data_processing import ResultProcessor
    from sagemaker_tensorflow.transform.signatures import Signature

__all__ = ["Encoder", "ObjectEncoder", "Response", "make_encoder"]


def make_encoder(
    accept: str,
    signature: Signature,
    *,
    split_type: str,
    processor: ResultProcessor | None = None,
) -> Encoder:
    """Makes the encoder for an Accept, or says before the job starts why there is none.

    Args:
        accept: One of `media_types.MEDIA_TYPES` or another name of one; "" is JSON.
        signature: Whose outputs are encoded.
        split_type: Of the job: with ``"None"`` the one record is the whole object.
        processor: What joins and filters the results of JSON, JSON lines and CSV.

    Raises:
        InvalidArgumentError: There is no such format, or it cannot hold what the signature gives.
        FailedPreconditionError: It needs pyarrow, which is not installed.
    """
    media_type = media_types.canonical_media_type(accept)
    if not signature.outputs:
        raise InvalidArgumentError(f"signature {signature.name} has no outputs; choose another one")
    if media_type == media_types.JSON:
        return JsonEncoder(signature, processor)
    if media_type == media_types.JSON_LINES:
        return JsonLinesEncoder(signature, processor, split_type=split_type)
    if media_type == media_types.CSV:
        return CsvEncoder(signature, processor, split_type=split_type)
    if processor is not None:
        raise InvalidArgumentError(
            f"results in accept={accept} cannot be joined or filtered; that takes "
            f"{media_types.JSON}, {media_types.JSON_LINES} or {media_types.CSV}"
        )
    if media_type == media_types.NPY:
        return NpyEncoder(signature)
    if media_type == media_types.TFRECORD:
        return TFRecordEncoder(signature)
    return _parquet_encoder(signature)


def _parquet_encoder(signature: Signature) -> Encoder:
    try:
        from sagemaker_tensorflow.transform.encoders.parquet_encoder import ParquetEncoder
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "pyarrow":
            raise
        raise FailedPreconditionError(
            f"accept={media_types.PARQUET} needs pyarrow, which is not installed; "
            "pip install 'sagemaker-tensorflow[parquet]'"
        ) from error
    return ParquetEncoder(signature)
