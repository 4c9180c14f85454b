"""``smtf inspect``: the report, the exit status, and every kind of source."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sagemaker_tensorflow import _core
from sagemaker_tensorflow.cli import main
from tests.conftest import PutObjects

RECORDS = [b"plain text", b"\x00\x01binary", "überall".encode() * 10, b""]


def encode(record_format: str, records: list[bytes] = RECORDS) -> bytes:
    return b"".join(_core.encode_record(record_format, record) for record in records)


def damaged(records: list[bytes], index: int) -> bytes:
    """TFRecords with a flipped bit in the payload of one."""
    data = bytearray(encode("TFRecord", records))
    data[len(encode("TFRecord", records[:index])) + 12] ^= 1
    return bytes(data)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.tfrecord"
    path.write_bytes(encode("TFRecord"))
    return path


def inspect_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    status = main(["inspect", *arguments, "--json"])
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert status == (1 if report["failures"] else 0)
    return report


@pytest.mark.parametrize("record_format", ["RecordIO", "TFRecord", "TextLine"])
def test_report(record_format: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "data"
    path.write_bytes(encode(record_format))
    report = inspect_json(capsys, str(path), "--format", record_format, "--first", "9")
    assert report["records"] == 4
    assert report["objects"] == 1
    assert (report["min_bytes"], report["max_bytes"]) == (0, 80)
    assert report["total_bytes"] == sum(map(len, RECORDS))
    assert report["mean_bytes"] == sum(map(len, RECORDS)) / 4
    assert not report["stopped_early"]
    shown = report["first"]
    assert [record["index"] for record in shown] == [0, 1, 2, 3]
    assert [record["bytes"] for record in shown] == [len(record) for record in RECORDS]
    assert shown[1]["offset"] == len(encode(record_format, RECORDS[:1]))
    assert shown[0]["text"] == "plain text"
    assert (shown[1]["text"], shown[1]["hex"]) == (None, "00 01 62 69 6e 61 72 79")
    assert shown[2]["text"].startswith("überallüber")
    assert shown[3]["text"] == ""


def test_text_report(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(data), "--format", "TFRecord", "--first", "2"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.splitlines() == [
        f"{data}: 4 TFRecord records in 1 object",
        "  bytes: min 0, mean 24.5, max 80, total 98",
        "  record 0 at byte 0, 10 bytes: 'plain text'",
        "  record 1 at byte 26, 8 bytes: 00 01 62 69 6e 61 72 79",
    ]


def test_preview_holds_no_terminal_codes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "data"
    path.write_bytes(encode("TextLine", [b"\x1b[31mred"]))
    assert main(["inspect", str(path), "--format", "TextLine"]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_preview_cut_inside_a_character(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "data"
    path.write_bytes(encode("TextLine", [b"x" * shift + "€".encode() * 40 for shift in range(3)]))
    report = inspect_json(capsys, str(path), "--format", "TextLine")
    for shift, record in enumerate(report["first"]):
        assert set(record["text"][shift:]) == {"€"}


def test_max_records(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = inspect_json(capsys, str(data), "--format", "TFRecord", "--max-records", "2")
    assert report["records"] == 2
    assert report["stopped_early"]


def test_corruption(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "data"
    path.write_bytes(damaged(RECORDS, 2))
    assert main(["inspect", str(path), "--format", "TFRecord"]) == 1
    shown = capsys.readouterr()
    assert "2 TFRecord records in 1 object" in shown.out
    assert "record 2 at byte 50" in shown.err
    assert "CRC-32C" in shown.err
    assert "fine before it: 2" in shown.err


def test_truncation_and_wrong_format(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data.write_bytes(data.read_bytes()[:-1])
    report = inspect_json(capsys, str(data), "--format", "TFRecord")
    assert "cut short" in report["failures"][0]["message"]
    report = inspect_json(capsys, str(data), "--format", "RecordIO")
    assert "check record_format" in report["failures"][0]["message"]
    assert report["records"] == 0
    assert report["mean_bytes"] is None


def test_gzip(tmp_path: Path, put_objects: PutObjects, capsys: pytest.CaptureFixture[str]) -> None:
    compressed = gzip.compress(encode("TFRecord"))
    (tmp_path / "whole").write_bytes(compressed)
    unpack = ("--format", "TFRecord", "--compression", "Gzip")
    assert inspect_json(capsys, str(tmp_path / "whole"), *unpack)["records"] == len(RECORDS)
    uri = put_objects({"cut": compressed[:-9], "plain": encode("TFRecord"), "whole": compressed})
    report = inspect_json(capsys, uri, *unpack)
    assert report["records"] >= len(RECORDS)
    cut, plain = (failure["message"] for failure in report["failures"])
    assert cut.startswith(f"decompressing {uri}/cut: Compressed file ended")
    assert plain.startswith(f"decompressing {uri}/plain: Not a gzipped file")
    report = inspect_json(capsys, str(tmp_path / "missing"), *unpack)
    assert "missing: No such file" in report["failures"][0]["message"]


def test_an_object_of_s3_is_called_by_its_uri(
    put_objects: PutObjects, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = put_objects({"text": b"no record of any kind"})
    report = inspect_json(capsys, uri, "--format", "TFRecord")
    assert report["failures"][0]["message"].startswith(f"'{uri}/text': record 0 at byte 0: ")


def test_max_record_bytes(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (str(data), "--format", "TFRecord", "--max-record-bytes", "79")
    report = inspect_json(capsys, *arguments)
    assert report["failures"][0]["records_before"] == 2


def test_folder_goes_on_behind_a_broken_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "a").write_bytes(encode("TFRecord"))
    (tmp_path / "b").write_bytes(damaged(RECORDS, 1))
    (tmp_path / "more" / "c").write_bytes(encode("TFRecord"))
    report = inspect_json(capsys, tmp_path.as_uri(), "--format", "TFRecord", "--first", "5")
    assert report["objects"] == 3
    assert report["records"] == 4 + 1 + 4
    assert [Path(record["object"]).name for record in report["first"]] == ["a"] * 4 + ["b"]
    (failure,) = report["failures"]
    assert failure["object"] == str(tmp_path / "b")
    assert failure["records_before"] == 1
    assert failure["byte_offset"] == 26


def test_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(tmp_path / "nothing"), "--format", "TFRecord"]) == 1
    assert "nothing: No such file" in capsys.readouterr().err


def test_fifo(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    command = [sys.executable, "-m", "sagemaker_tensorflow.cli", "inspect", str(path)]
    with subprocess.Popen([*command, "--format", "TFRecord"], stdout=subprocess.PIPE) as process:
        path.write_bytes(encode("TFRecord"))
        out, _ = process.communicate()
    assert process.returncode == 0
    assert b"4 TFRecord records" in out


def test_standard_input() -> None:
    command = [sys.executable, "-m", "sagemaker_tensorflow.cli", "inspect", "-", "--json"]
    done = subprocess.run(
        [*command, "--format", "RecordIO"],
        input=encode("RecordIO"),
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["records"] == 4
    done = subprocess.run(
        [*command, "--format", "RecordIO"],
        input=encode("RecordIO")[:-1],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"<stdin>" in done.stderr or b"standard input" in done.stderr


def test_standard_input_within_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(encode("TextLine"))))
    assert inspect_json(capsys, "-", "--format", "TextLine")["records"] == 4


class TestS3:
    def test_prefix(self, put_objects: PutObjects, capsys: pytest.CaptureFixture[str]) -> None:
        uri = put_objects(
            {
                "train/a": encode("TFRecord"),
                "train/b": damaged(RECORDS, 3),
                "train/c": encode("TFRecord", [b"x" * 300_000]),
                "other": b"not looked at",
            }
        )
        report = inspect_json(capsys, f"{uri}/train/", "--format", "TFRecord")
        assert report["objects"] == 3
        assert report["records"] == 4 + 3 + 1
        assert report["max_bytes"] == 300_000
        (failure,) = report["failures"]
        assert failure["object"] == f"{uri}/train/b"
        assert f"{uri}/train/b" in failure["message"]

    def test_nothing_there(
        self, put_objects: PutObjects, capsys: pytest.CaptureFixture[str]
    ) -> None:
        uri = put_objects({"a": b""})
        assert main(["inspect", f"{uri}/missing", "--format", "TFRecord"]) == 1
        assert "'missing'" in capsys.readouterr().err

    def test_unreachable(self, aws: str, capsys: pytest.CaptureFixture[str]) -> None:
        arguments = ["s3://bucket/x", "--format", "TFRecord", "--endpoint-url"]
        assert main(["inspect", *arguments, "http://127.0.0.1:9"]) == 1
        assert "127.0.0.1:9" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["x"],
        ["x", "--format", "CSV"],
        ["x", "--format", "TFRecord", "--first", "-1"],
        ["x", "--format", "TFRecord", "--max-record-bytes", "0"],
    ],
)
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["inspect", *arguments])
    assert caught.value.code == 2
