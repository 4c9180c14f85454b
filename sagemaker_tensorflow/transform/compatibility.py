"""Which settings of a job do not go together, and why: found before the job starts.

Single values are checked by `transform_request.check_spec`, filters and joins by
`data_processing.validate_data_processing`. What the service allows is read from
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html and
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformInput.html.

Two things are allowed that these pages leave open:

- BatchStrategy with SplitType None. It needs a SplitType, says the page of the first; but the
  service's default is MultiRecord for both, and SDKs send SingleRecord with whole objects. The
  object is the one record there is, so either strategy means the same.
- CompressionType Gzip with everything: objects are decompressed before anything else is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sagemaker_tensorflow.errors import PipeModeDatasetException
from sagemaker_tensorflow.transform.encoders import make_encoder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sagemaker_tensorflow.transform.signatures import Signature
    from sagemaker_tensorflow.transform.spec import TransformSpec

# What cannot be cut at line feeds, which are bytes of it like any other, and what to do instead.
_UNCUTTABLE = {
    "application/x-image": "SplitType None, with one image to an object",
    "application/x-npy": "SplitType None, with one array to an object",
    "application/x-recordio-protobuf": "SplitType RecordIO",
    "application/x-tfexample": "SplitType TFRecord",
}


def refusals(spec: TransformSpec, signature: Signature | None) -> list[str]:
    """Why a job cannot run with this model: a reason for each thing, none if it can.

    Args:
        spec: Whose values are valid each for itself.
        signature: The one that `spec` names; None for a model with handlers of its own
            (``inference.py``), to which ContentType and Accept say what they like.
    """
    if signature is None:
        return []
    return [*_split_refusals(spec), *_accept_refusals(spec, signature)]


def _split_refusals(spec: TransformSpec) -> Iterator[str]:
    content_type = spec.content_type.partition(";")[0].strip().lower()
    if content_type.startswith("image/"):
        content_type = "application/x-image"
    instead = _UNCUTTABLE.get(content_type)
    if spec.split_type == "Line" and instead is not None:
        yield (
            f"SplitType Line cuts at line feeds, which ContentType {spec.content_type} may hold "
            f"anywhere; use {instead}"
        )


def _accept_refusals(spec: TransformSpec, signature: Signature) -> Iterator[str]:
    try:
        encoder = make_encoder(spec.accept, signature, split_type=spec.split_type)
    except PipeModeDatasetException as error:
        yield str(error)
        return
    if spec.assemble_with == "Line" and not encoder.is_text:
        yield (
            "AssembleWith Line puts line feeds between results, which breaks Accept "
            f"{spec.accept}; use AssembleWith None"
        )
