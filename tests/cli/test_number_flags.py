from __future__ import annotations

import argparse

import pytest

from sagemaker_tensorflow.cli.number_flags import seconds_up_to, whole_number


def test_numbers() -> None:
    assert whole_number(0)("0") == 0
    assert seconds_up_to(9)("0.5") == 0.5


@pytest.mark.parametrize("text", ["", "x", "1.5", "-1", "0"])
def test_what_is_no_such_number(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a whole number of 1 or more"):
        whole_number(1)(text)


@pytest.mark.parametrize("text", ["", "x", "nan", "0", "-1", "9.1", "inf"])
def test_what_are_no_such_seconds(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="seconds above 0 and at most 9"):
        seconds_up_to(9)(text)
