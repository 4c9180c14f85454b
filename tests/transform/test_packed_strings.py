from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_tensorflow import op_library
from sagemaker_tensorflow.transform.packed_strings import PackedStrings, joined
from sagemaker_tensorflow.transform.payloads import PayloadMaker
from sagemaker_tensorflow.transform.records import InputObject, RecordChunk
from sagemaker_tensorflow.transform.tensor_specs import packs_strings, to_tensor
from tests.record_samples import encode
from tests.transform import tf_models
from tests.transform.whole_jobs import run, save_doubler, write_files

SOURCE = InputObject(0, "file:///a", "/a", "a", 0, "")
pieces = st.lists(st.lists(st.binary(max_size=5), max_size=4), max_size=4)


def packed(strings: Sequence[bytes], before: bytes = b"..") -> PackedStrings:
    """In memory that begins with something else, as slices have it."""
    data = np.frombuffer(before + b"".join(strings), np.uint8)
    ends = np.cumsum([len(before), *map(len, strings)], dtype=np.int64)
    return PackedStrings([(data, ends)])


@given(pieces, st.integers(-3, 17), st.integers(-3, 17))
def test_they_are_a_sequence_of_bytes(several: list[list[bytes]], start: int, stop: int) -> None:
    strings = [string for some in several for string in some]
    all_of_them = joined(packed(some) for some in several)
    assert list(all_of_them) == strings
    assert all_of_them.shape == (len(all_of_them),) == (len(strings),)
    assert all_of_them.nbytes == sum(map(len, strings))
    assert all_of_them.lengths().tolist() == [*map(len, strings)]
    assert list(all_of_them[start:stop]) == strings[start:stop]
    assert all_of_them[start:stop].nbytes == sum(map(len, strings[start:stop]))
    assert [all_of_them[index] for index in range(-len(strings), len(strings))] == strings * 2
    assert np.concatenate([all_of_them, np.array([b"x"], object)]).tolist() == [*strings, b"x"]
    all_of_them += packed([b"y", b""])
    assert list(all_of_them) == [*strings, b"y", b""]


def test_what_they_do_not_have() -> None:
    with pytest.raises(IndexError):
        packed([b"a"])[1]
    with pytest.raises(ValueError, match="steps of 1"):
        packed([b"a", b"b"])[::2]


@given(pieces)
def test_payloads_are_those_of_lists(chunks: list[list[bytes]]) -> None:
    def cut(as_they_are: bool) -> list[tuple[int, list[bytes], list[int]]]:
        maker = PayloadMaker("MultiRecord", "TFRecord", 40)
        found, first = [], 0
        for number, records in enumerate(chunks):
            chunk = RecordChunk(
                SOURCE,
                first,
                list(records) if as_they_are else packed(records),
                [first + index for index in range(len(records))],
                number == len(chunks) - 1,
            )
            first += len(records)
            for payload in maker.add(chunk).payloads:
                assert isinstance(payload.records, list if as_they_are else PackedStrings)
                found.append((payload.first_record, [*payload.records], [*payload.offsets]))
        return found

    assert cut(as_they_are=False) == cut(as_they_are=True)


def test_they_become_a_tensor() -> None:
    strings = [b"", b"a", bytes(range(256)), b"x" * 100_000]
    parts = joined([packed(strings), packed(strings)[1:3], packed(strings[:1])])
    tensor = to_tensor(parts, tf.string)  # type: ignore[arg-type]
    assert tensor.numpy().tolist() == [*strings, *strings[1:3], b""]


@given(pieces, st.integers(0, 4))
def test_they_come_in_few_pieces(several: list[list[bytes]], most: int) -> None:
    few = joined(packed(some) for some in several).in_few_pieces(most)
    assert len(few) <= max(1, most)
    assert list(PackedStrings(few)) == [string for some in several for string in some]


def test_many_pieces_become_a_tensor() -> None:
    strings = [str(number).encode() * (number % 3) for number in range(100)]
    tensor = to_tensor(joined(packed([string]) for string in strings), tf.string)  # type: ignore[arg-type]
    assert tensor.numpy().tolist() == strings


@pytest.mark.parametrize("ends", [[], [0, 4], [2, 1], [-1, 2]])
def test_the_op_reads_nothing_beside_its_data(ends: list[int]) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="SmtfCutStrings"):
        op_library.load().smtf_cut_strings(
            data=[np.zeros(3, np.uint8)], ends=[np.array(ends, np.int64)]
        )


@pytest.fixture
def no_op_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where the library should be is something that cannot even be read."""
    broken = tmp_path / "_pipe_op.so"
    broken.mkdir()
    monkeypatch.setattr(op_library, "_PATH", broken)
    monkeypatch.setattr(op_library, "load", op_library.load.__wrapped__)
    packs_strings.cache_clear()
    yield
    packs_strings.cache_clear()


@pytest.mark.usefixtures("no_op_library")
def test_jobs_do_without_a_library_that_does_not_load(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Those that have no strings to pack do not even look for it."""
    model = save_doubler(tmp_path / "doubler")
    source = write_files(tmp_path / "csv", {"a": b"1,2\n"})
    assert run(model, source, tmp_path / "csv_out").status == "Completed"
    assert caplog.messages == []

    model = str(tf_models.string_export(tmp_path / "echo"))
    source = write_files(tmp_path / "records", {"a": encode("TFRecord", [b"x", b"yz"])})
    settings = {"content_type": "application/octet-stream", "split_type": "TFRecord"}
    for output in (tmp_path / "first", tmp_path / "second"):
        run(model, source, output, accept="application/jsonlines", **settings)
        lines = (output / "a.out").read_text().splitlines()
        assert lines == ['{"size":1,"upper":"X"}', '{"size":2,"upper":"YZ"}']
    [message] = caplog.messages
    assert "IsADirectoryError" in message
