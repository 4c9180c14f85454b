from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from sagemaker_tensorflow.training.log_follower import LogFollower


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_one_host_is_copied_as_it_comes(tmp_path: Path) -> None:
    log = tmp_path / "algo-1.log"
    shown = io.StringIO()
    follower = LogFollower({"algo-1": log}, shown)
    follower.pump()
    append(log, "10 %\r20 % \N{GREEK SMALL LETTER ALPHA}".encode()[:-1])
    follower.pump()
    assert shown.getvalue() == "10 %\r20 % "
    append(log, "\N{GREEK SMALL LETTER ALPHA}".encode()[-1:] + b"\xff\n")
    follower.finish()
    assert shown.getvalue() == "10 %\r20 % \N{GREEK SMALL LETTER ALPHA}\N{REPLACEMENT CHARACTER}\n"


def test_of_several_hosts_whole_lines_are_shown(tmp_path: Path) -> None:
    logs = {host: tmp_path / f"{host}.log" for host in ("algo-1", "algo-2")}
    shown = io.StringIO()
    append(logs["algo-1"], b"old\nfirst\nse")
    follower = LogFollower(logs, shown, last_lines=2)
    follower.pump()
    append(logs["algo-2"], b"other\n")
    append(logs["algo-1"], b"cond\nlast")
    follower.pump()
    follower.finish()
    assert shown.getvalue().splitlines() == [
        "[algo-1] first",
        "[algo-1] second",
        "[algo-2] other",
        "[algo-1] last",
    ]


def test_what_the_stream_cannot_show(tmp_path: Path) -> None:
    shown = io.TextIOWrapper(io.BytesIO(), "ascii")
    append(tmp_path / "log", "caf\N{LATIN SMALL LETTER E WITH ACUTE}\n".encode())
    LogFollower(tmp_path / "log", shown).finish()
    shown.seek(0)
    assert shown.read() == "caf\\xe9\n"


def test_a_reader_that_is_gone_is_warned_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = tmp_path / "log"
    read_fd, write_fd = os.pipe()
    os.close(read_fd)
    with os.fdopen(write_fd, "wb", buffering=0) as pipe:
        stream = io.TextIOWrapper(pipe, write_through=True)
        follower = LogFollower(log, stream)
        for _ in range(2):
            append(log, b"line\n")
            follower.pump()
        follower.finish()
    assert follower.broken
    assert len(caplog.records) == 1
    assert "Broken pipe" in caplog.text
