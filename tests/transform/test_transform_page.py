"""Does what docs/transform.md says: every example, in its order, in one directory."""

from __future__ import annotations

import re
from pathlib import Path

import boto3
import pytest

from tests.test_readme import FENCE, Block, Reader

PAGE = Path(__file__).parent.parent.parent / "docs" / "transform.md"


@pytest.mark.timeout(600)
def test_every_example_does_what_it_says(aws: str, tmp_path: Path) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="my-bucket")
    reader = Reader(tmp_path)
    text = PAGE.read_text()
    for found in FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        reader.follow(Block(line, found[1], found[2], found[3]))

    def result(key: str) -> bytes:
        return s3.get_object(Bucket="my-bucket", Key=key)["Body"].read()

    assert (tmp_path / "sums" / "a.csv.out").read_bytes() == b"3.0\n7.0\n"
    assert result("request/a.csv.out") == b'{"predictions":[3.0]}\n{"predictions":[7.0]}\n'
    listed = s3.list_objects_v2(Bucket="my-bucket", Prefix="request/.smtf-transform/")["Contents"]
    names = {entry["Key"].rpartition("/")[2] for entry in listed}
    assert {"job.json", "job.log", "report.html"} <= names


def test_every_flag_is_on_the_page() -> None:
    from sagemaker_tensorflow.cli import make_parser

    (subparsers,) = (action for action in make_parser()._actions if action.dest == "==SUPPRESS==")
    flags = set(subparsers.choices["transform"]._option_string_actions)  # type: ignore[index]
    known = {"--help", "--verbose", "--quiet", "--region", "--endpoint-url", "--anonymous"}
    named = set(re.findall(r"--[a-z][a-z-]*[a-z]", PAGE.read_text()))
    assert {flag for flag in flags if flag.startswith("--")} - known <= named
    assert named <= flags


def test_sections_that_the_page_points_to() -> None:
    text = PAGE.read_text()
    titles = re.findall(r"^## (.+)$", text, re.M)
    anchors = {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}
    named = set(re.findall(r"\]\(#([\w-]+)\)", text))
    assert named <= anchors
