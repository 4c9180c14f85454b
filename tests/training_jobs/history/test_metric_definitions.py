from __future__ import annotations

import logging

import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.training.history.metric_definitions import (
    MetricMatcher,
    metrics_from_sdk,
    metrics_to_sdk,
)

DEFINITIONS = [
    {"Name": "loss", "Regex": r"loss: (\S+)"},
    {"Name": "validation:rmse", "Regex": r"rmse=([0-9.eE+-]+)(;|$)"},
]


def test_the_first_group_is_the_value(caplog: pytest.LogCaptureFixture) -> None:
    pairs = metrics_from_sdk(DEFINITIONS)
    assert metrics_to_sdk(pairs) == DEFINITIONS
    matcher = MetricMatcher(pairs)
    assert list(matcher.values(["nothing"])) == []
    lines = ["1/9 loss: 2.5 2/9 loss: -1e-3 rmse=7;", "loss: 1"]
    expected = [("loss", 2.5), ("loss", -1e-3), ("loss", 1), ("validation:rmse", 7)]
    assert list(matcher.values(lines)) == expected
    with caplog.at_level(logging.WARNING):
        for text in ("nan", "-inf", "high"):
            assert list(matcher.values([f"loss: {text}"])) == []
    assert [record.getMessage() for record in caplog.records] == [
        "metric loss: 'nan' is not a finite number and is left out, as are others like it; its "
        r"regex is 'loss: (\\S+)'"
    ]


@pytest.mark.parametrize("wrong", ["loss", {"Name": "loss"}, {"Name": "loss", "Regex": 5}])
def test_what_is_no_definition_is_refused(wrong: object) -> None:
    with pytest.raises(InvalidArgumentError, match="metric_definitions: "):
        metrics_from_sdk([wrong])  # type: ignore[list-item]
