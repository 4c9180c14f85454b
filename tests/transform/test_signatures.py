from __future__ import annotations

import numpy as np

from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec

IMAGE = TensorSpec("image", np.dtype("uint8"), (None, 128, 128, 3))
TEXT = TensorSpec("text", "string", (None,))
ANY = TensorSpec("scores", np.dtype("float32"), None)


def test_describe() -> None:
    assert Signature("serving_default", (IMAGE, TEXT), (ANY,)).describe() == "\n".join(
        (
            "signature serving_default",
            "  inputs",
            "    image  uint8     [?, 128, 128, 3]",
            "    text   string    [?]",
            "  outputs",
            "    scores  float32   any rank",
        )
    )


def test_text() -> None:
    assert [str(spec) for spec in (IMAGE, TEXT, ANY)] == [
        "image: uint8 [?, 128, 128, 3]",
        "text: string [?]",
        "scores: float32 of any rank",
    ]


def test_arrays_of_a_tensor() -> None:
    assert [spec.instance_shape for spec in (IMAGE, TEXT, ANY)] == [(128, 128, 3), (), None]
    assert [spec.array_dtype for spec in (IMAGE, TEXT)] == [np.dtype("uint8"), np.dtype(object)]
    assert (IMAGE.is_string, TEXT.is_string) == (False, True)


def test_inputs_by_name() -> None:
    signature = Signature("s", (IMAGE, TEXT), ())
    assert signature.input("text") is TEXT
    assert signature.input("scores") is None
