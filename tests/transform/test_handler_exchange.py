"""Filters and joins around a script, without the script: records in, requests; answers in, results.

The script's answer is written out in each case, as the container's would be.
"""

from __future__ import annotations

import pytest

from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.encoders import Response
from sagemaker_tensorflow.transform.handler_exchange import Exchange, Request, make_exchange
from sagemaker_tensorflow.transform.handlers import HandlerResult
from sagemaker_tensorflow.transform.records import Payload
from sagemaker_tensorflow.transform.spec import DataProcessing, TransformSpec

from .decoding import FIRST_RECORD, failed, payload

CSV, JSON, LINES = "text/csv", "application/json", "application/jsonlines"
JOIN = DataProcessing(join_source="Input")


def exchange(
    content_type: str,
    processing: DataProcessing,
    split_type: str = "Line",
    strategy: str = "MultiRecord",
) -> Exchange:
    return make_exchange(
        TransformSpec(
            *("model", "s3://in/", "s3://out/"),
            content_type=content_type,
            accept=content_type,
            split_type=split_type,
            assemble_with=split_type,
            strategy=strategy,
            data_processing=processing,
        )
    )


def asked(made: Exchange, *records: bytes) -> tuple[Payload, Request]:
    given = payload(*records)
    return given, made.request(given)


def answered(
    made: Exchange, records: list[bytes], answer: bytes, content_type: str = "text/plain"
) -> Response:
    return made.response(*asked(made, *records), HandlerResult(answer, content_type))


def test_without_filter_and_join_bytes_pass_as_they_are() -> None:
    made = exchange("image/png", DataProcessing())
    _, request = asked(made, b"\xff", b"")
    assert (request.records, request.decoded.counts) == ([b"\xff", b""], [1, 1])
    assert answered(made, [b"\xff", b""], b"\n\xfe").body == b"\n\xfe"
    assert not made.ends_lines


@pytest.mark.parametrize(
    ("content_type", "path", "record", "expected"),
    [
        (CSV, "$[1:]", b'7, 1,"a,b"', b' 1,"a,b"'),
        (CSV, "$[-1]", b"7,1", b"1"),
        (CSV, "$", b'"7",1 ', b'"7",1 '),
        (JSON, "$.features", b'{"id": 7, "features": [1.50, NaN]}', b"[1.5,NaN]"),
        (LINES, "$['a','b']", b'{"b":"\xc3\xbc", "a":0, "c":1}', b'{"a":0,"b":"\xc3\xbc"}'),
        (LINES, "$.a", b'{"a": 1} {"a": 2}', b"1 2"),
        (JSON, "$", b'{ "a":1 }', b'{ "a":1 }'),
    ],
)
def test_input_filter(content_type: str, path: str, record: bytes, expected: bytes) -> None:
    for processing in (DataProcessing(path), DataProcessing(path, "$", "Input")):
        _, request = asked(exchange(content_type, processing), record)
        assert request.records == [expected]
        assert len(request.decoded.originals) == (processing.join_source == "Input")


def test_lines_of_an_object_that_is_not_split_stay_lines() -> None:
    made = exchange(LINES, DataProcessing("$.a"), split_type="None")
    assert asked(made, b'{"a": 1}\n{"a": 2}\n')[1].records == [b"1\n2"]


# As AWS's page on data processing has it, and what it leaves open (`handler_exchange`).
@pytest.mark.parametrize(
    ("content_type", "processing", "records", "answer", "expected"),
    [
        (CSV, JOIN, [b"1,2,3", b'4,"5,5",6'], b"1\n0", b'1,2,3,1\n4,"5,5",6,0\n'),
        (CSV, JOIN, [b"1"], b"0.50,b\r\n", b"1,0.50,b\n"),
        (
            *(CSV, DataProcessing("$[1:]", "$[0,-1]", "Input"), [b"7,1", b"8,2"]),
            *(b"x\ny", b"7,x\n8,y\n"),
        ),
        (CSV, DataProcessing(output_filter="$[1]"), [b"7", b"8"], b"a,b\nc,d", b"b\nd\n"),
        (
            *(LINES, JOIN, [b'{"key":1}'], b'{"label":1}'),
            b'{"key":1,"SageMakerOutput":{"label":1}}\n',
        ),
        (
            *(LINES, DataProcessing("$.features", "$['id','SageMakerOutput']", "Input")),
            [b'{"id":7,"features":[1]}', b'{"id":8,"features":[2]}'],
            b'{"p":\n  1}\n\n[2]\n',
            b'{"id":7,"SageMakerOutput":{"p":1}}\n{"id":8,"SageMakerOutput":[2]}\n',
        ),
        (
            *(JSON, JOIN, [b"[1]", b"{}"], b"3 4"),
            b'{"SageMakerInput":[1],"SageMakerOutput":3}\n{"SageMakerOutput":4}',
        ),
        # Two records and one answer, which nothing has to be joined to.
        (
            *(JSON, DataProcessing(output_filter="$.predictions"), [b"1", b"2"]),
            *(b'{"predictions": [3, 4]}', b"[3,4]"),
        ),
        (LINES, DataProcessing(output_filter="$.p"), [b"1", b"2"], b"", b""),
    ],
)
def test_results(
    content_type: str,
    processing: DataProcessing,
    records: list[bytes],
    answer: bytes,
    expected: bytes,
) -> None:
    made = exchange(content_type, processing)
    response = answered(made, records, answer)
    assert (response.body, response.failures) == (expected, [])
    assert made.ends_lines == (content_type != JSON)


@pytest.mark.parametrize(
    ("content_type", "record", "answer", "expected"),
    [
        (JSON, b'{\n"a": 1}', b'{"p":\n2}', b'{"a":1,"SageMakerOutput":{"p":2}}'),
        (JSON, b"[1,2]", b"[3,4]", b'{"SageMakerInput":[1,2],"SageMakerOutput":[3,4]}'),
        (LINES, b"1\n2\n", b"3\n4\n", b'{"SageMakerInput":[1,2],"SageMakerOutput":[3,4]}\n'),
    ],
)
def test_an_object_that_is_not_split_is_one_record(
    content_type: str, record: bytes, answer: bytes, expected: bytes
) -> None:
    assert answered(exchange(content_type, JOIN, "None"), [record], answer).body == expected


@pytest.mark.parametrize(
    ("content_type", "split_type", "strategy", "records", "answer", "reason"),
    [
        (
            *(JSON, "Line", "MultiRecord", [b"1", b"2"], b'{"predictions": [3, 4]}'),
            "for 2 of them inference.py answered 1; the answer is '{\"predictions\": [3, 4]}'; "
            "have it answer each record with one document, on a line of its own, or use "
            "BatchStrategy SingleRecord",
        ),
        (
            *(CSV, "Line", "SingleRecord", [b"1"], b"2," * 50 + b"\n3"),
            f"for 1 of them inference.py answered 2; the answer begins with '{'2,' * 40}'; have "
            "it answer each record with one row",
        ),
        (
            *(LINES, "None", "MultiRecord", [b"1"], b"\n"),
            "answered 0; the answer is '\\n'; have it answer each record with one document",
        ),
        (
            *(JSON, "Line", "MultiRecord", [b"1"], b"oops"),
            "the answer of inference.py is no application/json, which filters and joins take: bad "
            "JSON at character 0: Expecting value; there is 'oops'; the answer is 'oops'",
        ),
        (
            *(CSV, "Line", "MultiRecord", [b"1", b"2"], b"1\n\n2"),
            "no text/csv, which filters and joins take: row 1 is empty; the answer is '1\\n\\n2'",
        ),
    ],
)
def test_answers_that_cannot_be_joined(
    content_type: str,
    split_type: str,
    strategy: str,
    records: list[bytes],
    answer: bytes,
    reason: str,
) -> None:
    with pytest.raises(BadRecordError) as error:
        answered(exchange(content_type, JOIN, split_type, strategy), records, answer)
    assert str(error.value).endswith(reason)


def test_an_answer_that_says_that_it_is_something_else() -> None:
    """TensorFlow Serving's own to CSV, which could pass for a column of a row."""
    with pytest.raises(BadRecordError, match="answered application/json, and Accept is text/csv"):
        answered(exchange(CSV, JOIN), [b"1"], b'{"predictions":[2]}', "application/json")
    assert answered(exchange(LINES, JOIN), [b"{}"], b"2", JSON).body == b'{"SageMakerOutput":2}\n'


def test_bad_records_are_left_out_of_the_request() -> None:
    made = exchange(CSV, DataProcessing("$[1]", "$[0,2]", "Input"))
    records = [b"a,1", b"b", b'"c', b"d,\xff", b"e,2\rf,3", b"", b"g,4"]
    given, request = asked(made, *records)
    assert request.records == [b"1", b"4"]
    reasons = failed(request.decoded)
    assert sorted(reasons) == [1, 2, 3, 4, 5]
    assert "InputFilter: " in reasons[1]
    assert "bad CSV" in reasons[2]
    assert "no UTF-8" in reasons[3]
    assert "the line holds 2 rows of CSV" in reasons[4]
    assert "empty" in reasons[5]
    response = made.response(given, request, HandlerResult(b"x\ny", CSV))
    assert response == Response(b"a,x\ng,y\n", [])


def test_an_output_filter_that_finds_nothing() -> None:
    made = exchange(LINES, DataProcessing(output_filter="$.p"))
    response = answered(made, [b"1", b"2", b"3"], b'{"p":1}\n{"q":2}\n{"p":3}')
    assert response.body == b"1\n3\n"
    (failure,) = response.failures
    assert failure.record == FIRST_RECORD + 1
    assert "OutputFilter: JSONPath $.p" in failure.reason
    with pytest.raises(BadRecordError, match="OutputFilter"):  # whose it is nobody knows
        answered(made, [b"1", b"2", b"3"], b'{"p":1}\n{"q":2}')
