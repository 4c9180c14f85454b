from __future__ import annotations

import io
from pathlib import Path

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
