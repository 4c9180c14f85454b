"""Whole jobs that meet with trouble: what is written, what is said, and that no process stays."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

import boto3
import numpy as np
import pytest

from sagemaker_tensorflow._core import encode_record
from sagemaker_tensorflow.errors import (
    InternalError,
    NotFoundError,
    PermissionDeniedError,
    PipeModeDatasetException,
)
from tests.conftest import PutObjects
from tests.faults.conftest import ServeS3, s3, serve  # noqa: F401 - fixtures
from tests.faulty_s3 import Fault, FaultyS3
from tests.transform.whole_jobs import (
    LeftBehind,
    run,
    save_doubler,
    write_files,
    written,
)

GOOD = {"a.csv": b"1,2\n3,4\n", "c.csv": b"5,6\n"}
GOOD_RESULTS = {"a.csv.out": b"2.0,4.0\n6.0,8.0\n", "c.csv.out": b"10.0,12.0\n"}
DOUBLED_PAIR = b"2.0,4.0\n6.0,8.0\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_doubler(tmp_path_factory.mktemp("doubler"))


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="smtf-test-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        monkeypatch.setenv("TMPDIR", folder)
        left = LeftBehind(Path(folder))
        yield
        left.check()


def job_json(output: Path) -> dict[str, object]:
    record: dict[str, object] = json.loads(
        (output / ".smtf-transform" / "test" / "job.json").read_text()
    )
    return record


def errors_of(output: Path, name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (output / f"{name}.errors.jsonl").read_text().splitlines()]


# Bad records. Each kind: what is in the object, the index and the offset of the bad record, and a
# word of the reason. The other two records are 1,2 and 3,4.

BAD_RECORDS = {
    "undecodable": (b"1,2\nx,y\n3,4\n", 1, 4, "x"),
    "too few columns": (b"7\n1,2\n3,4\n", 0, 0, "column"),
    "over the bound": (b"1,2\n3,4\n" + b"1." + b"0" * (1 << 20) + b",2\n", 2, 8, "max_payload"),
    "refused by the model": (b"1,2\n-1,4\n3,4\n", 1, 4, "does not like -1"),
}


KINDS = [*[(kind, "MultiRecord") for kind in BAD_RECORDS], ("refused by the model", "SingleRecord")]


@pytest.mark.parametrize(("kind", "strategy"), KINDS)
def test_a_bad_record_costs_its_object(
    kind: str, strategy: str, model: str, tmp_path: Path
) -> None:
    body, index, offset, word = BAD_RECORDS[kind]
    data = write_files(tmp_path / "data", {**GOOD, "b.csv": body})
    result = run(model, data, tmp_path / "out", strategy=strategy, max_payload_bytes=1 << 20)
    assert written(tmp_path / "out") == GOOD_RESULTS
    assert (result.status, result.objects_done, result.objects_failed) == ("Failed", 2, 1)
    reason = result.failure_reason
    assert f"{data}/b.csv" in reason
    assert f"record {index} at byte {offset}" in reason
    assert word in reason
    record = job_json(tmp_path / "out")
    assert record["TransformJobStatus"] == "Failed"
    assert record["FailureReason"] == reason[:1024]


@pytest.mark.parametrize(("kind", "strategy"), KINDS)
def test_a_bad_record_costs_itself(kind: str, strategy: str, model: str, tmp_path: Path) -> None:
    body, index, offset, word = BAD_RECORDS[kind]
    data = write_files(tmp_path / "data", {**GOOD, "b.csv": body})
    out = tmp_path / "out"
    settings = {"strategy": strategy, "max_payload_bytes": 1 << 20, "on_error": "record"}
    result = run(model, data, out, **settings)
    results = written(out)
    [error] = errors_of(out, "b.csv")
    assert (error["record"], error["offset"]) == (index, offset)
    assert word in str(error["reason"])
    del results["b.csv.errors.jsonl"]
    assert results == {**GOOD_RESULTS, "b.csv.out": DOUBLED_PAIR}
    assert (result.status, result.records, result.records_failed) == ("CompletedWithErrors", 5, 1)


def test_what_is_missing_is_missing_until_it_is_mended(model: str, tmp_path: Path) -> None:
    data = write_files(tmp_path / "data", {**GOOD, "b.csv": b"1,2\nx,y\n3,4\n"})
    out = tmp_path / "out"
    for done, skipped in ((3, 0), (0, 3)):
        result = run(model, data, out, on_error="record")
        assert result.status == "CompletedWithErrors"
        assert (result.objects_done, result.objects_skipped) == (done, skipped)
        assert len(errors_of(out, "b.csv")) == 1
    write_files(data, {"b.csv": b"1,2\n3,4\n"})
    mended = run(model, data, out, on_error="record")
    assert (mended.status, mended.objects_done) == ("Completed", 1)
    assert written(out) == {**GOOD_RESULTS, "b.csv.out": DOUBLED_PAIR}


def test_all_kinds_in_one_object(model: str, tmp_path: Path) -> None:
    lines = [b"1,2", b"x,y", b"-1,4", b"3,4", b"9", b"-1,-1", b"5,6"]
    data = write_files(tmp_path / "data", {"b.csv": b"\n".join(lines)})
    result = run(model, data, tmp_path / "out", on_error="record")
    assert [error["record"] for error in errors_of(tmp_path / "out", "b.csv")] == [1, 2, 4, 5]
    assert (tmp_path / "out" / "b.csv.out").read_bytes() == DOUBLED_PAIR + b"10.0,12.0\n"
    assert (result.records, result.records_failed) == (3, 4)


def test_images_that_are_none(tmp_path: Path) -> None:
    """The model itself decodes: an image for each object, and JSON lines of their sizes."""
    import tensorflow as tf

    def size(image: tf.Tensor) -> dict[str, tf.Tensor]:
        decode = lambda data: tf.shape(tf.io.decode_jpeg(data))  # noqa: E731
        return {"size": tf.map_fn(decode, image, fn_output_signature=tf.int32)}

    function = tf.function(size, input_signature=[tf.TensorSpec([None], tf.string, name="image")])
    module = tf.Module()
    tf.saved_model.save(
        module, str(tmp_path / "model"), signatures=function.get_concrete_function()
    )
    jpeg = tf.io.encode_jpeg(np.zeros((8, 6, 3), np.uint8)).numpy()
    data = write_files(tmp_path / "data", {"a.jpg": jpeg, "b.jpg": b"no image", "c.jpg": jpeg})
    settings = {
        "content_type": "application/octet-stream",
        "split_type": "None",
        "accept": "application/jsonlines",
    }
    model, out = str(tmp_path / "model"), tmp_path / "out"
    result = run(model, data, out, **settings)
    assert result.status == "Failed"
    assert "b.jpg" in result.failure_reason
    assert set(written(out)) == {"a.jpg.out", "c.jpg.out"}
    assert json.loads(written(out)["a.jpg.out"]) == [8, 6, 3]


@pytest.mark.parametrize("on_error", ["object", "record"])
def test_a_corrupt_tfrecord_in_the_middle(on_error: str, model: str, tmp_path: Path) -> None:
    good = [encode_record("TFRecord", row) for row in (b"1,2", b"3,4", b"5,6", b"7,8")]
    broken = bytearray(good[2])
    broken[9] ^= 1  # of the header's checksum: nobody knows where the next record begins
    bodies = {"a": b"".join(good), "b": good[0] + good[1] + broken + good[3]}
    data = write_files(tmp_path / "data", bodies)
    out = tmp_path / "out"
    result = run(model, data, out, split_type="TFRecord", on_error=on_error)
    assert written(out)["a.out"] == b"2.0,4.0\n6.0,8.0\n10.0,12.0\n14.0,16.0\n"
    if on_error == "object":
        assert set(written(out)) == {"a.out"}
        assert result.status == "Failed"
        assert f"{data}/b" in result.failure_reason
        return
    assert result.status == "CompletedWithErrors"
    assert written(out)["b.out"] == DOUBLED_PAIR
    [error] = errors_of(out, "b")
    assert (error["record"], error["offset"]) == (None, None)
    assert str(len(good[0]) + len(good[1])) in str(error["reason"])  # where it is


def test_what_is_not_gzip(model: str, tmp_path: Path) -> None:
    data = write_files(
        tmp_path / "data", {"a.gz": gzip.compress(b"1,2\n3,4\n"), "b.gz": b"1,2\n", "c.gz": b""}
    )
    result = run(model, data, tmp_path / "out", compression="Gzip")
    assert (result.status, result.objects_failed) == ("Failed", 1)
    assert "b.gz" in result.failure_reason
    assert written(tmp_path / "out") == {"a.gz.out": DOUBLED_PAIR, "c.gz.out": b""}


# Objects that change, and servers that fail.


@pytest.mark.parametrize("on_error", ["object", "record"])
@pytest.mark.parametrize("what", ["delete", "replace", "access_denied"])
def test_an_object_that_is_not_the_one_that_was_listed(
    what: str,
    on_error: str,
    s3: FaultyS3,  # noqa: F811
    model: str,
    tmp_path: Path,
) -> None:
    s3.put({f"data/{name}": body for name, body in {**GOOD, "b.csv": b"7,8\n"}.items()})
    s3.set_faults(Fault(what, keys="data/b.csv"))
    result = run(model, f"{s3.uri}/data/", tmp_path / "out", on_error=on_error)
    assert written(tmp_path / "out") == GOOD_RESULTS
    assert result.objects_failed == 1
    assert result.status == ("Failed" if on_error == "object" else "CompletedWithErrors")
    [failure] = result.failures
    assert failure.uri == f"{s3.uri}/data/b.csv"


def test_wrong_credentials(
    s3: FaultyS3,  # noqa: F811
    model: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    s3.put({"data/a": b"1,2\n"})
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with pytest.raises(PermissionDeniedError, match="SignatureDoesNotMatch"):
        run(model, f"{s3.uri}/data/", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_no_credentials(clean_aws: None, model: str, tmp_path: Path) -> None:
    with pytest.raises(PermissionDeniedError, match="credentials"):
        run(model, "s3://somewhere/data/", tmp_path / "out")


DENIED = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:PutObject",
                "Resource": "arn:aws:s3:::{where}",
            }
        ],
    }
)


def deny_writing(bucket: str, what: str) -> None:
    policy = DENIED.replace("{where}", f"{bucket}/{what}")
    boto3.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)


def test_an_output_that_may_not_be_written(gateway_bucket: str, model: str, tmp_path: Path) -> None:
    data = write_files(tmp_path / "data", GOOD)
    deny_writing(gateway_bucket, "*")
    with pytest.raises(PermissionDeniedError, match="s3:PutObject") as refused:
        run(model, data, f"s3://{gateway_bucket}/out")
    assert f"s3://{gateway_bucket}/out/" in str(refused.value)
    assert keys(gateway_bucket) == []


def test_a_result_that_may_not_be_written(gateway_bucket: str, model: str, tmp_path: Path) -> None:
    """The store breaks off in the middle of the job."""
    names = [f"{number:02}.csv" for number in range(20)]
    data = write_files(tmp_path / "data", dict.fromkeys(names, b"1,2\n3,4\n"))
    deny_writing(gateway_bucket, "out/10.csv.out")
    with pytest.raises(PermissionDeniedError, match=r"out/10\.csv\.out"):
        run(model, data, f"s3://{gateway_bucket}/out")
    client = boto3.client("s3")
    assert "out/10.csv.out" not in keys(gateway_bucket)
    for key in results_of(gateway_bucket):
        assert client.get_object(Bucket=gateway_bucket, Key=key)["Body"].read() == DOUBLED_PAIR
    assert "Uploads" not in client.list_multipart_uploads(Bucket=gateway_bucket)
    record = client.get_object(Bucket=gateway_bucket, Key="out/.smtf-transform/test/job.json")
    described = json.load(record["Body"])
    assert described["TransformJobStatus"] == "Failed"
    assert "10.csv.out" in described["FailureReason"]
    # Allowed, it goes on.
    client.delete_bucket_policy(Bucket=gateway_bucket)
    result = run(model, data, f"s3://{gateway_bucket}/out")
    assert result.status == "Completed"
    assert results_of(gateway_bucket) == [f"out/{name}.out" for name in names]


def keys(bucket: str) -> list[str]:
    listing = boto3.client("s3").list_objects_v2(Bucket=bucket)
    return [found["Key"] for found in listing.get("Contents", [])]


def results_of(bucket: str) -> list[str]:
    return [key for key in keys(bucket) if ".smtf-transform" not in key]


_LIMIT = 64 << 10


@contextlib.contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """What this process writes may not get longer; Python ignores the signal that would end it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_is_full(model: str, tmp_path: Path) -> None:
    """The limit is for each file; a write over it is answered as one of a full disk."""
    data = write_files(tmp_path / "data", {**GOOD, "b.csv": b"1,2\n" * 20_000})
    out = tmp_path / "out"
    with (
        files_up_to(_LIMIT),
        pytest.raises(InternalError, match="goes on where it stopped") as full,
    ):
        run(model, data, out, batch_size=1000)
    assert str(out / "b.csv.out") in str(full.value)
    results = written(out)
    assert "b.csv.out" not in results
    assert results.items() <= GOOD_RESULTS.items()  # and nothing hidden
    assert job_json(out)["TransformJobStatus"] == "Failed"
    assert run(model, data, out, batch_size=1000).status == "Completed"


# What is odd, and no error.


def test_nan_and_infinity(model: str, tmp_path: Path) -> None:
    data = write_files(
        tmp_path / "data", {"a": b"[NaN, 1]\n[Infinity, -Infinity]\n[1, 3e38]\n[1e39, 1]\n"}
    )
    settings = {"content_type": "application/jsonlines", "accept": "application/jsonlines"}
    result = run(model, data, tmp_path / "out", on_error="record", **settings)
    lines = written(tmp_path / "out")["a.out"].decode().splitlines()
    rows = [json.loads(line) for line in lines]
    assert np.isnan(rows[0][0])
    assert rows[1:] == [[np.inf, -np.inf], [2.0, np.inf]]  # 6e38 is beyond float32
    [error] = errors_of(tmp_path / "out", "a")  # and so is 1e39, which is said, not computed with
    assert "too large" in str(error["reason"])
    assert (result.records, result.records_failed) == (3, 1)


ODD = ["ünï cödé/雪.csv", "a b+c%20&d=e?f#g", "quo'te\"s", "dot./.hidden", "tail~", "😀"]


@pytest.mark.parametrize("output", ["bucket", "files"])
def test_odd_names(
    output: str, model: str, put_objects: PutObjects, bucket: str, tmp_path: Path
) -> None:
    uri = put_objects({f"in put/{name}": b"1,2\n3,4\n" for name in ODD})
    where = f"{uri}/out put/ä" if output == "bucket" else str(tmp_path / "out put ä")
    result = run(model, f"{uri}/in put/", where)
    assert (result.status, result.objects_done) == ("Completed", len(ODD))
    if output == "files":
        assert written(Path(where)) == {f"{name}.out": DOUBLED_PAIR for name in ODD}
    else:
        expected = sorted(f"out put/ä/{name}.out" for name in ODD)
        assert sorted(key for key in results_of(bucket) if key.startswith("out")) == expected


def test_a_file_whose_name_is_no_utf8(model: str, tmp_path: Path) -> None:
    data = write_files(tmp_path / "data", {"a.csv": b"1,2\n3,4\n"})
    (data / os.fsdecode(b"b\xff.csv")).write_bytes(b"1,2\nx\n")
    result = run(model, data, tmp_path / "out", on_error="record")
    assert result.status == "CompletedWithErrors"
    assert written(tmp_path / "out")[os.fsdecode(b"b\xff.csv.out")] == b"2.0,4.0\n"


@pytest.mark.parametrize("split_type", ["Line", "RecordIO", "TFRecord"])
def test_objects_without_bytes(split_type: str, model: str, tmp_path: Path) -> None:
    data = write_files(tmp_path / "data", {"a": b"", "b": encode(split_type), "c": b""})
    result = run(model, data, tmp_path / "out", split_type=split_type)
    assert (result.status, result.records) == ("Completed", 1)
    assert written(tmp_path / "out") == {"a.out": b"", "b.out": b"2.0,4.0\n", "c.out": b""}


def encode(split_type: str) -> bytes:
    return encode_record("TextLine" if split_type == "Line" else split_type, b"1,2")


def test_an_object_without_bytes_that_is_a_record(model: str, tmp_path: Path) -> None:
    """Which is not one of CSV: the model would answer nothing."""
    data = write_files(tmp_path / "data", {"a": b"", "b": b"1,2"})
    result = run(model, data, tmp_path / "out", split_type="None")
    assert (result.status, result.objects_done) == ("Failed", 1)
    assert f"{data}/a: failed: record 0 at byte 0: the record is empty" in result.failure_reason
    assert written(tmp_path / "out") == {"b.out": b"2.0,4.0\n"}


@pytest.mark.parametrize("on_error", ["object", "record"])
def test_an_object_that_is_one_record_of_20_gib(on_error: str, model: str, tmp_path: Path) -> None:
    """It is not read to find that out: its size says it."""
    data = write_files(tmp_path / "data", {"a": b"1,2", "b": b"", "c": b"3,4"})
    os.truncate(data / "b", 20 << 30)  # sparse
    result = run(model, data, tmp_path / "out", split_type="None", on_error=on_error)
    results = written(tmp_path / "out")
    assert (results["a.out"], results["c.out"]) == (b"2.0,4.0\n", b"6.0,8.0\n")
    assert "21474836480 bytes" in result.failures[0].reasons[0]
    assert "max_payload" in result.failures[0].reasons[0]
    if on_error == "object":
        assert (result.status, len(results)) == ("Failed", 2)
    else:
        assert (result.status, results["b.out"]) == ("CompletedWithErrors", b"")
        assert errors_of(tmp_path / "out", "b")[0]["record"] == 0


@pytest.mark.parametrize("what", ["folder", "prefix"])
def test_no_input(
    what: str, model: str, put_objects: PutObjects, bucket: str, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    source = str(tmp_path / "data") if what == "folder" else f"s3://{bucket}/data/"
    with pytest.raises(NotFoundError, match="nothing to transform under"):
        run(model, source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_not_there(model: str, bucket: str, tmp_path: Path) -> None:
    data = write_files(tmp_path / "data", GOOD)
    with pytest.raises(NotFoundError, match=r"nowhere"):
        run(model, tmp_path / "nowhere", tmp_path / "out")
    with pytest.raises(NotFoundError, match=r"no-model"):
        run(str(tmp_path / "no-model"), data, tmp_path / "out")
    with pytest.raises(NotFoundError, match=r"no-model\.tar\.gz"):
        run(f"s3://{bucket}/no-model.tar.gz", data, tmp_path / "out")
    with pytest.raises(NotFoundError, match="no-bucket"):
        run(model, "s3://no-bucket-of-this-name/data/", tmp_path / "out")
    with pytest.raises(NotFoundError, match="no-bucket"):
        run(model, data, "s3://no-bucket-of-this-name/out")
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_a_file(model: str, tmp_path: Path) -> None:
    data = write_files(tmp_path / "data", GOOD)
    (tmp_path / "out").write_bytes(b"mine")
    with pytest.raises(PipeModeDatasetException) as no:
        run(model, data, tmp_path / "out")
    assert str(tmp_path / "out") in str(no.value)
    assert (tmp_path / "out").read_bytes() == b"mine"
