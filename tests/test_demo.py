from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("clean_aws")
def test_digits_is_learnt_from_a_stream() -> None:
    ran = subprocess.run([sys.executable, EXAMPLES / "digits.py"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    accuracy = re.search(r"held-out accuracy (\d\.\d+)", ran.stdout)
    assert accuracy is not None
    assert float(accuracy[1]) > 0.95
    rate = re.search(r"streaming rate +(\d+\.\d) MB/s", ran.stdout)
    assert rate is not None
    assert float(rate[1]) > 0
    assert "Traceback" not in ran.stderr


@pytest.mark.timeout(600)
def test_digits_in_a_bucket_of_the_users(bucket: str) -> None:
    ran = subprocess.run(
        [sys.executable, EXAMPLES / "digits.py", "--epochs", "1", "--s3", f"s3://{bucket}/some/x/"],
        capture_output=True,
        text=True,
    )
    assert ran.returncode in (0, 1), ran.stderr  # one epoch may be too few for the accuracy
    assert "held-out accuracy" in ran.stdout
    assert f"to s3://{bucket}/some/x\n" in ran.stdout


def test_first_batch_from_a_folder(tmp_path: Path) -> None:
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord")) as writer:
        for number in range(40):
            writer.write(b"record %d" % number)
    ran = subprocess.run(
        [sys.executable, EXAMPLES / "stream_folder.py", tmp_path], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert "record 31" in ran.stdout
    assert "record 32" not in ran.stdout


def test_whole_batches_are_parsed() -> None:
    command = [sys.executable, EXAMPLES / "parse_records.py", "--records", "2000"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    for channel in ("examples", "protobuf"):
        assert f"{channel}: 2000 records, mean label 4.500, " in ran.stdout
