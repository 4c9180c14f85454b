from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.data_processing import (
    CSV,
    JSON,
    JSON_LINES,
    ResultProcessor,
    validate_data_processing,
)
from sagemaker_tensorflow.transform.spec import DataProcessing

JOIN = DataProcessing(join_source="Input")
NOTHING = DataProcessing()


def validate(
    processing: DataProcessing,
    content_type: str,
    accept: str,
    split_type: str = "Line",
    assemble_with: str = "Line",
) -> None:
    validate_data_processing(
        processing,
        content_type=content_type,
        accept=accept,
        split_type=split_type,
        assemble_with=assemble_with,
    )


@pytest.mark.parametrize(
    ("content_type", "split_type"),
    [
        (CSV, "Line"),
        (JSON, "Line"),
        (JSON, "None"),
        (JSON_LINES, "Line"),
        (JSON_LINES, "None"),
        ("TEXT/CSV; charset=utf-8", "Line"),
    ],
)
@pytest.mark.parametrize(
    "processing",
    [JOIN, DataProcessing("$[1:]"), DataProcessing(output_filter="$[0,-1]"), NOTHING],
)
def test_allowed(processing: DataProcessing, content_type: str, split_type: str) -> None:
    validate(processing, content_type, content_type, split_type, split_type)


@pytest.mark.parametrize("content_type", ["application/x-npy", "image/jpeg", CSV])
def test_nothing_is_checked_where_nothing_is_done(content_type: str) -> None:
    validate(NOTHING, content_type, JSON, "TFRecord", "None")


@pytest.mark.parametrize(
    ("processing", "content_type", "accept", "split_type", "assemble_with", "reason"),
    [
        (JOIN, "application/x-npy", "application/x-npy", "None", "None", "ContentType is 'appli"),
        (JOIN, "application/jsons", "application/jsons", "Line", "Line", "must be one of text/csv"),
        (JOIN, "", "", "Line", "Line", "ContentType is ''"),
        (JOIN, CSV, JSON, "Line", "Line", "Accept is 'application/json' and ContentType 'text/csv"),
        (JOIN, CSV, "", "Line", "Line", "Accept is ''"),
        (JOIN, CSV, CSV, "None", "None", "must be Line for text/csv"),
        (JOIN, CSV, CSV, "Line", "None", "AssembleWith is 'None' and SplitType 'Line'"),
        (JOIN, JSON, JSON, "None", "Line", "AssembleWith is 'Line' and SplitType 'None'"),
        (JOIN, JSON, JSON, "TFRecord", "None", "SplitType is 'TFRecord'; it must be Line or None"),
        (JOIN, JSON, JSON, "RecordIO", "Line", "SplitType is 'RecordIO'"),
        (DataProcessing("$.id"), CSV, CSV, "Line", "Line", "InputFilter '$.id': a CSV row is an"),
        (
            DataProcessing(output_filter="$['id','SageMakerOutput']"),
            *(CSV, CSV, "Line", "Line", "OutputFilter \"$['id','SageMakerOutput']\": a CSV row"),
        ),
        (DataProcessing("id"), JSON, JSON, "Line", "Line", "InputFilter: the JSONPath 'id' is wro"),
        (DataProcessing(output_filter="$[1"), JSON, JSON, "Line", "Line", "OutputFilter: the JSO"),
        (DataProcessing("$." + "n" * 62), JSON, JSON, "Line", "Line", "has 64 characters"),
        (replace(NOTHING, join_source="Output"), JSON, JSON, "Line", "Line", "JoinSource is 'Outp"),
    ],
)
def test_refused(
    processing: DataProcessing,
    content_type: str,
    accept: str,
    split_type: str,
    assemble_with: str,
    reason: str,
) -> None:
    with pytest.raises(InvalidArgumentError) as error:
        validate(processing, content_type, accept, split_type, assemble_with)
    assert reason in str(error.value)


def test_every_reason_is_named() -> None:
    with pytest.raises(InvalidArgumentError) as error:
        validate(DataProcessing("$.a", "$.b", "Input"), CSV, JSON, "TFRecord", "Line")
    for word in ("Accept", "SplitType", "AssembleWith", "InputFilter", "OutputFilter"):
        assert word in str(error.value)


# The record, the model's result, and what becomes of them. The first of each content type are
# the examples of AWS's page on data processing.
@pytest.mark.parametrize(
    ("processing", "original", "result", "expected"),
    [
        (NOTHING, {"key": 1}, {"label": 1}, {"label": 1}),
        (JOIN, {"key": 1}, {"label": 1}, {"key": 1, "SageMakerOutput": {"label": 1}}),
        (
            DataProcessing("$.features", "$['id','SageMakerOutput']", "Input"),
            {"id": 7, "features": [1, 2]},
            {"predictions": [[0.5]]},
            {"id": 7, "SageMakerOutput": {"predictions": [[0.5]]}},
        ),
        (JOIN, [1, 2], 3, {"SageMakerInput": [1, 2], "SageMakerOutput": 3}),
        (JOIN, 5, [3], {"SageMakerInput": 5, "SageMakerOutput": [3]}),
        (JOIN, None, 1, {"SageMakerInput": None, "SageMakerOutput": 1}),
        (JOIN, {"SageMakerOutput": "old", "a": 1}, 2, {"SageMakerOutput": 2, "a": 1}),
        (DataProcessing(output_filter="$.label"), None, {"label": 1, "p": 0.5}, 1),
        (replace(JOIN, output_filter="$.SageMakerOutput"), {"id": 1}, [2], [2]),
        (JOIN, {"größe": "ü"}, 1, {"größe": "ü", "SageMakerOutput": 1}),
    ],
)
def test_json(processing: DataProcessing, original: Any, result: Any, expected: Any) -> None:
    before = json.dumps(original)
    for content_type in (JSON, JSON_LINES, "application/json; charset=utf-8"):
        assert ResultProcessor(processing, content_type).apply([original], [result]) == [expected]
    assert json.dumps(original) == before


@pytest.mark.parametrize(
    ("processing", "original", "result", "expected"),
    [
        (JOIN, ["1", "2", "3"], [1], ["1", "2", "3", 1]),
        (JOIN, ["1", "2", "3"], 1, ["1", "2", "3", 1]),
        (
            DataProcessing("$[1:]", "$", "Input"),
            *(["id1", "2", "3", "4", "5"], [0.25, 0.75]),
            ["id1", "2", "3", "4", "5", 0.25, 0.75],
        ),
        (replace(JOIN, output_filter="$[0,5:]"), list("abcde"), [1, 2], ["a", 1, 2]),
        (replace(JOIN, output_filter="$[0,-1]"), list("abcde"), [1, 2], ["a", 2]),
        (replace(JOIN, output_filter="$[-1]"), list("ab"), [1], [1]),
        (replace(JOIN, output_filter="$[1:3]"), list("abcde"), [1], ["b", "c", "d"]),
        (DataProcessing(output_filter="$[1]"), None, [1, 2], [2]),
        (NOTHING, None, [1, 2], [1, 2]),
        (NOTHING, None, 0.5, [0.5]),
    ],
)
def test_csv(processing: DataProcessing, original: Any, result: Any, expected: Any) -> None:
    assert ResultProcessor(processing, CSV).apply([original], [result]) == [expected]


def test_records_keep_their_results() -> None:
    processor = ResultProcessor(replace(JOIN, output_filter="$[0,-1]"), CSV)
    assert processor.apply([["a", "x"], ["b", "y"]], [[1], [2]]) == [["a", 1], ["b", 2]]
    assert processor.apply([], []) == []


def test_an_output_filter_beyond_the_joined_record() -> None:
    processor = ResultProcessor(replace(JOIN, output_filter="$[0,3]"), CSV)
    assert processor.apply_one(["a", "b", "c"], [1]) == ["a", 1]
    with pytest.raises(BadRecordError, match=r"OutputFilter: .* index 3 is outside of an array of"):
        processor.apply_one(["a", "b"], [1])


def test_a_join_needs_one_result_for_each_record() -> None:
    with pytest.raises(InvalidArgumentError, match="1 results for 2 records"):
        ResultProcessor(JOIN, JSON).apply([{}, {}], [1])
