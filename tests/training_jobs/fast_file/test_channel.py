"""Jobs in FastFile mode, over a mount of the kernel's."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from sagemaker_tensorflow.errors import FailedPreconditionError
from sagemaker_tensorflow.training.fast_file.fuse_mount import FuseMount
from sagemaker_tensorflow.training_input import TrainingInput
from tests.conftest import FOLDER_FILES, PutObjects
from tests.pipes import has_ended, wait_until
from tests.training_jobs.conftest import Jobs, printed
from tests.training_jobs.test_job import members
from tests.training_jobs.test_leaving_nothing import mentions

LARGE = random.Random(3).randbytes(5_000_000)
OBJECTS = {
    "data/a.csv": b"1,2,3\n",
    "data/empty": b"",
    "data/sub/deep/large.bin": LARGE,
    "data/sub/\u00e4 b": b"a name",
    "data/replaced": b"as it was listed",
    "other/not-in-it": b"",
}


@pytest.fixture
def fuse(tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    try:
        mount = FuseMount(folder)
    except FailedPreconditionError as error:
        pytest.skip(str(error))
    mount.unmount()
    os.close(mount.fd)


EVERYTHING = """
    import errno, hashlib, mmap, os, pathlib, sys, threading
    channel = pathlib.Path(os.environ["SM_CHANNEL_TRAINING"])
    files = sorted(path for path in channel.rglob("*") if path.is_file())
    print([(str(path.relative_to(channel)), path.stat().st_size) for path in files])
    large = channel / "sub/deep/large.bin"
    whole = large.read_bytes()
    print(hashlib.sha256(whole).hexdigest())
    with large.open("rb") as file:
        file.seek(4_000_123)
        assert file.read(1000) == whole[4_000_123:4_001_123]
        file.seek(-5, os.SEEK_END)
        assert file.read() == whole[-5:]
        with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
            assert mapped[2_500_000:2_500_010] == whole[2_500_000:2_500_010]
    opened = [(channel / "a.csv").open("rb") for _ in range(300)]
    assert {file.read() for file in opened} == {b"1,2,3\\n"}
    same = []
    def read():
        same.append(large.read_bytes() == whole)
    threads = [threading.Thread(target=read) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert same == [True] * 8
    for write in (lambda: (channel / "new").write_text(""), large.unlink):
        try:
            write()
        except OSError as error:
            assert error.errno == errno.EROFS, error
        else:
            raise AssertionError("it was written to")
    assert oct(large.stat().st_mode) == "0o100444"
    print("ready", flush=True)
    while not os.path.exists(os.environ["SM_OUTPUT_DATA_DIR"] + "/replaced"):
        pass
    try:
        (channel / "replaced").read_bytes()
    except OSError as error:
        print(errno.errorcode[error.errno])
"""


def test_a_script_reads_files_as_it_likes(
    jobs: Jobs, fuse: None, put_objects: PutObjects, bucket: str
) -> None:
    uri = put_objects(OBJECTS)
    job = jobs.make(
        EVERYTHING, channels={"training": TrainingInput(f"{uri}/data/")}, input_mode="FastFile"
    )
    job.start()
    wait_until(
        lambda: "ready" in job.log_path.read_text() or job.log_path.read_text().count("Error"),
        "the script is ready",
    )
    boto3.client("s3").put_object(Bucket=bucket, Key="data/replaced", Body=b"something else ..")
    (jobs.ml() / "output" / "data" / "replaced").touch()
    result = job.wait()
    lines = printed(result.log_path).splitlines()
    assert result.status == "Completed", lines
    assert not (jobs.ml() / "input").exists()
    listed = {key.removeprefix("data/"): body for key, body in OBJECTS.items() if "data/" in key}
    assert lines[0] == str(sorted((key, len(body)) for key, body in listed.items()))
    said = lines[3]
    assert said.startswith("smtf: channel training (FastFile): s3://"), lines
    assert "/data/replaced bytes 0-15: " in said
    assert "replaced after it was listed" in said
    assert lines[4:] == ["EIO"]


def test_local_files_and_two_channels(jobs: Jobs, fuse: None, folder: Path) -> None:
    result = jobs.make(
        """
        import os, pathlib
        model = pathlib.Path(os.environ["SM_MODEL_DIR"])
        for name in ("ONE", "TWO"):
            channel = pathlib.Path(os.environ["SM_CHANNEL_" + name])
            for path in channel.rglob("*"):
                if path.is_file():
                    (model / f"{name}-{path.name}").write_bytes(path.read_bytes())
        """,
        channels={
            "one": TrainingInput(str(folder)),
            "two": TrainingInput(str(folder / "b")),
        },
        input_mode="FastFile",
    ).run()
    assert result.status == "Completed", result.log_path.read_text()
    expected = {f"ONE-{Path(name).name}": body for name, body in FOLDER_FILES.items()}
    assert members(result.model_uri) == {**expected, "TWO-c": FOLDER_FILES["b/c"]}


def test_a_channel_that_is_mounted_beside_one_without_files(
    jobs: Jobs, fuse: None, folder: Path
) -> None:
    empty = jobs.root / "empty"
    empty.mkdir()
    channels = {
        "there": TrainingInput(str(folder)),
        "empty": TrainingInput(str(empty)),
    }
    result = jobs.make("print('started')", channels=channels, input_mode="FastFile").run()
    assert result.status == "Failed"
    assert result.failure_reason.startswith("ClientError: ")
    assert "empty holds no file" in result.failure_reason
    assert printed(result.log_path) == ""
    assert not jobs.ml().exists()


def test_a_server_that_is_killed(jobs: Jobs, fuse: None, folder: Path) -> None:
    result = jobs.make(
        """
        import errno, os, pathlib, signal, time
        channel = pathlib.Path(os.environ["SM_CHANNEL_TRAIN"])
        assert (channel / "a").read_bytes()
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            command = (process / "cmdline").read_bytes()
            if b"fast_file.server" in command and os.environ["HERE"].encode() in command:
                os.kill(int(process.name), signal.SIGKILL)
        while "is gone" not in pathlib.Path(os.environ["HERE"], "job", "algo-1.log").read_text():
            time.sleep(0.01)
        try:
            (channel / "d").read_bytes()
        except OSError as error:
            print(errno.errorcode[error.errno])
        """,
        channels={"train": TrainingInput(str(folder))},
        environment={"HERE": str(jobs.jobs_dir)},
        input_mode="FastFile",
    ).run()
    said, what = printed(result.log_path).splitlines()
    assert said.startswith("smtf: the process that serves ")
    assert "is gone (status -9;" in said
    assert what == "ENOTCONN"


def test_nothing_is_left_of_a_mount_when_the_owner_is_killed(
    jobs: Jobs, fuse: None, folder: Path
) -> None:
    script = jobs.script("""
        import os, time
        held = open(os.environ["SM_CHANNEL_TRAIN"] + "/a")
        print("reading", held.read(1), flush=True)
        time.sleep(3600)
    """)
    command = ["train", "--entry-point", script, "--input-mode", "FastFile", "--quiet"]
    command += ["--channel", f"train={folder}", "--job-name", "job"]
    command += ["--jobs-dir", str(jobs.jobs_dir), "--output-path", str(jobs.output)]
    smtf = subprocess.Popen([sys.executable, "-m", "sagemaker_tensorflow.cli", *command])
    log = jobs.jobs_dir / "job" / "algo-1.log"
    try:
        wait_until(lambda: log.exists() and "reading f" in log.read_text(), "it reads")
        servers = [pid for pid in mentions(jobs.jobs_dir) if is_server(pid)]
        assert len(servers) == 1
    finally:
        smtf.send_signal(signal.SIGKILL)
        smtf.wait()
    wait_until(lambda: has_ended(servers[0]), "the server ends")
    wait_until(lambda: not jobs.ml().exists(), "the job's directory goes")
    wait_until(lambda: not mentions(jobs.jobs_dir), "all of the job's processes end")
    assert str(jobs.root) not in Path("/proc/mounts").read_text()


def is_server(pid: int) -> bool:
    return b"fast_file.server" in Path(f"/proc/{pid}/cmdline").read_bytes()


# What is at /dev/fuse in there is something else.
WITHOUT_FUSE = (
    "unshare",
    "--mount",
    "sh",
    "-c",
    'mount --bind /dev/null /dev/fuse && exec "$@"',
    "sh",
)


def test_without_fuse_it_says_what_is_missing(jobs: Jobs, fuse: None, folder: Path) -> None:
    around = WITHOUT_FUSE if os.geteuid() == 0 else (*WITHOUT_FUSE[:1], "-r", *WITHOUT_FUSE[1:])
    command = [*around, sys.executable, "-m", "sagemaker_tensorflow.cli", "train"]
    command += ["--entry-point", jobs.script("print('started')"), "--input-mode", "FastFile"]
    command += ["--channel", f"train={folder}", "--job-name", "job"]
    command += ["--jobs-dir", str(jobs.jobs_dir)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "ClientError: mounting " in done.stderr
    assert "modprobe fuse" in done.stderr
    assert "started" not in done.stdout
