"""What is stored of a folder at each moment, and what the next job gets of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from sagemaker_tensorflow.errors import NotFoundError
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.training.checkpoints.sync import CheckpointPlaces, CheckpointSync
from tests.conftest import PutObjects
from tests.pipes import wait_until
from tests.training_jobs.conftest import Jobs, printed

LOOK_SECONDS = 0.02


class Run:
    """One job's checkpoints."""

    def __init__(self, root: Path, uri: str, **places: Any) -> None:
        self.folder = root / "checkpoints"
        self.rescue = root / "rescued"
        self.sync = CheckpointSync(
            CheckpointPlaces(uri, self.folder, self.rescue, **places),
            s3_options=S3Options(),
            prefetch=PrefetchConfig(),
            look_seconds=LOOK_SECONDS,
            final_seconds=0,
        )

    def write(self, name: str, content: str) -> None:
        """As libraries do: under another name first."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.with_name("temporary").write_text(content)
        path.with_name("temporary").rename(path)

    def save(self, number: int) -> None:
        """A checkpoint as TensorFlow writes it: the file that names the others comes last."""
        for kind in ("data", "index"):
            self.write(f"ckpt-{number}.{kind}", str(number))
        self.write("checkpoint", f"ckpt-{number}")

    def delete(self, number: int) -> None:
        for kind in ("data", "index"):
            (self.folder / f"ckpt-{number}.{kind}").unlink()


@contextlib.contextmanager
def running(root: Path, uri: str, **places: Any) -> Iterator[Run]:
    run = Run(root, uri, **places)
    run.sync.start()
    try:
        yield run
    finally:
        run.sync.finish(None)


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def text_of(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def look_again() -> None:
    """Long enough for some looks; how many does not matter to a test that passes."""
    time.sleep(10 * LOOK_SECONDS)


def test_a_torn_file_is_never_stored(tmp_path: Path) -> None:
    """A script that writes in place, and rests: between looks the file does not change."""
    store = tmp_path / "store"
    stored = store / "weights"
    with running(tmp_path, str(store)) as run:
        for version in "abc":
            before = text_of(stored)
            with (run.folder / "weights").open("w") as file:
                for _ in range(3):
                    file.write(version)
                    file.flush()
                    look_again()
                    assert text_of(stored) == before
            wait_until(lambda seen=before: text_of(stored) != seen, "it is stored")
            assert text_of(stored) == version * 3


def test_what_is_stored_can_be_started_from_at_any_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = tmp_path / "store"
    with running(tmp_path, str(store)) as run:
        run.save(1)
        wait_until((store / "checkpoint").exists, "the first checkpoint is stored")
        (store / "ckpt-2.data").mkdir()  # so it cannot be stored
        run.save(2)
        run.delete(1)
        wait_until(lambda: "tried again" in caplog.text, "it is tried")
        look_again()
        first = {"ckpt-1.data": "1", "ckpt-1.index": "1", "checkpoint": "ckpt-1"}
        assert files(store) == first
        (store / "ckpt-2.data").rmdir()
        wait_until(lambda: not (store / "ckpt-1.index").exists(), "what is gone is deleted")
        assert files(store) == {"ckpt-2.data": "2", "ckpt-2.index": "2", "checkpoint": "ckpt-2"}
        assert "stored again" in caplog.text


@pytest.mark.parametrize(
    ("exit_status", "through_shell", "is_known"),
    [(0, True, True), (143, False, True), (-9, False, False), (137, True, False)],
)
def test_the_end(tmp_path: Path, exit_status: int, through_shell: bool, is_known: bool) -> None:
    """Nobody knows whether what a killed script was writing is whole."""
    store = tmp_path / "store"
    run = Run(tmp_path, str(store))
    run.sync.start()
    run.save(1)
    wait_until((store / "checkpoint").exists, "the checkpoint is stored")
    with (run.folder / "ckpt-1.data").open("w") as file:
        file.write("half")
        file.flush()
        look_again()
        run.sync.script_ended()
    run.save(2)
    run.sync.finish(exit_status, through_shell)
    first = {"ckpt-1.data": "1", "ckpt-1.index": "1", "checkpoint": "ckpt-1"}
    assert files(store) == (files(run.folder) if is_known else first)
    assert not run.rescue.exists()


def test_what_cannot_be_stored_is_not_lost(tmp_path: Path, bucket: str) -> None:
    run = Run(tmp_path, f"s3://{bucket}/run")
    run.sync.start()
    boto3.client("s3").delete_bucket(Bucket=bucket)
    run.save(1)
    with pytest.raises(NotFoundError, match=r"missing there: checkpoint, ckpt-1.data, .*rescued"):
        run.sync.finish(0)
    assert files(run.rescue)["checkpoint"] == "ckpt-1"
    assert not run.folder.exists()


def test_the_next_job_goes_on(tmp_path: Path, put_objects: PutObjects, bucket: str) -> None:
    """Through S3, with a file of several parts, and two hosts."""
    put_objects({"run/": b"", "run-2/other": b"x", "run/old": b"old"})
    client = boto3.client("s3")
    left = {"Bucket": bucket, "Prefix": "run/"}
    client.create_multipart_upload(Bucket=bucket, Key="run/half")
    parts = os.urandom(20 << 20)
    for host in ("one", "two"):
        (tmp_path / host).mkdir()
    with (
        running(tmp_path / "one", f"s3://{bucket}/run") as first,
        running(tmp_path / "two", f"s3://{bucket}/run", first_host=False) as second,
    ):
        assert "Uploads" not in client.list_multipart_uploads(**left)
        assert files(first.folder) == files(second.folder) == {"old": "old"}
        (second.folder / "old").unlink()  # which is the first one's to do
        (first.folder / "large").write_bytes(parts)
        first.write(".hidden/deep", "f")
        second.write("second", "s")
        first.sync.finish(0)
        second.sync.finish(0)
    assert "Uploads" not in client.list_multipart_uploads(**left)

    stored = {item["Key"]: item for item in client.list_objects_v2(**left)["Contents"]}
    assert set(stored) == {"run/", "run/old", "run/large", "run/.hidden/deep", "run/second"}
    with running(tmp_path, f"s3://{bucket}/run/") as run:
        assert (run.folder / "large").read_bytes() == parts
        assert (run.folder / ".hidden" / "deep").read_text() == "f"
        times = stored["run/old"]["LastModified"].timestamp()
        assert (run.folder / "old").stat().st_mtime == times
        (run.folder / "old").unlink()
        shutil.rmtree(run.folder / ".hidden")
        run.sync.finish(0)
    listed = client.list_objects_v2(**left)["Contents"]
    assert [item["Key"] for item in listed] == ["run/", "run/large", "run/second"]
    unchanged = {item["Key"]: item["LastModified"] for item in listed}
    assert unchanged["run/large"] == stored["run/large"]["LastModified"]


# Saves ten times a second, as TensorFlow's CheckpointManager with max_to_keep=2 does.
SAVING = """
import os, pathlib, sys, time
folder = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"], "checkpoints")
steps = folder / "checkpoint"
step = int(steps.read_text()) if steps.exists() else 0
print("begins at", step, (folder / f"ckpt-{step}").read_text()[:9] if step else "", flush=True)
last = step + int(sys.argv[2])
while step < last:
    step += 1
    (folder / f"ckpt-{step}").write_text(f"{step:09}" * 100_000)
    (folder / "temporary").write_text(str(step))
    (folder / "temporary").rename(steps)
    (folder / f"ckpt-{step - 2}").unlink(missing_ok=True)
    time.sleep(0.1)
"""


def test_a_killed_job_goes_on_where_it_was(jobs: Jobs, bucket: str) -> None:
    client = boto3.client("s3")

    def stored(key: str) -> str:
        return client.get_object(Bucket=bucket, Key=f"run/{key}")["Body"].read().decode()

    def last_step() -> int:
        try:
            return int(stored("checkpoint"))
        except client.exceptions.NoSuchKey:
            return 0

    script = jobs.script(SAVING)
    command = [sys.executable, "-m", "sagemaker_tensorflow.cli", "train", "--quiet"]
    command += ["--entry-point", script, "--jobs-dir", str(jobs.jobs_dir), "--job-name", "first"]
    command += ["--checkpoint-s3-uri", f"s3://{bucket}/run", "--hp", "steps=1000000"]
    smtf = subprocess.Popen(command)
    try:
        wait_until(lambda: last_step() > 10, "it saves")
    finally:
        smtf.kill()
        smtf.wait()
    step = last_step()
    assert stored(f"ckpt-{step}") == f"{step:09}" * 100_000
    wait_until(lambda: not jobs.ml("first").exists(), "the job's directory goes")

    result = jobs.make(
        SAVING, "second", checkpoint_s3_uri=f"s3://{bucket}/run", hyperparameters={"steps": "3"}
    ).run()
    assert result.status == "Completed", result
    assert printed(result.log_path) == f"begins at {step} {step:09}\n"
    assert last_step() == step + 3
    assert stored(f"ckpt-{step + 3}") == f"{step + 3:09}" * 100_000
    listed = client.list_objects_v2(Bucket=bucket, Prefix="run/ckpt-")["Contents"]
    assert f"run/ckpt-{step}" not in {item["Key"] for item in listed}


def test_a_job_says_what_it_could_not_store(jobs: Jobs, bucket: str) -> None:
    """Its model is kept all the same."""
    result = jobs.make(
        """
        import os, boto3
        boto3.client("s3").delete_bucket(Bucket=os.environ["BUCKET"])
        open(os.environ["SM_MODEL_DIR"] + "/m", "w").write("m")
        open(os.environ["SAGEMAKER_BASE_DIR"] + "/checkpoints/c", "w").write("c")
        """,
        checkpoint_s3_uri=f"s3://{bucket}/run",
        environment={"BUCKET": bucket},
    ).run()
    assert (result.status, result.exit_status) == ("Failed", 0), result
    rescued = jobs.jobs_dir / "job" / "algo-1.checkpoints"
    assert f"missing there: c; all that the script saved is in {rescued}" in result.failure_reason
    assert result.model_uri is not None
    shutil.rmtree(rescued)
