from __future__ import annotations

import argparse

import pytest

from sagemaker_tensorflow.cli.byte_counts import byte_count, byte_count_or_auto, count_or_auto


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0),
        ("1048576", 1 << 20),
        ("7B", 7),
        ("10GB", 10 * 10**9),
        ("512MiB", 512 << 20),
        ("512mib", 512 << 20),
        ("1.5 KiB", 1536),
        ("2kB", 2000),
        ("1TiB", 1 << 40),
    ],
)
def test_sizes(text: str, count: int) -> None:
    assert byte_count(text) == count
    assert byte_count_or_auto(text) == count


@pytest.mark.parametrize("text", ["", "GB", "-1", "1e6", "10 Gbit", "0x10", "ten", "9" * 400])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="give such as 10GB"):
        byte_count(text)


def test_auto() -> None:
    assert byte_count_or_auto("auto") is None
    assert count_or_auto("auto") is None
    assert count_or_auto("8") == 8
    with pytest.raises(argparse.ArgumentTypeError, match="'many' is neither"):
        count_or_auto("many")
