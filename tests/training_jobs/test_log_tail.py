from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_tensorflow.training import log_tail
from sagemaker_tensorflow.training.log_tail import LogTail


def test_reads_what_is_added(tmp_path: Path) -> None:
    path = tmp_path / "log"
    tail = LogTail(path)
    assert tail.read(10) == b""
    path.write_bytes(b"12345")
    assert [tail.read(3), tail.read(3), tail.read(3)] == [b"123", b"45", b""]
    with path.open("ab") as file:
        file.write(b"6")
    assert tail.read(3) == b"6"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tail") / "log"


@given(
    data=st.lists(st.sampled_from([b"a", b"bb", b"\n"]), max_size=40).map(b"".join),
    count=st.integers(0, 12),
    block=st.integers(1, 7),
)
def test_begins_with_the_last_lines(path: Path, data: bytes, count: int, block: int) -> None:
    path.write_bytes(data)
    lines = data.splitlines(keepends=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_tail, "_BLOCK_BYTES", block)
        expected = b"".join(lines[max(0, len(lines) - count) :])
        assert LogTail(path, count).read(1000) == expected
