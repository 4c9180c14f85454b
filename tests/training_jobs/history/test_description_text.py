from __future__ import annotations

from datetime import datetime, timezone

from sagemaker_tensorflow.training.history.description_text import (
    description_from_text,
    description_to_text,
)


def test_times_come_back_and_texts_stay_texts() -> None:
    begun = datetime(2026, 1, 2, 3, 4, 5, 678901, timezone.utc)
    ended = begun.replace(microsecond=0)
    description = {
        "CreationTime": begun,
        "TrainingEndTime": ended,
        "SecondaryStatusTransitions": [{"Status": "Training", "StartTime": begun}],
        "HyperParameters": {"StartTime": "2026-01-02T03:04:05", "CreationTime": "noon"},
    }
    text = description_to_text(description)
    assert '"CreationTime": "2026-01-02T03:04:05.678901+00:00"' in text
    assert description_from_text(text) == description
