"""parse_recordio_protobuf against the SDK's writers, and against protobuf itself."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sagemaker_tensorflow import PipeModeDataset, op_library, parse_recordio_protobuf
from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.records import open_records
from sagemaker_tensorflow.transform.decoders.record_protobuf import record_message
from tests.recordio_protobuf.encoding import entry, field, numbers, record, value
from tests.recordio_protobuf.sdk_arrays import Written, written

STREAMS = json.loads((Path(__file__).parent / "sdk_records.json").read_text())["streams"]
WRITTEN = written()
PAIR = tf.TensorSpec([2])
WIDE = tf.SparseTensorSpec([1 << 40])


def floats(*values: float, **others: Any) -> bytes:
    """A Value of float32."""
    return value("float32", values, **others)


def as_stored(array: np.ndarray) -> np.ndarray:
    """The SDK writes numpy's int64 as int32."""
    return array.astype(np.int32) if array.dtype == np.int64 else array


def same_bits(parsed: tf.Tensor, array: np.ndarray) -> bool:
    expected = as_stored(array)
    assert parsed.dtype == expected.dtype
    assert parsed.shape == expected.shape
    return bool(parsed.numpy().tobytes() == expected.tobytes())


def check_labels(case: Written, records: list[bytes]) -> None:
    if case.labels is None:
        return
    spec = tf.TensorSpec([], as_stored(case.labels).dtype)
    _, labels = parse_recordio_protobuf(records, {}, spec)
    assert same_bits(labels, case.labels)


@pytest.mark.parametrize("name", STREAMS)
def test_what_the_sdk_writes(name: str) -> None:
    case = WRITTEN[name]
    array = as_stored(case.array)
    with open_records(io.BytesIO(bytes.fromhex(STREAMS[name])), "RecordIO") as reader:
        records = list(reader)
    check_labels(case, records)
    # Also a sparse tensor can be had as a dense one.
    dense = parse_recordio_protobuf(records, tf.TensorSpec(array.shape[1:], array.dtype))
    expected = array[: len(records)]
    assert same_bits(dense, expected)
    if not case.sparse:
        return
    sparse = parse_recordio_protobuf(records, tf.SparseTensorSpec(array.shape[1:], array.dtype))
    assert sparse.dense_shape.numpy().tolist() == list(expected.shape)
    assert np.array_equal(sparse.indices, np.argwhere(expected))
    assert same_bits(sparse.values, expected[expected != 0])


def test_every_written_stream_is_here() -> None:
    assert set(STREAMS) == set(WRITTEN)


def test_several_names_in_any_order_beside_what_nobody_asked_for() -> None:
    first = record({"a": floats(1, 2), "b": value("int32", [3]), "c": field(9, b"")})
    second = record({"z": floats(7), "b": value("int32", [-4])}) + field(3, b"uid")
    second += record({"a": floats(5, 6)}, {"a": value("float64", [8])})
    features, labels = parse_recordio_protobuf(
        [first + entry(2, "a", value("float64", [0.5])), second],
        {"b": tf.TensorSpec([1], tf.int32), "a": PAIR},
        {"a": tf.TensorSpec([], tf.float64)},
    )
    assert list(features) == ["b", "a"]
    assert features["a"].numpy().tolist() == [[1, 2], [5, 6]]
    assert features["b"].numpy().tolist() == [[3], [-4]]
    assert labels["a"].numpy().tolist() == [0.5, 8]


def test_keys_are_places_in_c_order() -> None:
    records = [
        record({"values": floats(1, 2, keys=[11, 0], shape=[3, 4])}),
        record({"values": floats(shape=[12])}),
        record({"values": floats(3, keys=[5])}),
    ]
    parsed = parse_recordio_protobuf(records, tf.SparseTensorSpec([3, 4]))
    assert parsed.indices.numpy().tolist() == [[0, 0, 0], [0, 2, 3], [2, 1, 1]]
    assert parsed.values.numpy().tolist() == [2, 1, 3]
    assert parsed.dense_shape.numpy().tolist() == [3, 3, 4]
    dense = parse_recordio_protobuf(records, tf.TensorSpec([3, 4]))
    assert np.array_equal(dense, tf.sparse.to_dense(parsed))


KINDS = ("float32", "float64", "int32")
VALUES = st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4)
KEYS = st.lists(st.integers(0, 2**40 - 1) | st.integers(0, 300), max_size=4)
# A tensor in pieces, each packed or not, among fields that no tensor has.
PIECES = st.lists(
    st.builds(numbers, st.just(2), st.just("keys"), KEYS, st.booleans())
    | st.builds(field, st.integers(4, 300), st.binary(max_size=3))
    | VALUES,
    max_size=3,
)


@st.composite
def tensors(draw: st.DrawFn) -> bytes:
    """A Value, whose oneof may be there more than once, in pieces that protobuf merges."""
    content = b""
    for kind in draw(st.lists(st.sampled_from(KINDS), max_size=2)):
        tensor = b""
        for piece in draw(PIECES):
            packed = draw(st.booleans())
            tensor += piece if isinstance(piece, bytes) else numbers(1, kind, piece, packed)
        content += field({"float32": 2, "float64": 3, "int32": 7}[kind], tensor)
    return content


@st.composite
def records_of_any_form(draw: st.DrawFn) -> bytes:
    """Entries may repeat a key, have it behind the value, or leave either out."""
    content = b""
    for _ in range(draw(st.integers(0, 3))):
        parts = [field(1, draw(st.sampled_from([b"values", b"other"])))] * draw(st.integers(0, 2))
        parts += [field(2, draw(tensors())) for _ in range(draw(st.integers(0, 2)))]
        content += field(draw(st.integers(1, 2)), b"".join(draw(st.permutations(parts))))
    return content


@settings(max_examples=150, deadline=None)
@given(records_of_any_form())
@example(record({"values": floats(5, 6, keys=[1, 0])}))
def test_what_protobuf_reads(content: bytes) -> None:
    """Values, keys and what is there at all are what protobuf's own parser finds."""
    message = record_message().FromString(content)
    for names, place in ((message.features, 0), (message.label, 1)):
        kind = names["values"].WhichOneof("value") if "values" in names else None
        for dtype in KINDS:
            stored = getattr(names["values"], kind) if kind == f"{dtype}_tensor" else None
            dense = tf.TensorSpec([len(stored.values) if stored else 0], dtype)
            sparse = tf.SparseTensorSpec([1 << 40], dtype)
            for spec in (dense, sparse):
                asked = [{}, {}]
                asked[place] = {"values": spec}
                try:
                    parsed = parse_recordio_protobuf([content], *asked)[place]["values"]
                except tf.errors.InvalidArgumentError as error:
                    assert not can_be_had(stored, spec), error
                    continue
                assert can_be_had(stored, spec)
                if spec is dense:
                    assert parsed.numpy()[0].tolist() == in_their_places(stored)
                else:
                    found = dict(
                        zip(parsed.indices.numpy()[:, 1], parsed.values.numpy(), strict=True)
                    )
                    assert found == dict(zip(stored.keys, stored.values, strict=True))


def can_be_had(stored: Any, spec: tf.TensorSpec | tf.SparseTensorSpec) -> bool:
    if stored is None:
        return False
    if isinstance(spec, tf.TensorSpec) and not len(stored.keys):
        return True
    fit = {key for key in stored.keys if key < spec.shape.num_elements()}
    return len(stored.keys) == len(stored.values) == len(fit)


def in_their_places(stored: Any) -> list[float]:
    """The numbers of a dense tensor that has one for each value."""
    places = dict(zip(stored.keys or range(len(stored.values)), stored.values, strict=True))
    return [places[place] for place in range(len(stored.values))]


@pytest.mark.parametrize(
    ("content", "spec", "message"),
    [
        (
            record({"b": floats(1)}, {"y": floats(2)}),
            PAIR,
            "no feature 'values'; the record has features 'b'; labels 'y'",
        ),
        (b"", PAIR, "no feature 'values'; the record has no features; no labels"),
        (record({"values": b""}), PAIR, "feature 'values' holds nothing; float32 was asked for"),
        (record({"values": field(9, b"")}), PAIR, "holds bytes; float32 was asked for"),
        (record({"values": value("float64", [1, 2])}), PAIR, "holds float64; float32 was asked"),
        (record({"values": floats(1, 2, 3)}), PAIR, "has 3 values; shape [2] takes 2"),
        (record({"values": floats()}), PAIR, "has 0 values; shape [2] takes 2"),
        (record({"values": floats(1, 2, shape=[3])}), PAIR, "has shape [3]; [2] was asked for"),
        (record({"values": floats(1, 2, keys=[0])}), PAIR, "has 1 keys and 2 values"),
        (
            record({"values": floats(1, keys=[2])}),
            PAIR,
            "has the key 2; shape [2] takes keys below 2",
        ),
        (record({"values": floats(1, 2)}), WIDE, "has 2 values without keys: a dense tensor; ask"),
        (record({"values": floats(1, 2, keys=[7, 7])}), WIDE, "has the key 7 twice"),
        (record({"values": floats(1, keys=[1 << 63])}), WIDE, "has the key 9223372036854775808; "),
        (record({"values": floats(1, keys=[1], shape=[1 << 33, 1 << 33])}), WIDE, "was asked for"),
        (
            record({"values": field(2, field(1, b"abc"))}),
            PAIR,
            "feature 'values' is no float32 tensor: 3 bytes of values of 4 bytes each",
        ),
        (
            record({"values": field(7, field(1, b"\xff" * 10 + b"\1"))}),
            tf.TensorSpec([1], tf.int32),
            "is no int32 tensor: a varint is longer than 64 bits",
        ),
        (
            record({"values": field(7, field(1, b"\xff"))}),
            tf.TensorSpec([1], tf.int32),
            "is no int32 tensor: the bytes end inside a varint",
        ),
        (b"some text", PAIR, "its 9 bytes are no aialgs.data.Record: "),
        (b"\x0a\x7f", PAIR, "a field takes 127 bytes and 0 are left; check record_format"),
        (b"\x0b\x0c", PAIR, "field 1 has wire type 3, which is none of 0, 1, 2 and 5"),
    ],
)
def test_errors_name_the_record_and_the_feature(content: bytes, spec: Any, message: str) -> None:
    good = record({"values": value(spec.dtype.name, [0] * 2, keys=[0, 1])})
    if spec.shape == [1]:
        good = record({"values": value(spec.dtype.name, [0])})
    parse_recordio_protobuf([good, good], spec)
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        parse_recordio_protobuf([good, content, good, content], spec)
    assert "record 1 of 4: " in raised.value.message
    assert message in raised.value.message


def test_the_first_bad_record_of_a_large_batch() -> None:
    """Threads come to bad records in any order; the message does not depend on it."""
    content = [record({"values": floats(index, -index)}) for index in range(40_000)]
    parsed = parse_recordio_protobuf(content, PAIR)
    assert np.array_equal(parsed[:, 0], np.arange(40_000))
    for index in (39_999, 20_001, 12_345):
        content[index] = b"\xff"
    with pytest.raises(tf.errors.InvalidArgumentError, match="record 12345 of 40000: its 1 bytes"):
        parse_recordio_protobuf(content, PAIR)


def test_shapes_are_known_in_graphs_and_no_records_are_a_batch() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def parse(records: tf.Tensor) -> Any:
        dense, sparse = parse_recordio_protobuf(
            records, {"values": tf.TensorSpec([2, 3])}, tf.SparseTensorSpec([4, 5], tf.int32)
        )
        assert dense["values"].shape.as_list() == [None, 2, 3]
        assert sparse.indices.shape.as_list() == [None, 3]
        assert sparse.shape.rank == 3
        return dense["values"], sparse

    dense, sparse = parse(tf.zeros([0], tf.string))
    assert dense.shape == [0, 2, 3]
    assert sparse.dense_shape.numpy().tolist() == [0, 4, 5]
    with pytest.raises(ValueError, match="rank 1"):
        tf.function(lambda: parse_recordio_protobuf(tf.constant("one"), PAIR))()
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"records must have the shape \[N\]"):
        parse_recordio_protobuf(tf.constant("one"), PAIR)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (tf.TensorSpec([None]), r"features\['values'\] has shape \(None,\); give all sizes"),
        (tf.TensorSpec(None), "has shape <unknown>"),
        (tf.TensorSpec([2], tf.int64), "has dtype int64; the tensors of a record are float32"),
        (tf.SparseTensorSpec([]), r"is sparse and has no dimensions; ask for \[1\]"),
        (tf.float32, "must be a tf.TensorSpec or a tf.SparseTensorSpec, not tf.float32"),
    ],
)
def test_specs_that_cannot_be_asked_for(spec: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        parse_recordio_protobuf([b""], spec)


def test_graphs_that_this_module_would_not_make_are_refused() -> None:
    """A saved graph may hold any attributes; none may make the kernel write out of bounds."""
    content = record({"values": floats(1, keys=[0])})
    ops = op_library.load()
    lists = {
        f"{prefix}_{part}": []
        for prefix in ("dense", "sparse")
        for part in ("maps", "names", "types", "shapes")
    }
    one = {"sparse_maps": ["features"], "sparse_names": ["values"], "sparse_types": [tf.float32]}
    for attributes, message in [
        ({**lists, **one, "sparse_shapes": [[]]}, "is sparse and its shape has no dimensions"),
        ({**lists, **one}, "must have one entry for each tensor"),
    ]:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            ops.smtf_parse_record_protobuf(records=[content], num_sparse=1, **attributes)


SERVE = """
import sys
import tensorflow as tf
from sagemaker_tensorflow import parse_recordio_protobuf
model = tf.saved_model.load(sys.argv[1])
print(model.parse(tf.constant([bytes.fromhex(sys.argv[2])])).numpy().tolist())
"""


def test_from_a_pipe_through_a_map_and_out_of_a_saved_graph(tmp_path: Path) -> None:
    (tmp_path / "inputdataconfig.json").write_text('{"c": {"TrainingInputMode": "Pipe"}}')
    (tmp_path / "c_0").write_bytes(bytes.fromhex(STREAMS["dense_float32"]))
    dirs = dict.fromkeys(("pipe_dir", "state_dir", "config_dir"), tmp_path)
    specs = (tf.TensorSpec([3]), tf.TensorSpec([]))
    dataset = PipeModeDataset("c", "RecordIO", batch_size=2, **dirs).map(
        lambda records: parse_recordio_protobuf(records, *specs), num_parallel_calls=2
    )
    features, labels = (np.concatenate(rows) for rows in zip(*dataset, strict=True))
    case = WRITTEN["dense_float32"]
    assert np.array_equal(features, case.array)
    assert np.array_equal(labels, case.labels)

    module = tf.Module()
    module.parse = tf.function(
        lambda records: parse_recordio_protobuf(records, PAIR),
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    tf.saved_model.save(module, str(tmp_path / "saved"))
    command = [sys.executable, "-c", SERVE, str(tmp_path / "saved")]
    content = record({"values": floats(0.5, math.inf)})
    served = subprocess.run(
        [*command, content.hex()], capture_output=True, text=True, check=True, timeout=100
    )
    assert served.stdout.strip() == "[[0.5, inf]]"
