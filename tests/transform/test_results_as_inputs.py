from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.results_as_inputs import check_results_are_no_inputs
from sagemaker_tensorflow.transform.spec import TransformSpec
from tests.transform.inputs import make_object

OBJECTS = [make_object("a.csv"), make_object("sub/b.csv", 1)]


def check(source: str, target: str, data_type: str = "S3Prefix") -> None:
    check_results_are_no_inputs(
        TransformSpec("model", source, target, data_type=data_type), OBJECTS
    )


@pytest.mark.parametrize(
    ("source", "target", "result"),
    [
        ("s3://bucket/data/", "s3://bucket/data", "s3://bucket/data/a.csv.out"),
        ("s3://bucket/data/", "s3://bucket/data/results", "s3://bucket/data/results/a.csv.out"),
        ("s3://bucket/data", "s3://bucket/data-results/", "s3://bucket/data-results/a.csv.out"),
        ("s3://bucket", "s3://bucket/results", "s3://bucket/results/a.csv.out"),
        ("s3://bucket/x/sub/b", "s3://bucket/x/", "s3://bucket/x/sub/b.csv.out"),
        ("s3://bucket/x/a.csv", "s3://bucket/x", "s3://bucket/x/a.csv.out"),
    ],
)
def test_what_a_prefix_matches(source: str, target: str, result: str) -> None:
    with pytest.raises(InvalidArgumentError, match=rf"the result {result} .*output path outside"):
        check(source, target)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("s3://bucket/data/", "s3://bucket/results"),
        ("s3://bucket/data/", "s3://bucket/data-results"),
        ("s3://bucket/data/", "s3://another/data/results"),
        ("s3://bucket/x/c", "s3://bucket/x"),
        ("s3://bucket/data/", "/data/results"),
        ("/s3:/bucket", "s3://bucket/data"),
    ],
)
def test_results_that_no_prefix_matches(source: str, target: str) -> None:
    check(source, target)


def test_manifests_name_no_results() -> None:
    check("s3://bucket/data/all.manifest", "s3://bucket/data/", data_type="ManifestFile")


@pytest.mark.parametrize("output", ["", "results", "deep/results", "../data/results"])
def test_folders(tmp_path: Path, output: str) -> None:
    data = tmp_path / "data"
    (data / "deep").mkdir(parents=True)
    with pytest.raises(InvalidArgumentError, match=r"a\.csv\.out would be an input"):
        check(str(data), (data / output).as_uri())


def test_folders_that_are_not_listed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to("data/results")
    (tmp_path / "one.csv").write_text("1,2\n")
    check(f"{tmp_path}/data/", f"{tmp_path}/results")
    check(f"{tmp_path}/data/", f"{tmp_path}/data/.results")
    check(f"{tmp_path}/one.csv", str(tmp_path))
    with pytest.raises(InvalidArgumentError):
        check(f"{tmp_path}/data/", f"{tmp_path}/link")
