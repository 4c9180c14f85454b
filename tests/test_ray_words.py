from __future__ import annotations

import pytest

from sagemaker_tensorflow.errors import FailedPreconditionError
from sagemaker_tensorflow.ray_words import words_of


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    words = words_of(RuntimeError(f"\x1b[36mThe actor died\x1b[0m.\n{'x' * 999}\n  worker gone"))
    assert words.startswith("The actor died. xxx")
    assert words.endswith("xxx worker gone")
    assert len(words) < 400


def test_a_node_without_the_package() -> None:
    text = "x" * 999 + " ModuleNotFoundError: No module named 'sagemaker_tensorflow' " + "x" * 999
    with pytest.raises(FailedPreconditionError, match="install the same version on every node"):
        words_of(RuntimeError(text))
