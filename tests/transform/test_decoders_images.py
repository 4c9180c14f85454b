from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.signatures import TensorSpec
from tests.transform.decoding import decoder, failed, payload, signature, tensor

IMAGE = "application/x-image"
# 4 x 6, no two pixels alike.
PICTURE: NDArray[np.uint8] = np.arange(72, dtype=np.uint8).reshape(4, 6, 3)
FORMATS = {
    "png": bytes(tf.io.encode_png(PICTURE).numpy()),
    "jpeg": bytes(tf.io.encode_jpeg(PICTURE, quality=100).numpy()),
}
PNG = FORMATS["png"]
GRAY = bytes(tf.io.encode_png(PICTURE[..., :1]).numpy())


def decoded_by(spec: TensorSpec, *records: bytes, content_type: str = IMAGE) -> Any:
    decoded = decoder(content_type, signature(spec)).decode(payload(*records))
    assert failed(decoded) == {}
    assert list(decoded.counts) == [1] * len(records)
    assert decoded.inputs[spec.name].dtype == spec.array_dtype
    return decoded.inputs[spec.name]


@pytest.mark.parametrize("content_type", [IMAGE, "image/png", "image/jpeg"])
@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32", "float16"])
@pytest.mark.parametrize("sizes", [(4, 6, 3), (None, None, 3), (None, None, None), (None, 6, 3)])
def test_values_are_those_of_the_file(content_type: str, dtype: str, sizes: Any) -> None:
    values = decoded_by(tensor("x", dtype, *sizes), PNG, PNG, content_type=content_type)
    assert values.tolist() == [PICTURE.tolist()] * 2


def test_jpeg() -> None:
    values = decoded_by(tensor("x", "uint8", 4, 6, 3), FORMATS["jpeg"])
    assert np.abs(values[0].astype(int) - PICTURE).max() <= 3


# One red pixel, byte for byte as the formats' descriptions have it.
BMP = struct.pack(
    "<2sIHHI IiiHHIIiiII 4B",
    *(b"BM", 58, 0, 0, 54),
    *(40, 1, 1, 1, 24, 0, 4, 0, 0, 0, 0),
    *(0, 0, 255, 0),
)
GIF = (
    b"GIF89a\1\0\1\0\x80\0\0\xff\0\0\0\0\0"  # a palette of red and black
    b",\0\0\0\0\1\0\1\0\0\2\2\x44\1\0;"
)


@pytest.mark.parametrize("record", [BMP, GIF])
def test_other_formats(record: bytes) -> None:
    assert decoded_by(tensor("x", "uint8", 1, 1, 3), record).tolist() == [[[[255, 0, 0]]]]


@pytest.mark.parametrize(
    ("channels", "record", "expected"),
    [
        (1, GRAY, PICTURE[..., :1]),
        (3, GRAY, np.repeat(PICTURE[..., :1], 3, axis=-1)),
        (None, GRAY, PICTURE[..., :1]),
        (4, PNG, np.concatenate([PICTURE, np.full((4, 6, 1), 255)], axis=-1)),
    ],
)
def test_channels(channels: int | None, record: bytes, expected: NDArray[Any]) -> None:
    values = decoded_by(tensor("x", "uint8", 4, 6, channels), record)
    assert values.tolist() == [expected.tolist()]


@pytest.mark.parametrize("sizes", [(2, 3, 3), (8, 12, 3), (2, None, 3), (None, 3, 3)])
def test_resized(sizes: Any) -> None:
    wanted = [size or seen for size, seen in zip(sizes, PICTURE.shape, strict=True)]
    expected = tf.image.resize(PICTURE, wanted[:2], method="bilinear").numpy()
    values = decoded_by(tensor("x", "float32", *sizes), PNG)
    np.testing.assert_allclose(values, expected[np.newaxis], rtol=1e-6)
    rounded = decoded_by(tensor("x", "uint8", *sizes), PNG)
    np.testing.assert_array_equal(rounded, np.rint(expected)[np.newaxis])


@pytest.mark.parametrize("sizes", [(4, 6, 3), (None, None, 3)])
@pytest.mark.parametrize("bad", [b"", b"no image", PNG[:60]])
def test_bad_records(sizes: Any, bad: bytes) -> None:
    decoded = decoder(IMAGE, signature(tensor("x", "uint8", *sizes))).decode(payload(PNG, bad, PNG))
    reasons = failed(decoded)
    assert set(reasons) == {1}
    assert reasons[1].startswith("TensorFlow cannot decode the image: ")
    assert "{{" not in reasons[1]
    assert decoded.inputs["x"].tolist() == [PICTURE.tolist()] * 2


def test_values_that_do_not_fit() -> None:
    bright = bytes(tf.io.encode_png(np.full((1, 1, 3), 200, dtype=np.uint8)).numpy())
    decoded = decoder(IMAGE, signature(tensor("x", "int8", 1, 1, 3))).decode(payload(bright))
    assert "got the value 200" in failed(decoded)[0]


def test_pictures_of_different_sizes_are_no_batch() -> None:
    other = bytes(tf.io.encode_png(PICTURE[:2]).numpy())
    decoded = decoder(IMAGE, signature(tensor("x", "uint8", None, None, 3))).decode(
        payload(PNG, other, PNG)
    )
    assert "is of shape [2, 6, 3], and [4, 6, 3] in other records" in failed(decoded)[1]


@pytest.mark.parametrize(
    "spec",
    [
        tensor("x", "uint8", 4, 6),
        tensor("x", "uint8", 4, 6, 2),
        tensor("x", "bool", 4, 6, 3),
        TensorSpec("x", np.dtype("float32"), None),
    ],
)
def test_inputs_that_take_no_pictures(spec: TensorSpec) -> None:
    with pytest.raises(InvalidArgumentError, match="an image cannot fill input x"):
        decoder(IMAGE, signature(spec))


def test_no_records() -> None:
    assert decoded_by(tensor("x", "uint8", 4, 6, 3)).shape == (0, 4, 6, 3)


def test_threads_share_a_decoder() -> None:
    decode = decoder(IMAGE, signature(tensor("x", "uint8", 4, 6, 3))).decode
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(decode, [payload(PNG, b"bad", PNG)] * 20))
    for decoded in results:
        assert set(failed(decoded)) == {1}
        assert decoded.inputs["x"].tolist() == [PICTURE.tolist()] * 2
