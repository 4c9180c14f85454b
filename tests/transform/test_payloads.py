from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_tensorflow.errors import DataLossError, InvalidArgumentError
from sagemaker_tensorflow.records import RecordWriter
from sagemaker_tensorflow.transform.payloads import Cut, PayloadMaker
from sagemaker_tensorflow.transform.records import Payload, RecordChunk

from .encoding import OBJECT

FORMATS = {"Line": "TextLine", "RecordIO": "RecordIO", "TFRecord": "TFRecord"}


def chunks_of(records: Sequence[bytes], *sizes: int) -> list[RecordChunk]:
    """The records in chunks of these sizes; the last one has the rest and ends the object."""
    bounds = [0]
    for size in sizes:
        bounds.append(min(bounds[-1] + size, len(records)))
    bounds.append(len(records))
    chunks = [
        RecordChunk(OBJECT, start, records[start:stop], range(100 + start, 100 + stop), ended=False)
        for start, stop in pairwise(bounds)
    ]
    chunks[-1] = replace(chunks[-1], ended=True)
    return chunks


def cut_all(maker: PayloadMaker, chunks: Sequence[RecordChunk]) -> Cut:
    whole = Cut()
    for chunk in chunks:
        cut = maker.add(chunk)
        whole.payloads += cut.payloads
        whole.failures += cut.failures
    return whole


def request_size(payload: Payload, split_type: str) -> int:
    """Bytes of the request that holds a payload's records with their framing."""
    stream = io.BytesIO()
    with RecordWriter(stream, FORMATS[split_type]) as writer:
        for record in payload.records:
            writer.write(record)
    return stream.tell()


@pytest.mark.parametrize(
    ("strategy", "split_type", "most", "sizes", "expected"),
    [
        ("SingleRecord", "TFRecord", 10, [10, 1, 0], [[10], [1], [0]]),
        ("SingleRecord", "RecordIO", 10, [10, 1, 0], [[10], [1], [0]]),
        ("SingleRecord", "Line", 10, [10, 1, 0], [[10], [1], [0]]),
        ("SingleRecord", "None", 10, [10], [[10]]),
        ("MultiRecord", "None", 10, [10], [[10]]),
        ("MultiRecord", "None", 10, [0], [[0]]),
        ("MultiRecord", "Line", 10, [4, 4, 4], [[4, 4], [4]]),
        ("MultiRecord", "Line", 9, [4, 4], [[4], [4]]),
        ("MultiRecord", "Line", 3, [0, 0, 0, 0], [[0, 0, 0], [0]]),
        ("MultiRecord", "TFRecord", 40, [4, 4, 4], [[4, 4], [4]]),
        ("MultiRecord", "TFRecord", 39, [4, 4], [[4], [4]]),
        ("MultiRecord", "RecordIO", 24, [1, 4, 0], [[1, 4], [0]]),
        ("MultiRecord", "RecordIO", 24, [1, 5], [[1], [5]]),
        ("MultiRecord", "RecordIO", 28, [1, 5], [[1, 5]]),
        ("MultiRecord", "Line", 10, [], []),
        ("SingleRecord", "Line", 10, [], []),
    ],
)
def test_how_records_are_cut(
    strategy: str, split_type: str, most: int, sizes: list[int], expected: list[list[int]]
) -> None:
    records = [bytes(size) for size in sizes]
    cut = cut_all(PayloadMaker(strategy, split_type, most), chunks_of(records))
    assert [[len(record) for record in payload.records] for payload in cut.payloads] == expected
    assert [payload.index for payload in cut.payloads] == list(range(len(expected)))
    assert cut.failures == []


@pytest.mark.parametrize("strategy", ["MultiRecord", "SingleRecord"])
@pytest.mark.parametrize("sizes", [(), (1, 0, 1, 2), (2, 1), (3,)])
def test_payloads_know_where_their_records_are(strategy: str, sizes: tuple[int, ...]) -> None:
    records = [b"aa", b"b", b"much too long", b"c", b"dd"]
    cut = cut_all(PayloadMaker(strategy, "Line", 8), chunks_of(records, *sizes))
    placed = [(payload.first_record, payload.records, payload.offsets) for payload in cut.payloads]
    together = {
        "MultiRecord": [(0, [b"aa", b"b"], [100, 101]), (3, [b"c", b"dd"], [103, 104])],
        "SingleRecord": [
            (0, [b"aa"], [100]),
            (1, [b"b"], [101]),
            (3, [b"c"], [103]),
            (4, [b"dd"], [104]),
        ],
    }
    assert placed == together[strategy]
    assert [(failure.record, failure.offset) for failure in cut.failures] == [(2, 102)]


@pytest.mark.parametrize(
    ("strategy", "split_type", "size", "reason"),
    [
        (
            "SingleRecord",
            "TFRecord",
            21,
            "a record of 21 bytes is over max_payload, which is 20 bytes; raise max_payload, or"
            ' keep the other records with on_error="record"',
        ),
        (
            "MultiRecord",
            "TFRecord",
            5,
            "a record of 5 bytes (21 with TFRecord framing) is over max_payload, which is 20 bytes;"
            ' raise max_payload, or keep the other records with on_error="record"',
        ),
        (
            "MultiRecord",
            "None",
            21,
            "the object's 21 bytes are over max_payload, which is 20 bytes; raise max_payload, or"
            " set split_type if it holds records",
        ),
    ],
)
def test_records_over_the_bound_fail(
    strategy: str, split_type: str, size: int, reason: str
) -> None:
    maker = PayloadMaker(strategy, split_type, 20)
    cut = cut_all(maker, chunks_of([bytes(size)]))
    assert cut.payloads == []
    assert [failure.reason for failure in cut.failures] == [reason]
    fits = cut_all(PayloadMaker(strategy, split_type, 20), chunks_of([bytes(size - 1)]))
    assert (len(fits.payloads), fits.failures) == (1, [])


@pytest.mark.parametrize("strategy", ["MultiRecord", "SingleRecord"])
def test_a_failure_ends_the_object_with_the_records_before_it(strategy: str) -> None:
    maker = PayloadMaker(strategy, "TFRecord", 1000)
    payloads = maker.add(chunks_of([b"a"], 1)[0]).payloads
    broken = RecordChunk(OBJECT, 1, [b"b"], [17], ended=True, failure=DataLossError("broken"))
    payloads += maker.add(broken).payloads
    assert [record for payload in payloads for record in payload.records] == [b"a", b"b"]


def test_a_record_that_the_reader_left_out_parts_payloads() -> None:
    maker = PayloadMaker("MultiRecord", "TFRecord", 1000)
    first = RecordChunk(OBJECT, 0, [b"a"], [0], ended=False)
    second = RecordChunk(OBJECT, 2, [b"c"], [34], ended=True)
    cut = cut_all(maker, [first, second])
    assert [payload.first_record for payload in cut.payloads] == [0, 2]


def test_without_a_bound_payloads_of_many_records_still_have_one() -> None:
    record = bytes(60 << 20)
    cut = cut_all(PayloadMaker("MultiRecord", "Line", 1 << 40), chunks_of([record] * 2))
    assert [len(payload.records) for payload in cut.payloads] == [1, 1]
    large = bytes(101 << 20)
    cut = cut_all(PayloadMaker("MultiRecord", "Line", 1 << 40), chunks_of([b"a", large, b"b"]))
    assert [len(payload.records) for payload in cut.payloads] == [1, 1, 1]


@pytest.mark.parametrize(
    ("strategy", "split_type", "most", "message"),
    [
        ("Multi", "Line", 1, "strategy='Multi'"),
        ("MultiRecord", "Lines", 1, "split_type='Lines'"),
        ("MultiRecord", "Line", 0, "max_payload_bytes=0"),
    ],
)
def test_arguments(strategy: str, split_type: str, most: int, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        PayloadMaker(strategy, split_type, most)


@given(
    records=st.lists(
        st.binary(max_size=40).map(lambda data: data.replace(b"\n", b"")), max_size=60
    ),
    sizes=st.lists(st.integers(0, 9), max_size=20),
    most=st.integers(1, 60),
    strategy=st.sampled_from(["MultiRecord", "SingleRecord"]),
    split_type=st.sampled_from(sorted(FORMATS)),
)
def test_every_record_is_in_one_payload_or_has_failed(
    records: list[bytes], sizes: list[int], most: int, strategy: str, split_type: str
) -> None:
    cut = cut_all(PayloadMaker(strategy, split_type, most), chunks_of(records, *sizes))
    found = {failure.record: None for failure in cut.failures}
    for payload in cut.payloads:
        for position, record in enumerate(payload.records):
            found[payload.first_record + position] = record
            assert payload.offsets[position] == 100 + payload.first_record + position
    assert sorted(found) == list(range(len(records)))
    assert all(record in (None, records[number]) for number, record in found.items())
    if strategy == "SingleRecord":
        assert all(
            len(records[number]) > most for number, record in found.items() if record is None
        )
        return
    requests = [request_size(payload, split_type) for payload in cut.payloads]
    assert all(size <= most for size in requests)
    for before, after in pairwise(cut.payloads):
        next_record = before.first_record + len(before.records)
        if after.first_record == next_record:  # then what fits was not cut in two
            joined = replace(before, records=[*before.records, after.records[0]])
            assert request_size(joined, split_type) > most
    in_one_chunk = cut_all(PayloadMaker(strategy, split_type, most), chunks_of(records))
    assert [payload.records for payload in in_one_chunk.payloads] == [
        payload.records for payload in cut.payloads
    ]
