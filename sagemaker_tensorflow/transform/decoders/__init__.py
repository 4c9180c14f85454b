"""Records of any ContentType as the inputs of a model, without code of the user's."""

from sagemaker_tensorflow.transform.decoders.content_types import (
    CONTENT_TYPES,
    default_content_type,
    make_decoder,
)
from sagemaker_tensorflow.transform.decoders.decoder import Decoder

__all__ = ["CONTENT_TYPES", "Decoder", "default_content_type", "make_decoder"]
