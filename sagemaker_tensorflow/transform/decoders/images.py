"""Records that are image files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.decoders.decoder import RecordTensors, merged
from sagemaker_tensorflow.transform.decoders.tensors import cast
from sagemaker_tensorflow.transform.records import Decoded

if TYPE_CHECKING:
    from collections.abc import Callable

    from sagemaker_tensorflow.transform.records import Payload
    from sagemaker_tensorflow.transform.signatures import Shape, TensorSpec

_CHANNELS = (1, 3, 4)


class ImageDecoder:
    """Decodes ``application/x-image`` and ``image/*`` to the one input, of ``[n, h, w, channels]``.

    JPEG, PNG, BMP and the first picture of a GIF, as ``tf.io.decode_image`` reads them; what is in
    the bytes counts, not the type. The channels are the input's (1, 3 or 4), or those of the file
    where they are open. Pictures are resized to the input's height and width, bilinearly and
    without regard to their proportions; where a size is open it is the picture's. EXIF rotation is
    not applied.

    Values are 0 to 255 in the input's dtype, floats too: a model that wants 0 to 1 has to divide.
    Resized pictures are rounded for integer dtypes.

    Args:
        spec: The input, of numbers.

    Raises:
        InvalidArgumentError: The input does not take pictures.
    """

    def __init__(self, spec: TensorSpec) -> None:
        self._spec = spec
        is_float = spec.array_dtype.kind not in "iu"
        sizes = _picture_shape(spec)
        self._decode = _picture_decoder(sizes, is_float=is_float)
        self._decode_all = None if None in sizes else _pictures_decoder(sizes, is_float=is_float)

    def decode(self, payload: Payload) -> Decoded:
        """See `Decoder`. All pictures at once on TensorFlow's threads, unless one is bad."""
        decoded = self._at_once(payload)
        if decoded is not None:
            return decoded
        return merged(payload, [self._spec], [self._one(record) for record in payload.records])

    def _at_once(self, payload: Payload) -> Decoded | None:
        import tensorflow as tf

        if self._decode_all is None or not payload.records:
            return None
        try:
            pictures = self._decode_all(tf.constant(payload.records, dtype=tf.string)).numpy()
            tensor = cast(pictures, self._spec)
        except (tf.errors.OpError, BadRecordError):
            return None
        return Decoded(inputs={self._spec.name: tensor}, counts=[1] * len(payload.records))

    def _one(self, record: bytes) -> RecordTensors | BadRecordError:
        import tensorflow as tf

        try:
            picture = self._decode(tf.constant(record, dtype=tf.string)).numpy()
            return RecordTensors([cast(picture[np.newaxis], self._spec)], 1)
        except tf.errors.OpError as error:
            return BadRecordError(f"TensorFlow cannot decode the image: {_short(error.message)}")
        except BadRecordError as error:
            return error


def _picture_shape(spec: TensorSpec) -> Shape:
    """Height, width and channels of an instance.

    Raises:
        InvalidArgumentError: Its instances are no pictures.
    """
    sizes = spec.instance_shape
    channels = sizes[2] if sizes is not None and len(sizes) == 3 else 0
    if spec.array_dtype.kind == "b" or sizes is None or channels not in (None, *_CHANNELS):
        raise InvalidArgumentError(
            f"an image cannot fill input {spec}: it must be a string or numbers of shape"
            " [?, height, width, channels] with 1, 3 or 4 channels"
        )
    return sizes


def _picture_decoder(sizes: Shape, *, is_float: bool) -> Callable[[Any], Any]:
    """A function of one file's bytes, to be called eagerly or traced."""
    import tensorflow as tf

    height, width, channels = sizes

    def decode(data: Any) -> Any:
        with tf.device("CPU:0"):
            picture = tf.io.decode_image(data, channels=channels or 0, expand_animations=False)
            if height is not None or width is not None:
                seen = tf.shape(picture)
                # A picture that has the size already passes unchanged.
                picture = tf.image.resize(picture, [height or seen[0], width or seen[1]])
            if is_float:
                return tf.cast(picture, tf.float32)
            return tf.cast(tf.round(tf.cast(picture, tf.float32)), tf.uint8)

    return decode


def _pictures_decoder(sizes: Shape, *, is_float: bool) -> Callable[[Any], Any]:
    """A function of the bytes of many files, which are decoded in parallel."""
    import tensorflow as tf

    decode = _picture_decoder(sizes, is_float=is_float)
    spec = tf.TensorSpec(sizes, tf.float32 if is_float else tf.uint8)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])  # type: ignore[untyped-decorator]
    def decode_all(data: Any) -> Any:
        with tf.device("CPU:0"):
            return tf.map_fn(
                lambda each: tf.ensure_shape(decode(each), sizes), data, fn_output_signature=spec
            )

    return decode_all  # type: ignore[no-any-return]


def _short(message: str) -> str:
    """TensorFlow's words about an image, without the names of its nodes."""
    return re.sub(r"\{\{.*?\}\}|\[Op:.*", "", message).strip().splitlines()[0]
