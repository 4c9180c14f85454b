from __future__ import annotations

import pytest

from sagemaker_tensorflow.transform.quantities import (
    counted,
    format_seconds,
    latency,
    short_number,
)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 records"), (1, "1 record"), (1860, "1,860 records")]
)
def test_counted(count: int, text: str) -> None:
    assert counted(count, "record") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.25, "0.25"), (12, "12"), (3500, "3500"), (12_500, "12.5k"), (2e6, "2M")],
)
def test_short_number(value: float, text: str) -> None:
    assert short_number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.00025, "250 µs"),
        (0.0125, "12.5 ms"),
        (1.5, "1.5 s"),
        (99, "99 s"),
        (125, "2 min 05 s"),
    ],
)
def test_latency(seconds: float, text: str) -> None:
    assert latency(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7800, "2 h 10 min"),
        (360_000, "100 h 00 min"),
    ],
)
def test_format_seconds(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text
