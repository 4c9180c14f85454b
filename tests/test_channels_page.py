"""Does what docs/channels.md says: every example, in its order, in one directory."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest

from tests.test_readme import FENCE, Block, Reader

PAGE = Path(__file__).parent.parent / "docs" / "channels.md"


@pytest.mark.timeout(600)
def test_every_example_does_what_it_says(aws: str, tmp_path: Path) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="my-bucket")
    s3.put_object(Bucket="my-bucket", Key="train/part-0.tfrecord", Body=b"anything")
    reader = Reader(tmp_path)
    text = PAGE.read_text()
    for found in FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        reader.follow(Block(line, found[1], found[2].replace("\\\n", ""), found[3]))
    reader.end_streaming()
    config = json.loads((tmp_path / "input" / "config" / "inputdataconfig.json").read_text())
    assert set(config) == {"train-0", "train-1", "test"}
