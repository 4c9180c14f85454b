from __future__ import annotations

import os
import tarfile
from pathlib import Path

import boto3
import pytest

from sagemaker_tensorflow.errors import NotFoundError
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.training.artifacts import check_output, upload_archive
from sagemaker_tensorflow.training.job_output import JobOutput
from sagemaker_tensorflow.transform.output_store import open_output_store


def test_files_folders_and_links_without_owners(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "1" / "variables").mkdir(parents=True)
    (folder / "1" / "saved_model.pb").write_bytes(b"pb")
    (folder / "latest").symlink_to("1")
    (folder / "1" / "here").symlink_to(folder / "1" / "saved_model.pb")
    (folder / "1" / "there").symlink_to("/opt/ml/model/latest")
    (folder / "outside").symlink_to("/opt/ml/models")
    os.mkfifo(folder / "pipe")
    store = open_output_store(str(tmp_path / "out"))
    uri = upload_archive([folder], store, "model.tar.gz")
    assert uri == str(tmp_path / "out" / "model.tar.gz")
    with tarfile.open(uri) as tar:
        names = ["here", "saved_model.pb", "there", "variables"]
        assert tar.getnames() == ["1", *(f"1/{name}" for name in names), "latest", "outside"]
        assert {member.name: member.linkname for member in tar if member.issym()} == {
            "1/here": "saved_model.pb",
            "1/there": "../latest",
            "latest": "1",
            "outside": "/opt/ml/models",
        }
        assert {(member.uid, member.uname) for member in tar} == {(0, "")}


def test_an_empty_folder_makes_nothing(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    store = open_output_store(str(tmp_path / "out"))
    assert upload_archive([tmp_path / "model"], store, "model.tar.gz") is None
    assert not (tmp_path / "out").exists()


def test_of_several_hosts_the_first_ones_file_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for host, files in {
        "algo-1": {"1/saved_model.pb": "first", "notes": "a file"},
        "algo-2": {"1/saved_model.pb": "second", "1/extra": "more", "notes/deep": "a folder"},
    }.items():
        for name, text in files.items():
            (tmp_path / host / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / host / name).write_text(text)
    store = open_output_store(str(tmp_path / "out"))
    uri = upload_archive([tmp_path / "algo-1", tmp_path / "algo-2"], store, "model.tar.gz")
    assert uri is not None
    with tarfile.open(uri) as tar:
        assert tar.getnames() == ["1", "1/saved_model.pb", "notes", "1/extra"]
        tar.extractall(tmp_path / "back", filter="data")
    assert (tmp_path / "back/1/saved_model.pb").read_text() == "first"
    assert (tmp_path / "back/1/extra").read_text() == "more"
    assert "several hosts left 1/saved_model.pb, notes: the archive has" in caplog.text


@pytest.mark.parametrize("size", [1, 20 << 20])
def test_the_stores_error_is_the_one_that_is_raised(aws: str, tmp_path: Path, size: int) -> None:
    """Whether it comes with the last byte or in the middle, while files are being packed."""
    (tmp_path / "weights").write_bytes(os.urandom(size))
    store = open_output_store("s3://no-such-bucket/out")
    with pytest.raises(NotFoundError, match="NoSuchBucket"):
        upload_archive([tmp_path], store, "model.tar.gz")
    store.close()


def test_an_output_path_is_tried_without_a_trace(bucket: str, tmp_path: Path) -> None:
    check_output(JobOutput.below(f"s3://{bucket}/out", "job", S3Options()))
    s3 = boto3.client("s3")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    with pytest.raises(NotFoundError, match="NoSuchBucket"):
        check_output(JobOutput.below("s3://no-such-bucket/out", "job", S3Options()))
    check_output(JobOutput.below(str(tmp_path / "out"), "job", S3Options()))
    assert not list(tmp_path.iterdir())
    with pytest.raises(NotFoundError, match="/proc/out/job/output is tried"):
        check_output(JobOutput.below("/proc/out", "job", S3Options()))
